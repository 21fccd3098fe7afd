//! Attempts and steps: the audit trail.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{AttemptId, OrganisationId, RunId},
};

use crate::{Result, Span};

/// One try of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Id.
    pub id: AttemptId,
    /// The run.
    pub run_id: RunId,
    /// 1, 2, 3 ...
    pub number: i32,
    /// Which worker.
    pub worker: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended; none while it runs.
    pub ended_at: Option<DateTime<Utc>>,
    /// The status the run took.
    pub outcome: Option<String>,
    /// Why.
    pub code: Option<Code>,
    /// For a person.
    pub message: Option<String>,
    /// Its calls, in order.
    pub steps: Vec<Step>,
}

/// One call to Magento or Sage. Holds ids, sums, states and what is sold; never tokens, never what belongs to people
/// ([`domain::redact`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// `magento` or `sage`.
    pub target: String,
    /// What it was for, such as `invoice`.
    pub name: String,
    /// HTTP method.
    pub method: String,
    /// Path.
    pub path: String,
    /// HTTP status; none without an answer.
    pub status: Option<i32>,
    /// Sage's id of the request, for its support.
    pub request_id: Option<String>,
    /// The idempotency id that was sent.
    pub idempotency_id: Option<String>,
    /// What came of it, in a line.
    pub summary: String,
    /// What was sent: JSON, redacted, at most [`domain::redact::LARGEST`] bytes. None where nothing was.
    pub request: Option<String>,
    /// What was answered, as the request.
    pub answer: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
}

/// The day of the last call to Sage among these steps, and how many calls to it there are; none when there is none.
pub fn calls_of(steps: &[Step]) -> Option<(DateTime<Utc>, i64)> {
    let calls = || steps.iter().filter(|step| step.target == "sage");
    let last = calls().map(|step| step.started_at).max()?;
    Some((Span::Day.start(last), i64::try_from(calls().count()).unwrap_or(i64::MAX)))
}

/// Attempts. Their steps are written with what came of them: [`crate::Intents::answer_intent`], [`crate::Intents::refuse_intent`]
/// and [`crate::Runs::finish_run`].
#[async_trait]
pub trait Attempts {
    /// The attempts of a run, oldest first, with their steps in the order of writing; empty when the organisation has no such run.
    async fn attempts(&self, organisation: OrganisationId, run: RunId) -> Result<Vec<Attempt>>;
}
