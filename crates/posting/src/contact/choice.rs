//! The contact of a document in Sage: one that is known, or a call that makes it.

use domain::plan::{Call, Method};
use messages::message;
use serde_json::json;

use crate::{
    buyer::Buyer,
    contact::{
        creation,
        identity::{self, AssignedContact, ContactIdentity},
        tax_treatment::TaxTreatment,
    },
    context::{Context, KnownRecord},
    findings::Findings,
};

/// The contact of a document.
#[derive(Debug)]
pub(crate) struct ChosenContact {
    /// Sage's id, or `{contact}` where a call makes it.
    pub id: String,
    /// The call that makes it, where it is not known, or that has Sage treat it otherwise for tax.
    pub call: Option<Call>,
}

impl ChosenContact {
    fn known(record: &KnownRecord) -> Self {
        Self { id: record.sage_id.clone(), call: None }
    }
}

/// The contact that a document was assigned to: by cross-reference, or a call that makes it. `treatment` is what Sage must treat it as
/// to take the document's tax.
pub(crate) fn choose(
    assigned: AssignedContact,
    buyer: &Buyer<'_>,
    treatment: Option<TaxTreatment>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> ChosenContact {
    let AssignedContact { identity, rule, .. } = assigned;
    let input = customer_word(buyer);
    if let Some(known) = context.xrefs.get(&identity.key) {
        findings.rule("contact", known.sage_id.clone(), message!(reasons.known_contact, rule = rule), input);
        // Sage does not say how it treats a contact, so a document that needs it says it again.
        let call = treatment.map(|treatment| treated(known, identity, treatment));
        return ChosenContact { call, ..ChosenContact::known(known) };
    }
    let reference = identity.reference.clone();
    let call = creation::call(identity, buyer, treatment, context, findings);
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
        return choose(assigned, buyer, None, context, findings);
    };
    let input = customer_word(buyer);
    findings.rule("contact", known.sage_id.clone(), message!(reasons.contact_of_posted_invoice), input);
    ChosenContact::known(known)
}

/// The call that has Sage treat a known contact otherwise for tax.
fn treated(known: &KnownRecord, identity: ContactIdentity, treatment: TaxTreatment) -> Call {
    Call {
        // Called by its contact, as every call of one is.
        name: "contact:tax_treatment".to_owned(),
        method: Method::Put,
        path: format!("/contacts/{}", known.sage_id),
        body: json!({ "contact": { "tax_treatment": treatment.instead_of_all_others() } }),
        xref: Some(identity.key),
        adopt: None,
        expect: None,
        releases_draft: false,
    }
}

fn customer_word(buyer: &Buyer<'_>) -> String {
    if buyer.customer.magento_id > 0 {
        format!("customer {}", buyer.customer.magento_id)
    } else {
        "guest".to_owned()
    }
}
