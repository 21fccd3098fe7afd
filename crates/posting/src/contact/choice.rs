//! Who a document is for: a contact of the customer's own, or the one that collects consumers' sales.

use domain::{plan::Call, xref::XrefKey};
use messages::message;

use crate::{
    buyer::Buyer,
    contact::{creation, identity},
    context::{Context, KnownRecord},
    findings::Findings,
};

/// The contact of a document.
#[derive(Debug)]
pub(crate) struct ChosenContact {
    /// Sage's id, or `{contact}` where a call makes it.
    pub id: String,
    /// The call that makes it, where it is not known.
    pub call: Option<Call>,
}

impl ChosenContact {
    fn known(record: &KnownRecord) -> Self {
        Self { id: record.sage_id.clone(), call: None }
    }
}

/// Whether the customer gets a contact of their own, by the first rule that holds, and which it was.
fn individual_by(buyer: &Buyer<'_>, own: &XrefKey, context: &Context<'_>) -> Option<&'static str> {
    let settings = &context.settings.consolidation;
    if !settings.enabled {
        Some(message!(reasons.no_shared_contact))
    } else if settings.always_individual_for_b2b && (buyer.company().is_some() || buyer.has_vat_number()) {
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

/// Whether the customer gets a contact of their own.
pub(crate) fn is_individual(buyer: &Buyer<'_>, context: &Context<'_>) -> bool {
    individual_by(buyer, &identity::own_key(buyer, context.reference), context).is_some()
}

/// The contact of a document: by cross-reference, or a call that makes it.
pub(crate) fn choose(buyer: &Buyer<'_>, context: &Context<'_>, findings: &mut Findings) -> ChosenContact {
    let own = identity::own(buyer, context.reference);
    let rule = individual_by(buyer, &own.key, context);
    let identity = if rule.is_some() { own } else { identity::shared(buyer, context) };
    let (rule, input) = (rule.unwrap_or("consolidation"), customer_word(buyer));
    if let Some(known) = context.xrefs.get(&identity.key) {
        findings.rule("contact", known.sage_id.clone(), message!(reasons.known_contact, rule = rule), input);
        return ChosenContact::known(known);
    }
    let reference = identity.reference.clone();
    let call = creation::call(identity, buyer, context, findings);
    findings.rule("contact", reference, rule, input);
    ChosenContact { id: "{contact}".to_owned(), call: Some(call) }
}

/// The contact of an invoice that is in Sage already: the one that the rules name, else the other where only that one is known,
/// because the invoice was posted on one of the two.
pub(crate) fn of_posted_invoice(
    buyer: &Buyer<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> ChosenContact {
    let own = identity::own_key(buyer, context.reference);
    let shared = identity::shared_key(buyer, context.settings, context.reference);
    let is_individual = individual_by(buyer, &own, context).is_some();
    let keys = if is_individual { [own, shared] } else { [shared, own] };
    let Some(known) = keys.iter().find_map(|key| context.xrefs.get(key)) else {
        return choose(buyer, context, findings);
    };
    let input = customer_word(buyer);
    findings.rule("contact", known.sage_id.clone(), message!(reasons.contact_of_posted_invoice), input);
    ChosenContact::known(known)
}

fn customer_word(buyer: &Buyer<'_>) -> String {
    if buyer.customer.magento_id > 0 {
        format!("customer {}", buyer.customer.magento_id)
    } else {
        "guest".to_owned()
    }
}
