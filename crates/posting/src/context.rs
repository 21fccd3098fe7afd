//! What a translation depends on besides its document.

use std::collections::BTreeMap;

use domain::{business::ReferenceSet, ids::BindingId, policy::Policy, xref::XrefKey};

use crate::idempotency::Generations;

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
    /// How often each record was refused and made again.
    pub generations: &'a Generations,
    /// Whether documents are created as drafts, compared and released.
    pub safe_mode: bool,
}
