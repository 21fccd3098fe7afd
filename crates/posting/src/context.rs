//! What a translation depends on besides its document.

use std::collections::BTreeMap;

use domain::{business::ReferenceSet, ids::BindingId, settings::Settings, xref::XrefKey};
use serde_json::{Map, Value};

use crate::idempotency::{Generations, idempotency_id};

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
    pub settings: &'a Settings,
    /// The business's lists.
    pub reference: &'a ReferenceSet,
    /// What is already in Sage.
    pub xrefs: &'a BTreeMap<XrefKey, KnownRecord>,
    /// How often each record was refused and made again.
    pub generations: &'a Generations,
    /// Whether documents are created as drafts, compared and released.
    pub safe_mode: bool,
}

impl Context<'_> {
    /// The first field of a create: its idempotency id.
    pub(crate) fn identified(&self, key: &XrefKey) -> Map<String, Value> {
        let generation = self.generations.get(key).copied().unwrap_or(0);
        let id = idempotency_id(self.binding, self.business, key, generation);
        Map::from_iter([("idempotency_id".to_owned(), Value::String(id))])
    }
}
