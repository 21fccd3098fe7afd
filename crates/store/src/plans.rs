//! The Plan of a run, as its newest attempt made it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{AttemptId, OrganisationId, RunId},
    plan::Plan,
};

use crate::Result;

/// A Plan that is kept, without what belongs to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunPlan {
    /// The attempt that made it.
    pub attempt_id: AttemptId,
    /// The Plan.
    pub plan: Plan,
    /// When that attempt ended.
    pub made_at: DateTime<Utc>,
}

/// Plans. They are written with the end of their attempt: [`crate::FinishRun::plan`].
#[async_trait]
pub trait Plans {
    /// The newest Plan of a run; none when no attempt came so far, or the organisation has no such run.
    async fn plan_of(&self, organisation: OrganisationId, run: RunId) -> Result<Option<RunPlan>>;
}
