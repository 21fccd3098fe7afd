//! How many runs each filter of the status would show.

use domain::{ids::OrganisationId, run::RunStatus};
use store::{Counted, Reach, RunFilter, Store};
use views::{error::AppError, format::grouped, runs::StatusCounts};

/// Counts, with everything but the status as the filter has it.
pub(super) async fn counts(
    store: &dyn Store,
    organisation: OrganisationId,
    filter: &RunFilter,
) -> Result<StatusCounts, AppError> {
    let any = RunFilter { status: None, open: false, ..filter.clone() };
    let of = |status| RunFilter { status: Some(status), ..any.clone() };
    let open = RunFilter { open: true, ..any.clone() };
    let count = async |filter: RunFilter| {
        store.count_nearby(organisation, &filter, Reach::default()).await.map(words)
    };
    let mut counts =
        StatusCounts { all: count(any.clone()).await?, open: count(open).await?, by_status: Vec::new() };
    for status in RunStatus::ALL {
        counts.by_status.push((*status, count(of(*status)).await?));
    }
    Ok(counts)
}

/// `34`, or `2,000+` where nobody counts further.
fn words(counted: Counted) -> String {
    let more = if counted.is_more { "+" } else { "" };
    format!("{}{more}", grouped(counted.runs.unsigned_abs()))
}
