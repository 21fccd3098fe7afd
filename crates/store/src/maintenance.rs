//! What an operator does to runs by hand.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{OrganisationId, RunId};

use crate::{Result, Unreadable};

/// What became of a run that was to be made due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requeued {
    /// It is due now.
    Due,
    /// It is due, and waits until its binding is active again.
    WaitsForBinding,
    /// A worker holds it until then at least; nothing was changed.
    Held(DateTime<Utc>),
    /// It has ended; nothing was changed. A retry starts it again.
    Ended,
}

/// Which runs are old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldRuns {
    /// They ended before this instant.
    pub ended_before: DateTime<Utc>,
    /// Whether those that failed are kept.
    pub keep_failed: bool,
}

/// Maintenance.
#[async_trait]
pub trait Maintenance {
    /// Makes a run due now that waits, is due later, or was lost by its worker (its attempt is closed with a sentence). Other than
    /// a retry it goes on counting its attempts and stays under its settings version.
    /// [`crate::Error::NotFound`] when the organisation has no such run.
    ///
    /// A lease of a clock that was ahead ([`crate::ahead_of`]) has run out. With `force` a lease that has not run out is ended as well: for a worker that is known to be dead. One that lives is stopped by its
    /// fence before its next write.
    async fn requeue_run(
        &self,
        organisation: OrganisationId,
        run: RunId,
        force: bool,
        now: DateTime<Utc>,
    ) -> Result<Requeued>;

    /// How many runs are old; what [`Self::delete_old_runs`] would delete in all.
    async fn count_old_runs(&self, old: OldRuns) -> Result<u64>;

    /// Deletes up to `limit` old runs with their events, attempts and steps, in one transaction, and tells how many; none only when
    /// none is left. A run that has not ended is never deleted, nor an invoice's that another run waits for. Intents and
    /// cross-references stay: when Magento repeats an event whose run was deleted, what is in Sage is not made again.
    async fn delete_old_runs(&self, old: OldRuns, limit: u32) -> Result<u64>;

    /// The values that no list can read. Looks at every row.
    async fn unreadable(&self) -> Result<Vec<Unreadable>>;
}
