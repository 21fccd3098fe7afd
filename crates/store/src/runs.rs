//! Runs: the queue and the history at once.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    code::Code,
    health::Thresholds,
    ids::{AttemptId, BindingId, OrganisationId, RunId},
    plan::Plan,
    run::{BindingStatus, EntityKind, EventName, RunStatus, Side},
};

use crate::{Action, NewXref, Result, Step, SyncState};

/// A run as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Id (sorted by time of arrival).
    pub id: RunId,
    /// Whose.
    pub binding_id: BindingId,
    /// What happened.
    pub event: EventName,
    /// Magento's id of the entity.
    pub magento_id: i64,
    /// Where it stands.
    pub status: RunStatus,
    /// Why it was skipped, waits, failed or is tried again.
    pub code: Option<Code>,
    /// The same with this document's figures, and Sage's messages verbatim.
    pub message: Option<String>,
    /// How many attempts have begun since it was queued or retried by a person.
    pub attempts: i32,
    /// When it is due.
    pub next_at: DateTime<Utc>,
    /// The settings version it was queued under; 0 = none yet.
    pub settings_version: i64,
    /// What is known of the document.
    pub facts: RunFacts,
    /// 0 = unknown.
    pub website_id: i64,
    /// 0 = unknown.
    pub store_id: i64,
    /// When it happened in Magento.
    pub occurred_at: DateTime<Utc>,
    /// When it arrived.
    pub created_at: DateTime<Utc>,
    /// When the row last changed.
    pub updated_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// When its newest attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// The later run of the same document that succeeded, so that nobody has to look after this one.
    pub resolved_by: Option<RunId>,
    /// The trace it belongs to (W3C Trace Context's `traceparent`), where traces are kept.
    pub trace_parent: Option<String>,
}

impl Run {
    /// Why it is where it is, as people are told: what is ready or due later of a shop that stands still waits for that shop.
    pub fn reason(&self, binding: BindingStatus) -> Option<Code> {
        let is_ready = matches!(self.status, RunStatus::Queued | RunStatus::Retrying);
        waiting_code(binding).filter(|_| is_ready).or(self.code)
    }
}

/// What is known of a run's document; `None` leaves what was known before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFacts {
    /// The number that people see.
    pub increment_id: Option<String>,
    /// The customer's name.
    pub customer: Option<String>,
    /// Currency code.
    pub currency: Option<String>,
    /// Magento's total, in minor units of two decimals.
    pub amount_minor: Option<i64>,
    /// Magento's tax, in minor units of two decimals.
    pub tax_minor: Option<i64>,
    /// Sage's total, in minor units of two decimals; what was planned until there is a record ([`RunFacts::in_sage`]).
    pub sage_amount_minor: Option<i64>,
    /// Sage's tax, in minor units of two decimals.
    pub sage_tax_minor: Option<i64>,
    /// Sage's id of the record.
    pub sage_id: Option<String>,
    /// What people see in Sage, such as `SI-27`.
    pub sage_reference: Option<String>,
    /// The digest of the customer's e-mail address ([`domain::email::digest`]): to be found by, never shown.
    pub email_digest: Option<String>,
    /// Magento's id of the customer; a guest has none.
    pub customer_id: Option<i64>,
    /// The day that the document bears in the books: the shop's local day.
    pub document_date: Option<NaiveDate>,
}

impl RunFacts {
    /// Sage's total and tax of a document that is in Sage; none of what was only planned.
    pub fn in_sage(&self) -> (Option<i64>, Option<i64>) {
        if self.sage_id.is_some() { (self.sage_amount_minor, self.sage_tax_minor) } else { (None, None) }
    }
}

/// A customer, by whatever is known: the address may have changed since, and a guest has only that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownCustomer {
    /// The digest of the e-mail address.
    pub email_digest: Option<String>,
    /// Magento's id.
    pub customer_id: Option<i64>,
}

/// A run that a worker holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The run as it is now, `running`.
    pub run: Run,
    /// The attempt that was opened: the fence of every later write.
    pub attempt_id: AttemptId,
    /// The number of attempts that this run has seen in all, this one counted.
    pub attempt_number: i32,
}

/// Proof that the run is still held: the write fails with [`crate::Error::RowsAffected`] when another attempt has taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The run.
    pub run_id: RunId,
    /// The attempt that holds it.
    pub attempt_id: AttemptId,
}

/// Why the runs of a binding in this status are not claimed; `None` when they are. It is told where a run is shown, and written
/// nowhere: a shop may have a million of them when its status changes.
pub const fn waiting_code(status: BindingStatus) -> Option<Code> {
    match status {
        BindingStatus::Active => None,
        BindingStatus::Pending => Some(Code::BindingPending),
        BindingStatus::Paused => Some(Code::BindingPaused),
        BindingStatus::NeedsReauth => Some(Code::BindingNeedsReauth),
        BindingStatus::Revoked => Some(Code::BindingRevoked),
    }
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Succeeded,
    /// The settings says not to.
    Skipped {
        /// Why.
        code: Code,
        /// For a person.
        message: Option<String>,
        /// The invoice (its Magento id) that was skipped before it: the run goes on when that one is synced after all.
        waits_for_invoice: Option<i64>,
    },
    /// A person must act.
    Failed {
        /// Why.
        code: Code,
        /// For a person.
        message: Option<String>,
    },
    /// It goes on when something else has happened.
    Waiting {
        /// Why.
        code: Code,
        /// For a person.
        message: Option<String>,
        /// The invoice (its Magento id) whose `invoice.created` run must end first.
        waits_for_invoice: Option<i64>,
    },
    /// It is tried again.
    Retrying {
        /// Why.
        code: Code,
        /// For a person.
        message: Option<String>,
        /// When.
        next_at: DateTime<Utc>,
    },
    /// It rests, and the try does not count: `attempts` is lowered by one, and a try that made no call leaves no trace in the audit.
    Resting {
        /// Why.
        code: Code,
        /// For a person.
        message: Option<String>,
        /// Until when.
        until: DateTime<Utc>,
        /// Who does not answer: all runs that need that side rest with this one. None where only this run rests.
        side: Option<Side>,
        /// Whether the side may be silent because of what it was sent: then the others have their turns before this run has its next.
        by_turns: bool,
    },
}

impl Outcome {
    /// The status that the run takes.
    pub const fn status(&self) -> RunStatus {
        match self {
            Self::Succeeded => RunStatus::Succeeded,
            Self::Skipped { .. } => RunStatus::SkippedByPolicy,
            Self::Failed { .. } => RunStatus::Failed,
            Self::Waiting { .. } => RunStatus::Waiting,
            Self::Retrying { .. } | Self::Resting { .. } => RunStatus::Retrying,
        }
    }
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishRun {
    /// Proof that the run is held.
    pub fence: Fence,
    /// When.
    pub now: DateTime<Utc>,
    /// How.
    pub outcome: Outcome,
    /// What was learnt of the document.
    pub facts: RunFacts,
    /// What was made in Sage.
    pub xrefs: Vec<NewXref>,
    /// What Magento is to be told.
    pub sync_state: Option<SyncState>,
    /// The calls that were made and not recorded before.
    pub steps: Vec<Step>,
    /// What was to be done, redacted; none when the attempt came not so far, and then an earlier attempt's stays.
    pub plan: Option<Plan>,
    /// When documents that fail one after another are told of, and pause the binding.
    pub thresholds: Thresholds,
}

/// How a binding's runs stand (for the tile and the overview).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Not ended.
    pub pending: i64,
    /// Failed since the instant asked for, and not made good by a later run of the same document.
    pub failed: i64,
    /// When the last one ended.
    pub last_finished_at: Option<DateTime<Utc>>,
}

/// What has been posted for a customer, in minor units of two decimals of one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Posted {
    /// Invoices, as Magento totals them.
    pub invoiced_minor: i64,
    /// Credit memos, as Magento totals them.
    pub credited_minor: i64,
}

/// Runs.
#[async_trait]
pub trait Runs {
    /// Takes the oldest run that is due, in one short transaction: `queued` or `retrying` with `next_at` reached, or `running`
    /// with a lease that has run out (its lost attempt is closed with a sentence), of an active binding that does not rest, and of a
    /// Sage business that neither rests nor is held by another live run (one writer per business; bindings without a business do not
    /// run). A lease that was given or extended by a clock that was ahead ([`crate::ahead_of`]) has run out. It becomes `running`,
    /// `attempts` grows by one, an attempt row is opened with the id handed in.
    ///
    /// A run whose row cannot be read blocks nobody: it is set to `failed` with `internal` and a message that names the column,
    /// in a short write of its own, and the next one is taken.
    async fn claim_run(
        &self,
        attempt_id: AttemptId,
        worker: &str,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Option<Claimed>>;

    /// At the start of a worker: ends the leases that nobody can hold any more, of runs, of shops and of channels, so that a crash costs
    /// no more than the restart; tells how many. Where other processes may work on the same store their leases are left alone, and run
    /// out by themselves.
    async fn take_back_leases(&self, now: DateTime<Utc>) -> Result<u64>;

    /// At the start of a worker and every minute: what a clock that was ahead has put off ([`crate::ahead_of`]) is due now. That is
    /// leases of runs, shops and channels, runs and retries, searches, rests, sync states and alerts; and what may still land in Sage left by now
    /// at the latest. Tells how many rows were changed; a long queue takes several calls, until there are none.
    async fn bring_forward(&self, now: DateTime<Utc>) -> Result<u64>;

    /// When the next run that could be claimed is due (a lease that runs out counts); `None` when there is none.
    async fn next_due(&self) -> Result<Option<DateTime<Utc>>>;

    /// Holds on to a run for longer.
    async fn extend_lease(&self, fence: Fence, now: DateTime<Utc>, lease_until: DateTime<Utc>) -> Result<()>;

    /// Ends an attempt in one transaction: run, attempt, steps, Plan, xrefs, and the sync state for Magento. Frees the business. When
    /// the run ends and is an `invoice.created`, the runs that wait for that invoice go on, unless it failed.
    ///
    /// A `Waiting` for what has come while the attempt was under way goes on at once, since nobody would wake it: one with
    /// `waits_for_invoice` when that invoice's run has ended well or was skipped; one with `needs_mapping` when a settings version
    /// newer than the run's has been saved (under the current one).
    ///
    /// To go on is to become `queued`, due now; the claims wait while the binding is not active. The attempt keeps what the worker told.
    ///
    /// A `Resting` with a side makes that side rest until then; every other end says that both sides answered, and ends their rests. After
    /// a rest by turns those go first that were not tried yet, then those that were tried longest ago; after any other the oldest.
    async fn finish_run(&self, finish: &FinishRun) -> Result<()>;

    /// Gives a run back untouched (shutdown): `queued`, due now, its attempt closed, `attempts` lowered by one.
    async fn release_run(&self, fence: Fence, now: DateTime<Utc>) -> Result<()>;

    /// A person's retry of a run that is not held: `queued`, due now, `attempts` 0, under the current settings version. An attempt whose
    /// lease has run out is closed as lost.
    /// [`crate::Error::NotFound`] when the organisation has no such run, [`crate::Error::Conflict`] when it is held.
    async fn retry_run(
        &self,
        organisation: OrganisationId,
        run: RunId,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()>;

    /// One run of an organisation.
    async fn run(&self, organisation: OrganisationId, run: RunId) -> Result<Option<Run>>;

    /// The newest run of an entity that speaks for it in Magento's grid (for `/v1/status`). An `invoice.paid` that was skipped does
    /// not speak for its invoice, unless nothing else does.
    async fn latest_run(
        &self,
        binding: BindingId,
        entity: EntityKind,
        magento_id: i64,
    ) -> Result<Option<Run>>;

    /// The newest run of one event of an entity (an `invoice.paid` looks for its `invoice.created`).
    async fn latest_run_of_event(
        &self,
        binding: BindingId,
        event: EventName,
        magento_id: i64,
    ) -> Result<Option<Run>>;

    /// What a binding has posted to a business for a customer, by address or by id, in a currency: each invoice and credit memo whose
    /// run has succeeded, once, and each credit memo that Sage has made or may have made. The credit memo of this Magento id is left out.
    async fn posted_for(
        &self,
        binding: BindingId,
        business: &str,
        customer: &KnownCustomer,
        currency: &str,
        besides: Option<i64>,
    ) -> Result<Posted>;

    /// The invoices that a binding has posted for a customer, by address or by id, in a currency: Magento's ids, the newest first.
    async fn invoices_posted_for(
        &self,
        binding: BindingId,
        customer: &KnownCustomer,
        currency: &str,
        most: u32,
    ) -> Result<Vec<i64>>;

    /// How a binding's runs stand.
    async fn count_runs(&self, binding: BindingId, failed_since: DateTime<Utc>) -> Result<Counts>;

    /// Whether another run of this event has succeeded since the run was tried before (the attempt that is under way is not counted).
    async fn others_succeeded(&self, binding: BindingId, event: EventName, run: RunId) -> Result<bool>;

    /// How many documents were posted since an instant (safe mode's count): succeeded `invoice.created`, `invoice.paid` and
    /// `creditmemo.created` runs.
    async fn count_posted(&self, binding: BindingId, since: DateTime<Utc>) -> Result<i64>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_only_planned_is_not_in_sage() {
        let planned =
            RunFacts { sage_amount_minor: Some(12_000), sage_tax_minor: Some(2_000), ..RunFacts::default() };
        assert_eq!(planned.in_sage(), (None, None));
        let posted = RunFacts { sage_id: Some("si-1".to_owned()), ..planned };
        assert_eq!(posted.in_sage(), (Some(12_000), Some(2_000)));
    }
}
