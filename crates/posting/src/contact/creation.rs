//! The call that makes a contact.

use domain::{
    documents::Address,
    plan::{Adopt, Call, Method},
    settings::NamePriority,
    territory,
    text::clean_optional,
    xref::{XrefKey, XrefKind},
};
use messages::message;
use serde_json::{Map, Value, json};

use crate::{
    address,
    buyer::Buyer,
    contact::{identity::ContactIdentity, tax_treatment::TaxTreatment},
    context::Context,
    findings::Findings,
    text::cut,
};

/// Sage's limits, in characters.
const NAME: usize = 100;
const PERSON: usize = 50;
const EMAIL: usize = 100;

fn contact_call(key: XrefKey, contact: Map<String, Value>, adopt: Adopt, context: &Context<'_>) -> Call {
    let mut fields = context.identified(&key);
    fields.extend(contact);
    Call {
        name: "contact".to_owned(),
        method: Method::Post,
        path: "/contacts".to_owned(),
        body: json!({ "contact": fields }),
        xref: Some(key),
        adopt: Some(adopt),
        expect: None,
        releases_draft: false,
    }
}

/// The fields that every contact has; another currency than the base is named in both.
fn base_fields(
    name: &str,
    sage_reference: &str,
    buyer: &Buyer<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Map<String, Value> {
    let suffix = if buyer.currency == context.reference.base_currency {
        String::new()
    } else {
        format!(" ({})", buyer.currency)
    };
    let name = cut(name, NAME - suffix.len(), message!(field_names.contact_name), findings);
    let mut fields = Map::new();
    fields.insert("name".to_owned(), Value::String(format!("{name}{suffix}")));
    fields.insert("contact_type_ids".to_owned(), json!(["CUSTOMER"]));
    fields.insert("reference".to_owned(), Value::String(sage_reference.to_owned()));
    if !suffix.is_empty() && context.reference.multi_currency_enabled {
        fields.insert("currency_id".to_owned(), Value::String(buyer.currency.to_string()));
    }
    fields
}

/// The call that makes a contact.
pub(crate) fn call(
    identity: ContactIdentity,
    buyer: &Buyer<'_>,
    treatment: Option<TaxTreatment>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Call {
    if matches!(identity.key.kind, XrefKind::ContactFallback(_)) {
        shared_call(identity, buyer, context, findings)
    } else {
        own_call(identity, buyer, treatment, context, findings)
    }
}

/// The call that makes the customer's own contact.
fn own_call(
    identity: ContactIdentity,
    buyer: &Buyer<'_>,
    treatment: Option<TaxTreatment>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Call {
    let ContactIdentity { key, reference, alternatives } = identity;
    for note in &buyer.notes {
        findings.note(note);
    }
    let email = buyer.email.clone();
    let (company, person) = (buyer.company.clone(), buyer.person.clone());
    let name = match context.settings.customer_name_priority {
        NamePriority::Company => company.as_ref().or(person.as_ref()),
        NamePriority::Person => person.as_ref().or(company.as_ref()),
    };
    let name = name.or(email.as_ref()).cloned().unwrap_or_else(|| format!("Magento customer {reference}"));
    let mut fields = base_fields(&name, &reference, buyer, context, findings);
    let (billing, delivery) = (buyer.main_address, buyer.delivery_address);
    put_address(&mut fields, "main_address", billing, message!(field_names.billing_address), findings);
    put_address(&mut fields, "delivery_address", delivery, message!(field_names.delivery_address), findings);
    let by_address = |one: &Address| {
        let territory = territory::of_address(one).ok().flatten()?;
        TaxTreatment::by_address(&territory, buyer.vat_number.is_some(), context.reference)
    };
    if let Some(treatment) = treatment.or_else(|| billing.and_then(by_address)) {
        fields.insert("tax_treatment".to_owned(), treatment.value());
    }
    if let Some(number) = &buyer.vat_number {
        fields.insert("tax_number".to_owned(), Value::String(number.clone()));
    }
    let person = person.unwrap_or(name);
    put_person(&mut fields, &person, email.as_deref(), buyer.telephone.clone(), findings);
    let adopt = Adopt::Contact { reference, email, alternatives, currency: Some(buyer.currency) };
    contact_call(key, fields, adopt, context)
}

/// The call that makes the contact that consumers share.
fn shared_call(
    identity: ContactIdentity,
    buyer: &Buyer<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Call {
    let settings = &context.settings.consolidation;
    let ContactIdentity { key, reference, alternatives } = identity;
    if !reference.starts_with(&settings.fallback_contact_reference) {
        findings.note(message!(plan_notes.reference_cut, reference = reference));
    }
    let email = clean_optional(settings.fallback_contact_email.as_deref());
    let name = &settings.fallback_contact_name;
    let mut fields = base_fields(name, &reference, buyer, context, findings);
    // Sage wants an invoice address; of the consumers' many only the country is common.
    fields.insert("main_address".to_owned(), json!({ "country_id": context.reference.country }));
    put_person(&mut fields, name, email.as_deref(), None, findings);
    let adopt = Adopt::Contact { reference, email, alternatives, currency: Some(buyer.currency) };
    contact_call(key, fields, adopt, context)
}

fn put_address(
    fields: &mut Map<String, Value>,
    field: &str,
    magento: Option<&Address>,
    what: &str,
    findings: &mut Findings,
) {
    if let Some(address) = magento.and_then(|magento| address::address(magento, what, findings)) {
        fields.insert(field.to_owned(), address);
    }
}

fn put_person(
    fields: &mut Map<String, Value>,
    name: &str,
    email: Option<&str>,
    telephone: Option<String>,
    findings: &mut Findings,
) {
    let mut person = Map::new();
    person.insert(
        "name".to_owned(),
        Value::String(cut(name, PERSON, message!(field_names.person_name), findings)),
    );
    match email {
        Some(email) if email.chars().count() <= EMAIL => {
            person.insert("email".to_owned(), Value::String(email.to_owned()));
        }
        // Half an address is somebody else's.
        Some(_) => findings.note(message!(plan_notes.email_too_long)),
        None => {}
    }
    if let Some(telephone) = telephone {
        let telephone = cut(&telephone, PERSON, message!(field_names.telephone), findings);
        person.insert("telephone".to_owned(), Value::String(telephone));
    }
    person.insert("is_main_contact".to_owned(), Value::Bool(true));
    person.insert("contact_person_type_ids".to_owned(), json!(["ACCOUNTS"]));
    fields.insert("main_contact_person".to_owned(), Value::Object(person));
}
