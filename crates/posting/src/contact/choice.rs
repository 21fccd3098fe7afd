//! Who a document is for: a contact of the customer's own, or the one that collects consumers' sales.

use domain::{plan::Call, xref::XrefKind};

use crate::{
    contact::{consolidation, creation, identity},
    context::Context,
    findings::Findings,
    sales_document::Buyer,
};

/// The contact of a document.
#[derive(Debug)]
pub(crate) struct ChosenContact {
    /// Sage's id, or `{contact}` where a call makes it.
    pub id: String,
    /// The call that makes it, where it is not known.
    pub call: Option<Call>,
}

/// The contact of a document: by cross-reference, or a call that makes it.
pub(crate) fn choose(buyer: &Buyer<'_>, context: &Context<'_>, findings: &mut Findings) -> ChosenContact {
    let rule = consolidation::individual_by(buyer, context);
    let (key, input) = match rule {
        Some(_) => (identity::own_key(buyer, context.reference), customer_word(buyer)),
        None => (identity::fallback_key(buyer, context.policy, context.reference), customer_word(buyer)),
    };
    let rule = rule.unwrap_or("consolidation");
    if let Some(known) = context.xrefs.get(&key) {
        findings.rule("contact", known.sage_id.clone(), format!("{rule}; known"), input);
        return ChosenContact { id: known.sage_id.clone(), call: None };
    }
    let call = if matches!(key.kind, XrefKind::ContactFallback(_)) {
        creation::fallback_call(key, buyer, context, findings)
    } else {
        creation::own_call(buyer, context, findings)
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
    let own = identity::own_key(buyer, context.reference);
    let fallback = identity::fallback_key(buyer, context.policy, context.reference);
    let keys = if consolidation::individual_by(buyer, context).is_some() {
        [own, fallback]
    } else {
        [fallback, own]
    };
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
