//! The customer within an invoice is news of that customer: Magento's own events of customers are lost for weeks. What was given when
//! a contact was written is remembered, and only a field that is given differently later calls for an update.

use std::collections::BTreeMap;

use domain::{
    contact_snapshot::ContactSnapshot,
    documents::{Customer, Invoice},
    plan::{Call, Plan, Verdict},
    xref::XrefKey,
};
use messages::message;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{contact::customer, context::Context, findings::Findings, keys};

/// What Magento shows of a customer, whatever the currency; none for a guest.
pub(crate) fn snapshot(customer: &Customer, context: &Context<'_>) -> Option<ContactSnapshot> {
    if customer.magento_id <= 0 {
        return None;
    }
    let currency = context.reference.base_currency;
    let mut snapshot = ContactSnapshot { fields: BTreeMap::new(), as_of: customer.updated_at };
    for (field, value) in customer::contact_fields(customer, currency, context, &mut Findings::default()) {
        match value {
            // Without a company it is the person's, and a contact that bears a company's name keeps it.
            _ if field == "name" && !customer::has_company(customer, currency) => {}
            // A person may be given in part; an address is one thing.
            Value::Object(person) if field == "main_contact_person" => {
                let parts =
                    person.iter().map(|(part, value)| (format!("{field}.{part}"), fingerprint(value)));
                snapshot.fields.extend(parts);
            }
            value => {
                snapshot.fields.insert(field, fingerprint(&value));
            }
        }
    }
    Some(snapshot)
}

/// The same value makes the same print, in whichever order its fields are.
fn fingerprint(value: &Value) -> String {
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
pub(crate) fn with_changes(
    mut plan: Plan,
    invoice: &Invoice,
    snapshot: &BTreeMap<XrefKey, ContactSnapshot>,
    context: &Context<'_>,
) -> Plan {
    let key = keys::invoice(invoice);
    let posts =
        plan.verdict == Verdict::Post && plan.calls.iter().any(|call| call.xref.as_ref() == Some(&key));
    let mut findings = Findings::default();
    if posts && let Some(call) = update(invoice, snapshot, context, &mut findings) {
        plan.calls.insert(0, call);
        plan.rules.extend(findings.rules);
        plan.notes.extend(findings.notes);
    }
    plan
}

/// The update of the invoice's contact. The invoice's own addresses are those of the order and say nothing about the customer.
fn update(
    invoice: &Invoice,
    known_snapshots: &BTreeMap<XrefKey, ContactSnapshot>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Option<Call> {
    let (customer, currency) = (&invoice.customer, invoice.currency);
    let snapshot = snapshot(customer, context)?;
    let key = customer::key(customer, currency);
    let known = context.xrefs.get(&key)?;
    let changes = snapshot.changes_since(known_snapshots.get(&key));
    if changes.is_empty() {
        return None;
    }
    findings.rule(
        "contact's details",
        &*known.sage_id,
        message!(reasons.customer_changed),
        changes.join(", "),
    );
    Some(customer::update(customer, &key, currency, known, context, findings))
}
