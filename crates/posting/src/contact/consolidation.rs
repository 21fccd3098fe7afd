//! Whether a customer gets a contact of their own or shares the one that collects consumers' sales.

use domain::text::clean_optional;

use crate::{contact::identity, context::Context, sales_document::Buyer};

/// The company, of the customer or of the billing address.
pub(crate) fn company(buyer: &Buyer<'_>) -> Option<String> {
    let billing = buyer.billing_address.and_then(|address| address.company.as_deref());
    clean_optional(buyer.customer.company.as_deref()).or_else(|| clean_optional(billing))
}

fn has_vat_number(buyer: &Buyer<'_>) -> bool {
    let billing = buyer.billing_address.and_then(|address| address.vat_id.as_deref());
    clean_optional(buyer.customer.vat_id.as_deref()).or_else(|| clean_optional(billing)).is_some()
}

/// The person's name; none where neither name is known.
pub(crate) fn person(buyer: &Buyer<'_>) -> Option<String> {
    let customer = &buyer.customer;
    let names = [customer.first_name.as_deref(), customer.last_name.as_deref()].map(clean_optional);
    clean_optional(Some(&names.into_iter().flatten().collect::<Vec<_>>().join(" ")))
}

/// Whether the customer gets a contact of their own, by the first rule that holds, and which it was.
pub(crate) fn individual_by(buyer: &Buyer<'_>, context: &Context<'_>) -> Option<&'static str> {
    let policy = &context.policy.consolidation;
    let own = identity::own_key(buyer, context.reference);
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
