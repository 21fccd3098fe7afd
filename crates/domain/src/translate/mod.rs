//! Translation: a Magento document, a policy and a reference set become a [`Plan`].

mod address;
mod body;
mod compensation;
mod contact;
mod dates;
mod findings;
mod gap;
mod idempotency;
mod invoice;
mod lines;
mod payment;
mod penny;
mod rates;
mod reckon;
mod rows;
mod sage_arithmetic;
mod skip;
mod sums;
mod tax;
mod text;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

pub use dates::zone_of;
pub use idempotency::{Generations, idempotency_id};
pub use sage_arithmetic::{SageSums, sage_arithmetic};

use std::collections::BTreeMap;

use crate::{
    business::ReferenceSet,
    documents::{Invoice, Payment},
    ids::BindingId,
    plan::Plan,
    policy::Policy,
    xref::XrefKey,
};

/// A Sage record that Ledger already knows.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KnownRecord {
    /// Sage's id.
    pub sage_id: String,
    /// What people see, such as `SI-27`.
    pub displayed_as: Option<String>,
}

/// Everything that a translation depends on besides the document.
pub struct Context<'a> {
    /// The binding (idempotency ids are derived from it).
    pub binding: BindingId,
    /// The Sage business.
    pub business: &'a str,
    /// The settings the run was queued under.
    pub policy: &'a Policy,
    /// The business's lists.
    pub reference: &'a ReferenceSet,
    /// What is already in Sage.
    pub xrefs: &'a BTreeMap<XrefKey, KnownRecord>,
    /// How often each record was refused and made anew.
    pub generations: &'a Generations,
    /// Whether documents are created as drafts, compared and released.
    pub safe_mode: bool,
}

/// The cross-references that a plan of this invoice looks at: its own, its payment's and its contact's.
pub fn wanted_xrefs(invoice: &Invoice, policy: &Policy, reference: &ReferenceSet) -> Vec<XrefKey> {
    vec![
        invoice::key(invoice),
        payment::key(invoice),
        contact::own_key(invoice, reference),
        contact::fallback_key(invoice, policy, reference),
    ]
}

/// Plans an invoice: contact, invoice, and in safe mode its release. An invoice that is in Sage already needs no call.
pub fn plan_invoice(invoice: &Invoice, context: &Context<'_>) -> Plan {
    invoice::plan(invoice, context)
}

/// Plans the payment of an invoice, and the invoice itself first where Sage does not hold it yet.
pub fn plan_payment(invoice: &Invoice, payment: &Payment, context: &Context<'_>) -> Plan {
    payment::plan(invoice, payment, context)
}
