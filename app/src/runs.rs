//! The service functions behind the list of runs.

use domain::{ids::RunId, run::Role};
use store::{PageRequest, RunFilter, Seek};

use crate::{
    context::{Member, Services},
    error::{AppError, ErrorCode},
    query::{Flash, RunsQuery},
    screen::runs::{PAGE_SIZE, RunsPage},
};

/// A page of the runs of the member's organisation.
pub async fn page(services: &Services, member: &Member, query: RunsQuery) -> Result<RunsPage, AppError> {
    // Read before the rows: what changes meanwhile is announced again rather than missed.
    let version = *services.store.changes().borrow();
    let filter = RunFilter { binding: None, status: query.status, event: query.event };
    let seek = match (query.before, query.after) {
        (Some(run), _) => Seek::OlderThan(run),
        (None, Some(run)) => Seek::NewerThan(run),
        (None, None) => Seek::Newest,
    };
    let request = PageRequest { filter, seek, limit: PAGE_SIZE };
    let page = services.store.page_runs(member.organisation(), &request).await?;
    let first = page.runs.first().map(|run| run.id);
    let last = page.runs.last().map(|run| run.id);
    Ok(RunsPage {
        query,
        newer: first.filter(|_| page.has_newer).map(|run| query.newer_than(run).href()),
        older: last.filter(|_| page.has_older).map(|run| query.older_than(run).href()),
        rows: page.runs.into_iter().map(Into::into).collect(),
        may_retry: member.may(Role::Operator),
        version,
    })
}

/// Puts a run in the queue again, on a person's word.
pub async fn retry(services: &Services, member: &Member, run: &str) -> Result<Flash, AppError> {
    let member = member.require(Role::Operator)?;
    let run: RunId = run.parse().map_err(|_| AppError::new(ErrorCode::NotFound))?;
    match services.store.retry_run(member.organisation(), run, services.outside.now()).await {
        Ok(()) => Ok(Flash::Retried),
        Err(store::Error::Conflict(_)) => Ok(Flash::StillRunning),
        Err(error) => Err(error.into()),
    }
}
