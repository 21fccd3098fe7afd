//! A customer becomes contacts: every contact that the customer has is brought up to date, one in the base currency is made where
//! there is none. What Magento shows is often poorer than what Sage holds (no addresses, no company), and never overwrites it.

use std::collections::BTreeMap;

use domain::{
    business::ReferenceSet,
    code::Code,
    documents::Customer,
    money::Currency,
    plan::{Call, Method, Plan},
    settings::{NamePriority, Settings},
    xref::{XrefKey, XrefKind},
};
use messages::message;
use serde_json::{Map, Value, json};

use crate::{
    buyer::Buyer,
    contact::{choice, identity},
    context::{Context, KnownRecord},
    findings::{self, Findings},
};

/// What a contact is made with and never changed to: its identity in Sage.
const IDENTITY: [&str; 4] = ["idempotency_id", "contact_type_ids", "reference", "currency_id"];

/// The key of a customer's contact in a currency.
pub(crate) fn key(customer: &Customer, currency: Currency) -> XrefKey {
    XrefKey { kind: XrefKind::Contact(currency), magento_key: customer.magento_id.to_string() }
}

/// The keys of the contacts that a customer may have: one for each currency of the business.
pub(crate) fn wanted_xrefs(customer: &Customer, reference: &ReferenceSet) -> Vec<XrefKey> {
    let others = reference.currencies.iter().filter_map(|currency| currency.id.parse().ok());
    let others = others.filter(|currency| *currency != reference.base_currency);
    [reference.base_currency].into_iter().chain(others).map(|currency| key(customer, currency)).collect()
}

/// Plans a customer.
pub(crate) fn plan(customer: &Customer, context: &Context<'_>) -> Plan {
    let mut findings = Findings::default();
    if customer.magento_id <= 0 {
        let message = message!(plan.guest);
        return *findings.fail(Code::InconsistentDocument, message);
    }
    if is_outside(customer, context.settings) {
        return Plan::skip(Code::OutsideWebsiteFilter);
    }
    let id = customer.magento_id.to_string();
    let mut calls = Vec::new();
    for (key, known) in context.xrefs.iter().filter(|(key, _)| key.magento_key == id) {
        if let XrefKind::Contact(currency) = key.kind {
            findings.rule("contact", &*known.sage_id, message!(reasons.own_contact), currency.to_string());
            calls.push(update(customer, key, currency, known, context, &mut findings));
        }
    }
    if calls.is_empty() {
        let buyer = Buyer::of_profile(customer, context.reference.base_currency);
        let assigned = identity::assign(&buyer, context);
        if !assigned.is_own {
            return Plan::skip(Code::CustomerConsolidated);
        }
        calls.extend(choice::choose(assigned, &buyer, None, context, &mut findings).call);
    }
    findings::plan_of(calls, None, findings)
}

fn is_outside(customer: &Customer, settings: &Settings) -> bool {
    let filter = &settings.website_filter;
    !filter.is_empty() && !customer.website_id.is_some_and(|id| filter.contains(&id))
}

/// The update of a contact: what Magento shows of the customer, less a name that is not the customer's to change.
pub(crate) fn update(
    customer: &Customer,
    key: &XrefKey,
    currency: Currency,
    known: &KnownRecord,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Call {
    let mut fields = contact_fields(customer, currency, context, findings);
    let buyer = Buyer::of_profile(customer, currency);
    if let Some(why) = keeps_name(&buyer, known, context.settings) {
        fields.remove("name");
        findings.note(why);
    }
    Call {
        name: key.kind.to_string(),
        method: Method::Put,
        path: format!("/contacts/{}", known.sage_id),
        body: json!({ "contact": fields }),
        xref: Some(key.clone()),
        adopt: None,
        expect: None,
        releases_draft: false,
    }
}

/// What Magento shows of a customer, as a contact's fields: what an invoice would make the contact with, less its identity and what
/// is not known.
pub(crate) fn contact_fields(
    customer: &Customer,
    currency: Currency,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Map<String, Value> {
    let buyer = Buyer::of_profile(customer, currency);
    let mut fields = as_made(&buyer, context, findings);
    fields.retain(|field, _| !IDENTITY.contains(&field.as_str()));
    // The two addresses stand in for each other in a new contact, never in one that may have both.
    if buyer.shown.billing.is_none() {
        fields.remove("main_address");
    }
    if buyer.shown.shipping.is_none() {
        fields.remove("delivery_address");
    }
    if buyer.person.is_none()
        && let Some(fields) = fields.get_mut("main_contact_person").and_then(Value::as_object_mut)
    {
        fields.remove("name");
    }
    fields
}

/// The fields that an invoice would make the contact with, were there none.
fn as_made(buyer: &Buyer<'_>, context: &Context<'_>, findings: &mut Findings) -> Map<String, Value> {
    let mut settings = context.settings.clone();
    settings.consolidation.enabled = false;
    let nothing = BTreeMap::new();
    let context = Context { settings: &settings, xrefs: &nothing, ..*context };
    let mut unsaid = Findings::default();
    let made = choice::choose(identity::assign(buyer, &context), buyer, None, &context, &mut unsaid);
    for note in unsaid.notes {
        findings.note(note);
    }
    let body = made.call.map(|call| call.body).unwrap_or_default();
    body.get("contact").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Whether Magento shows a company of the customer's.
pub(crate) fn has_company(customer: &Customer, currency: Currency) -> bool {
    Buyer::of_profile(customer, currency).company.is_some()
}

/// Why the contact keeps the name that it has: Magento often sends no company of a customer who has one, so a name that has nothing
/// of the person's in it is taken for the company's.
fn keeps_name(buyer: &Buyer<'_>, known: &KnownRecord, settings: &Settings) -> Option<String> {
    if buyer.company.is_some() || settings.customer_name_priority != NamePriority::Company {
        return None;
    }
    let Some(person) = &buyer.person else {
        return Some(message!(plan_notes.no_name).to_owned());
    };
    let shown = known.displayed_as.as_deref()?.to_lowercase();
    let is_persons = person.to_lowercase().split_whitespace().any(|word| shown.contains(word));
    (!is_persons).then(|| message!(plan_notes.name_of_company).to_owned())
}
