//! Ends that no longer count, because their runs are queued again: what came in and what ended add up.

use domain::{ids::BindingId, run::RunStatus};
use store::Tally;
use store_sql::{Instant, Word};

use super::Tried;
use crate::{counts, db::Connection};

/// A run that may have ended.
#[derive(sqlx::FromRow)]
pub(crate) struct EndRow {
    status: Word<RunStatus>,
    finished_at: Option<Instant>,
}

/// Takes the ends of runs of a binding back from the hours and days in which they were counted.
pub(crate) async fn take_back(connection: &mut Connection, binding: BindingId, runs: &[EndRow]) -> Tried<()> {
    for run in runs.iter().filter(|run| run.status.0.is_terminal()) {
        if let Some(Instant(at)) = run.finished_at {
            counts::count(connection, binding, Tally::Ended(run.status.0), -1, at).await?;
        }
    }
    Ok(())
}
