//! The contact of a document in Sage: one that is known, or a call that makes it.

use domain::plan::Call;
use messages::message;

use crate::{
    buyer::Buyer,
    contact::{
        creation,
        identity::{self, AssignedContact},
    },
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

/// The contact that a document was assigned to: by cross-reference, or a call that makes it.
pub(crate) fn choose(
    assigned: AssignedContact,
    buyer: &Buyer<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> ChosenContact {
    let AssignedContact { identity, rule, .. } = assigned;
    let input = customer_word(buyer);
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
    let assigned = identity::assign(buyer, context);
    let other = if assigned.is_own {
        identity::shared_key(buyer, context.settings, context.reference)
    } else {
        identity::own_key(buyer, context.reference)
    };
    let Some(known) = [&assigned.identity.key, &other].into_iter().find_map(|key| context.xrefs.get(key))
    else {
        return choose(assigned, buyer, context, findings);
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
