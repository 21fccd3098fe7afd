//! Backfills: what a shop did while it was not paired, looked for by its ids. The progress is kept after each step, so that any
//! process carries on with it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::BindingId,
    run::{BackfillStage, EntityKind},
};

use crate::Result;

/// A search for what a shop did meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backfill {
    /// Whose.
    pub binding_id: BindingId,
    /// When it was begun, which tells it from an earlier one of the same binding.
    pub begun_at: DateTime<Utc>,
    /// Where no id is known yet: documents made before this instant are not looked for.
    pub made_since: DateTime<Utc>,
    /// How far it has come.
    pub stage: BackfillStage,
    /// The next invoice to be looked at; none while the first one is to be found.
    pub next_invoice: Option<i64>,
    /// The next credit memo to be looked at; none while the first one is to be found.
    pub next_creditmemo: Option<i64>,
    /// Known open invoices below this id are still to be looked at; none: all of them.
    pub below_invoice: Option<i64>,
    /// Ids without a document, one after another.
    pub misses: i64,
    /// Known open invoices that were looked at.
    pub looked_at: i64,
    /// Documents and payments that Ledger had not heard of.
    pub found: i64,
    /// Runs that were queued for them.
    pub queued: i64,
    /// Why it rests, where something went wrong.
    pub code: Option<Code>,
    /// When it is due.
    pub next_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Backfills.
#[async_trait]
pub trait Backfills {
    /// A binding's newest backfill. One begins when the shop is paired again ([`crate::Bindings::revive_binding`]).
    async fn backfill(&self, binding: BindingId) -> Result<Option<Backfill>>;

    /// Those that are due, of bindings that work.
    async fn due_backfills(&self, now: DateTime<Utc>) -> Result<Vec<Backfill>>;

    /// Keeps the progress; `false` where the binding's backfill is another one by now.
    async fn save_backfill(&self, backfill: &Backfill) -> Result<bool>;

    /// The highest Magento id that a binding's runs of an entity know, of those that came before `before`.
    async fn highest_id(
        &self,
        binding: BindingId,
        entity: EntityKind,
        before: DateTime<Utc>,
    ) -> Result<Option<i64>>;

    /// The ids below `below` of a binding's invoices whose payment Ledger has not heard of, highest first.
    async fn open_invoices(&self, binding: BindingId, below: Option<i64>, limit: u32) -> Result<Vec<i64>>;

    /// How many of a binding's runs are queued, counted up to `most`.
    async fn count_queued_runs(&self, binding: BindingId, most: i64) -> Result<i64>;
}
