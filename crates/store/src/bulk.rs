//! Retries of many runs at once, which survive a restart: the cursor moves in the same transaction as the runs that it passes.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    environment::Environment,
    ids::{ActionId, BindingId, BulkRetryId, OrganisationId, RunId},
    run::{ActionKind, BulkState, RunStatus},
};

use crate::{Action, Actor, Order, PageRequest, Result, Run, RunFilter, Seek, SortBy};

/// So many runs are passed in one transaction.
pub const CHUNK: u32 = 100;

/// So many runs of an organisation may be queued while a retry of many feeds it: what is new is not kept waiting behind all of them,
/// and a cancel still finds something to stop.
pub const FEED: i64 = 100;

/// A retry of many runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkRetry {
    /// Id (sorted by time).
    pub id: BulkRetryId,
    /// Whose runs.
    pub organisation_id: OrganisationId,
    /// Who began it.
    pub actor: Actor,
    /// Which runs.
    pub filter: RunFilter,
    /// The same as the list's address says it.
    pub query: String,
    /// How it stands.
    pub state: BulkState,
    /// How many were counted when it was begun.
    pub expected: i64,
    /// The newest run that is meant: what came later is not.
    pub last_run: RunId,
    /// How many were put in the queue.
    pub retried: i64,
    /// How many could not be: a worker took them, or somebody else retried them, at the same moment.
    pub passed_over: i64,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl BulkRetry {
    /// The runs to be passed next, beyond the cursor: no more than there is room for in the queue.
    pub fn next_page(&self, cursor: Option<RunId>, room: i64) -> PageRequest {
        PageRequest {
            filter: RunFilter { retryable: true, ..self.filter.clone() },
            order: Order { by: SortBy::Received, descending: false },
            seek: cursor.map_or(Seek::First, Seek::After),
            limit: CHUNK.min(u32::try_from(room).unwrap_or(CHUNK)),
            ..PageRequest::default()
        }
    }

    /// The record of a run that it has put in the queue.
    pub fn action_of(&self, run: &Run, environment: &dyn Environment) -> Action {
        Action {
            id: ActionId(environment.id()),
            organisation_id: self.organisation_id,
            binding_id: Some(run.binding_id),
            run_id: Some(run.id),
            actor: self.actor.clone(),
            kind: ActionKind::Retried,
            detail: "together with others".to_owned(),
            at: environment.now(),
        }
    }
}

/// Runs that a retry of many put in the queue and that failed again, of one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkFailure {
    /// Of which binding.
    pub binding_id: BindingId,
    /// Why.
    pub code: Code,
    /// The cause, as [`RunFilter::cause`] takes it.
    pub cause: String,
    /// How many.
    pub runs: i64,
}

/// How far a retry of many has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// Some runs were passed, and there are more.
    Moved,
    /// The queue is full: later.
    Full,
    /// It has ended.
    Ended,
}

/// Retries of many runs.
#[async_trait]
pub trait BulkRetries {
    /// Begins one, with its record.
    async fn begin_bulk_retry(&self, bulk: &BulkRetry, action: &Action) -> Result<()>;

    /// One of an organisation.
    async fn bulk_retry(&self, organisation: OrganisationId, id: BulkRetryId) -> Result<Option<BulkRetry>>;

    /// How the runs that it put in the queue have come out until now: how many are in each status.
    async fn bulk_outcomes(
        &self,
        organisation: OrganisationId,
        id: BulkRetryId,
    ) -> Result<Vec<(RunStatus, i64)>>;

    /// Why those failed again that did, most runs first; at most so many causes.
    async fn bulk_failures(
        &self,
        organisation: OrganisationId,
        id: BulkRetryId,
        limit: u32,
    ) -> Result<Vec<BulkFailure>>;

    /// The newest of an organisation.
    async fn list_bulk_retries(&self, organisation: OrganisationId, limit: u32) -> Result<Vec<BulkRetry>>;

    /// Those that go on, of all organisations, oldest first.
    async fn running_bulk_retries(&self) -> Result<Vec<BulkRetryId>>;

    /// Passes the next runs, oldest first: at most [`CHUNK`], and no more than leave [`FEED`] queued. Each is passed once, whoever calls
    /// this at the same time and whatever dies in between.
    async fn advance_bulk_retry(&self, id: BulkRetryId, environment: &dyn Environment) -> Result<Advance>;

    /// Stops one that goes on, with its record; what was queued already stays queued. [`crate::Error::Conflict`] when it has ended.
    async fn cancel_bulk_retry(&self, id: BulkRetryId, action: &Action) -> Result<()>;
}
