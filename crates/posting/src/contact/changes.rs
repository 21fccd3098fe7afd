//! The customer within an invoice is news of that customer: Magento's own events of customers are lost for weeks. What was told when
//! a contact was written is remembered, and only a field that is told differently later calls for an update.

use std::collections::BTreeMap;

use domain::{
    contact_snapshot::Told,
    documents::{Customer, Invoice},
    plan::{Call, Plan, Verdict},
    xref::XrefKey,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{contact::customer, context::Context, findings::Findings, keys};

/// What Magento tells of a customer, whatever the currency; none for a guest.
pub(crate) fn told(customer: &Customer, context: &Context<'_>) -> Option<Told> {
    if customer.magento_id <= 0 {
        return None;
    }
    let currency = context.reference.base_currency;
    let mut told = Told { fields: BTreeMap::new(), as_of: customer.updated_at };
    for (field, value) in customer::told(customer, currency, context, &mut Findings::default()) {
        match value {
            // Without a company it is the person's, and a contact that bears a company's name keeps it.
            _ if field == "name" && !customer::has_company(customer, currency) => {}
            // A person may be told in part; an address is one thing.
            Value::Object(person) if field == "main_contact_person" => {
                let parts = person.iter().map(|(part, value)| (format!("{field}.{part}"), print(value)));
                told.fields.extend(parts);
            }
            value => {
                told.fields.insert(field, print(&value));
            }
        }
    }
    Some(told)
}

/// The same value makes the same print, in whichever order its fields are.
fn print(value: &Value) -> String {
    let mut hash = Sha256::new();
    match value {
        Value::Object(fields) => {
            for (field, value) in fields.iter().collect::<BTreeMap<_, _>>() {
                hash.update(format!("{field}={value};"));
            }
        }
        other => hash.update(other.to_string()),
    }
    hex::encode(&hash.finalize()[..8])
}

/// The plan with the contact's update in front, where it posts the invoice on a known contact of the customer's own.
pub(crate) fn with_news(
    mut plan: Plan,
    invoice: &Invoice,
    told: &BTreeMap<XrefKey, Told>,
    context: &Context<'_>,
) -> Plan {
    let key = keys::invoice(invoice);
    let posts =
        plan.verdict == Verdict::Post && plan.calls.iter().any(|call| call.xref.as_ref() == Some(&key));
    let mut findings = Findings::default();
    if posts && let Some(call) = update(invoice, told, context, &mut findings) {
        plan.calls.insert(0, call);
        plan.rules.extend(findings.rules);
        plan.notes.extend(findings.notes);
    }
    plan
}

/// The update of the invoice's contact. The invoice's own addresses are those of the order and say nothing about the customer.
fn update(
    invoice: &Invoice,
    told_before: &BTreeMap<XrefKey, Told>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<Call> {
    let (customer, currency) = (&invoice.customer, invoice.currency);
    let told = told(customer, context)?;
    let key = customer::key(customer, currency);
    let known = context.xrefs.get(&key)?;
    let news = told.news(told_before.get(&key));
    if news.is_empty() {
        return None;
    }
    findings.rule(
        "contact's details",
        &*known.sage_id,
        "the customer within an invoice is news",
        news.join(", "),
    );
    Some(customer::update(customer, &key, currency, known, context, findings))
}
