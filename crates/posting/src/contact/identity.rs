//! Which contact a document belongs on, the customer's own or the one that collects consumers' sales, and how it is named in Ledger and
//! in Sage.

use domain::{
    business::ReferenceSet,
    settings::Settings,
    xref::{XrefKey, XrefKind},
};
use messages::message;
use sha2::{Digest, Sha256};

use crate::{
    buyer::Buyer,
    contact::references::{self, REFERENCE},
    context::Context,
};

/// References to step to when the first is taken; 64 hex digits hold so many windows and the first.
const ALTERNATIVES: usize = 4;

/// How a customer is named in Ledger and in Sage.
pub(crate) struct ContactIdentity {
    /// The key of its cross-reference.
    pub key: XrefKey,
    /// Its reference in Sage.
    pub reference: String,
    /// References to step to, in order.
    pub alternatives: Vec<String>,
}

/// The contact that a document belongs on.
pub(crate) struct AssignedContact {
    /// How it is named.
    pub identity: ContactIdentity,
    /// Whether it is the customer's own.
    pub is_own: bool,
    /// The rule that decided.
    pub rule: &'static str,
}

/// Decides by the settings which contact a buyer's documents belong on.
pub(crate) fn assign(buyer: &Buyer<'_>, context: &Context<'_>) -> AssignedContact {
    let own = own(buyer, context.reference);
    match individual_by(buyer, &own.key, context) {
        Some(rule) => AssignedContact { identity: own, is_own: true, rule },
        None => AssignedContact { identity: shared(buyer, context), is_own: false, rule: "consolidation" },
    }
}

/// Whether the customer gets a contact of their own, by the first rule that holds, and which it was.
fn individual_by(buyer: &Buyer<'_>, own: &XrefKey, context: &Context<'_>) -> Option<&'static str> {
    let settings = &context.settings.consolidation;
    if !settings.enabled {
        Some(message!(reasons.no_shared_contact))
    } else if settings.always_individual_for_b2b && (buyer.company.is_some() || buyer.vat_number.is_some()) {
        Some("always_individual_for_b2b")
    } else if context.xrefs.contains_key(own) {
        Some(message!(reasons.own_contact))
    } else if !settings.min_total_for_individual.is_zero() && buyer.total >= settings.min_total_for_individual
    {
        Some("min_total_for_individual")
    } else {
        None
    }
}

/// The key of the customer's own contact.
pub(crate) fn own_key(buyer: &Buyer<'_>, reference: &ReferenceSet) -> XrefKey {
    own(buyer, reference).key
}

/// The key of the contact that collects consumers' sales of the invoice's currency.
pub(crate) fn shared_key(buyer: &Buyer<'_>, settings: &Settings, reference: &ReferenceSet) -> XrefKey {
    let stem = &settings.consolidation.fallback_contact_reference;
    XrefKey {
        kind: XrefKind::ContactFallback(buyer.currency),
        magento_key: references::chosen(stem, buyer.currency, reference.base_currency),
    }
}

/// The contact that consumers of the buyer's currency share.
fn shared(buyer: &Buyer<'_>, context: &Context<'_>) -> ContactIdentity {
    let key = shared_key(buyer, context.settings, context.reference);
    ContactIdentity { reference: key.magento_key.clone(), key, alternatives: Vec::new() }
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
fn own(buyer: &Buyer<'_>, reference: &ReferenceSet) -> ContactIdentity {
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
    // What is no address names nobody: guests who typed `n/a` are different people.
    if let Some(email) = buyer.email.as_deref().map(str::to_lowercase) {
        let hash = sha256(&email);
        (format!("guest:{hash}"), hash)
    } else {
        let key = format!("invoice:{}", buyer.document_id);
        let hash = sha256(&key);
        (key, hash)
    }
}
