//! Who a document is for: a contact of the customer's own, or the one that collects consumers' sales.

use domain::{
    business::ReferenceSet,
    documents::Address,
    plan::{Adopt, Call, Method},
    policy::{NamePriority, Policy},
    text::clean_optional,
    xref::{XrefKey, XrefKind},
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{
    contact::{
        address,
        references::{self, REFERENCE},
    },
    context::Context,
    findings::Findings,
    sales_document::Buyer,
    text::cut,
};

/// Sage's limits, in characters.
const NAME: usize = 100;
const PERSON: usize = 50;
const EMAIL: usize = 100;
/// References to step to when the first is taken; 64 hex digits hold so many windows and the first.
const ALTERNATIVES: usize = 4;

/// The contact of a document.
#[derive(Debug)]
pub(crate) struct ChosenContact {
    /// Sage's id, or `{contact}` where a call makes it.
    pub id: String,
    /// The call that makes it, where it is not known.
    pub call: Option<Call>,
}

/// How a customer is named in Ledger and in Sage.
struct ContactIdentity {
    key: XrefKey,
    reference: String,
    alternatives: Vec<String>,
}

/// The key of the customer's own contact.
pub(crate) fn own_key(buyer: &Buyer<'_>, reference: &ReferenceSet) -> XrefKey {
    identity(buyer, reference).key
}

/// The key of the contact that collects consumers' sales of the invoice's currency.
pub(crate) fn fallback_key(buyer: &Buyer<'_>, policy: &Policy, reference: &ReferenceSet) -> XrefKey {
    let stem = &policy.consolidation.fallback_contact_reference;
    XrefKey {
        kind: XrefKind::ContactFallback(buyer.currency),
        magento_key: references::chosen(stem, buyer.currency, reference.base_currency),
    }
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// What the references of one customer are made of.
struct ReferenceStem {
    /// `M` for customers, `G` for guests.
    letter: char,
    /// Magento's id, for customers.
    number: Option<i64>,
    /// 64 hex digits; further windows of them are as much the customer's own as the first.
    hash: String,
}

impl ReferenceStem {
    /// The reference of a number, counted from 0, with a currency's ending.
    fn reference(&self, at: usize, ending: &str) -> String {
        let room = REFERENCE - 1 - ending.len();
        let number = self.number.map(|id| if at == 0 { id.to_string() } else { format!("{id}-{}", at + 1) });
        // A number that leaves no room gives way to its hash.
        let body = number
            .filter(|number| number.len() <= room)
            .unwrap_or_else(|| self.hash.chars().skip(at * room).take(room).collect());
        format!("{}{body}{ending}", self.letter)
    }
}

/// `M` and the customer's id, or `G` and the first hex digits of the hashed e-mail address (of the invoice, where a guest left no
/// address), with the currency's ending: ten characters at most.
fn identity(buyer: &Buyer<'_>, reference: &ReferenceSet) -> ContactIdentity {
    let (magento_key, stem) = match buyer.customer.magento_id {
        id if id > 0 => {
            let hash = sha256(&format!("customer:{id}"));
            (id.to_string(), ReferenceStem { letter: 'M', number: Some(id), hash })
        }
        _ => {
            let (key, hash) = guest(buyer);
            (key, ReferenceStem { letter: 'G', number: None, hash })
        }
    };
    let (currency, base) = (buyer.currency, reference.base_currency);
    let form = |at: usize, ending: &str| stem.reference(at, ending);
    let mut alternatives = references::references(currency, base, ALTERNATIVES + 1, form);
    ContactIdentity {
        key: XrefKey { kind: XrefKind::Contact(currency), magento_key },
        reference: alternatives.remove(0),
        alternatives,
    }
}

/// A guest's key and the hash of their reference.
fn guest(buyer: &Buyer<'_>) -> (String, String) {
    let email = buyer.customer.email.as_deref().map(|email| email.trim().to_lowercase());
    if let Some(email) = email.filter(|email| !email.is_empty()) {
        let hash = sha256(&email);
        (format!("guest:{hash}"), hash)
    } else {
        let key = format!("invoice:{}", buyer.document_id);
        let hash = sha256(&key);
        (key, hash)
    }
}

pub(crate) fn company(buyer: &Buyer<'_>) -> Option<String> {
    let billing = buyer.billing_address.and_then(|address| address.company.as_deref());
    clean_optional(buyer.customer.company.as_deref()).or_else(|| clean_optional(billing))
}

fn has_vat_number(buyer: &Buyer<'_>) -> bool {
    let billing = buyer.billing_address.and_then(|address| address.vat_id.as_deref());
    clean_optional(buyer.customer.vat_id.as_deref()).or_else(|| clean_optional(billing)).is_some()
}

fn person(buyer: &Buyer<'_>) -> Option<String> {
    let customer = &buyer.customer;
    let names = [customer.first_name.as_deref(), customer.last_name.as_deref()].map(clean_optional);
    clean_optional(Some(&names.into_iter().flatten().collect::<Vec<_>>().join(" ")))
}

/// Whether the customer gets a contact of their own, by the first rule that holds, and which it was.
fn individual_by(buyer: &Buyer<'_>, context: &Context<'_>) -> Option<&'static str> {
    let policy = &context.policy.consolidation;
    let own = own_key(buyer, context.reference);
    if !policy.enabled {
        Some("consolidation is off")
    } else if policy.always_individual_for_b2b && (company(buyer).is_some() || has_vat_number(buyer)) {
        Some("always_individual_for_b2b")
    } else if context.xrefs.contains_key(&own) {
        Some("a contact of this customer exists")
    } else if !policy.min_total_for_individual.is_zero() && buyer.total >= policy.min_total_for_individual {
        Some("min_total_for_individual")
    } else {
        None
    }
}

/// Whether the customer gets a contact of their own.
pub(crate) fn is_individual(buyer: &Buyer<'_>, context: &Context<'_>) -> bool {
    individual_by(buyer, context).is_some()
}

/// The contact of a document: by cross-reference, or a call that makes it.
pub(crate) fn choose(buyer: &Buyer<'_>, context: &Context<'_>, findings: &mut Findings) -> ChosenContact {
    let rule = individual_by(buyer, context);
    let (key, input) = match rule {
        Some(_) => (own_key(buyer, context.reference), customer_word(buyer)),
        None => (fallback_key(buyer, context.policy, context.reference), customer_word(buyer)),
    };
    let rule = rule.unwrap_or("consolidation");
    if let Some(known) = context.xrefs.get(&key) {
        findings.rule("contact", known.sage_id.clone(), format!("{rule}; known"), input);
        return ChosenContact { id: known.sage_id.clone(), call: None };
    }
    let call = if matches!(key.kind, XrefKind::ContactFallback(_)) {
        fallback_call(key, buyer, context, findings)
    } else {
        own_call(buyer, context, findings)
    };
    findings.rule("contact", call.body["contact"]["reference"].as_str().unwrap_or_default(), rule, input);
    ChosenContact { id: "{contact}".to_owned(), call: Some(call) }
}

/// The contact of an invoice that is in Sage already: the one that the rules name, else the other where only that one is known,
/// because the invoice was posted on one of the two.
pub(crate) fn of_posted_invoice(
    buyer: &Buyer<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> ChosenContact {
    let own = own_key(buyer, context.reference);
    let fallback = fallback_key(buyer, context.policy, context.reference);
    let keys = if individual_by(buyer, context).is_some() { [own, fallback] } else { [fallback, own] };
    match keys.iter().find_map(|key| context.xrefs.get(key)) {
        Some(known) => {
            findings.rule(
                "contact",
                known.sage_id.clone(),
                "the posted invoice's contact",
                customer_word(buyer),
            );
            ChosenContact { id: known.sage_id.clone(), call: None }
        }
        None => choose(buyer, context, findings),
    }
}

fn customer_word(buyer: &Buyer<'_>) -> String {
    if buyer.customer.magento_id > 0 {
        format!("customer {}", buyer.customer.magento_id)
    } else {
        "guest".to_owned()
    }
}

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
    let name = cut(name, NAME - suffix.len(), "contact's name", findings);
    let mut fields = Map::new();
    fields.insert("name".to_owned(), Value::String(format!("{name}{suffix}")));
    fields.insert("contact_type_ids".to_owned(), json!(["CUSTOMER"]));
    fields.insert("reference".to_owned(), Value::String(sage_reference.to_owned()));
    if !suffix.is_empty() && context.reference.multi_currency_enabled {
        fields.insert("currency_id".to_owned(), Value::String(buyer.currency.to_string()));
    }
    fields
}

fn own_call(buyer: &Buyer<'_>, context: &Context<'_>, findings: &mut Findings) -> Call {
    let ContactIdentity { key, reference, alternatives } = identity(buyer, context.reference);
    let email = clean_optional(buyer.customer.email.as_deref());
    let (company, person) = (company(buyer), person(buyer));
    let name = match context.policy.customer_name_priority {
        NamePriority::Company => company.as_ref().or(person.as_ref()),
        NamePriority::Person => person.as_ref().or(company.as_ref()),
    };
    let name = name.or(email.as_ref()).cloned().unwrap_or_else(|| format!("Magento customer {reference}"));
    let mut fields = base_fields(&name, &reference, buyer, context, findings);
    let (billing, delivery) = address::addresses(buyer);
    put_address(&mut fields, "main_address", billing, "billing address", findings);
    put_address(&mut fields, "delivery_address", delivery, "delivery address", findings);
    let phone = buyer.customer.phone.as_deref().or_else(|| billing.and_then(|one| one.telephone.as_deref()));
    let person = person.unwrap_or(name);
    put_person(&mut fields, &person, email.as_deref(), clean_optional(phone), findings);
    let adopt = Adopt::Contact { reference, email, alternatives, currency: Some(buyer.currency) };
    contact_call(key, fields, adopt, context)
}

fn fallback_call(key: XrefKey, buyer: &Buyer<'_>, context: &Context<'_>, findings: &mut Findings) -> Call {
    let policy = &context.policy.consolidation;
    let reference = key.magento_key.clone();
    if !reference.starts_with(&policy.fallback_contact_reference) {
        findings
            .note(format!("The shared contact's reference was cut to {reference}, which Sage has room for."));
    }
    let email = clean_optional(policy.fallback_contact_email.as_deref());
    let name = &policy.fallback_contact_name;
    let mut fields = base_fields(name, &reference, buyer, context, findings);
    // Sage wants an invoice address; of the consumers' many only the country is common.
    fields.insert("main_address".to_owned(), json!({ "country_id": context.reference.country }));
    put_person(&mut fields, name, email.as_deref(), None, findings);
    let adopt = Adopt::Contact { reference, email, alternatives: Vec::new(), currency: Some(buyer.currency) };
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
    person.insert("name".to_owned(), Value::String(cut(name, PERSON, "contact person's name", findings)));
    match email {
        Some(email) if email.chars().count() <= EMAIL => {
            person.insert("email".to_owned(), Value::String(email.to_owned()));
        }
        // Half an address is somebody else's.
        Some(_) => findings.note("The e-mail address is longer than Sage takes and was left out."),
        None => {}
    }
    if let Some(telephone) = telephone {
        let telephone = cut(&telephone, PERSON, "telephone number", findings);
        person.insert("telephone".to_owned(), Value::String(telephone));
    }
    person.insert("is_main_contact".to_owned(), Value::Bool(true));
    person.insert("contact_person_type_ids".to_owned(), json!(["ACCOUNTS"]));
    fields.insert("main_contact_person".to_owned(), Value::Object(person));
}
