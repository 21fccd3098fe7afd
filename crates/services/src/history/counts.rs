//! How many runs each filter of the status would show.

use domain::{code::Code, ids::OrganisationId, run::RunStatus};
use messages::message;
use store::{Counted, Reach, RunFilter, Store};
use views::{error::AppError, format::grouped, runs::StatusCounts};

use super::query::HistoryQuery;

/// Counts, with everything but the status as the address has it.
pub(super) async fn counts(
    store: &dyn Store,
    organisation: OrganisationId,
    query: &HistoryQuery,
) -> Result<StatusCounts, AppError> {
    let any = RunFilter { status: None, open: false, without_switched_off: false, ..query.filter() };
    let all = RunFilter { without_switched_off: query.leaves_out(&any), ..any.clone() };
    let of = |status| RunFilter { status: Some(status), ..any.clone() };
    let open = RunFilter { open: true, ..any.clone() };
    let count = async |filter: RunFilter| {
        store.count_nearby(organisation, &filter, Reach::default()).await.map(words)
    };
    let mut counts = StatusCounts { all: count(all).await?, open: count(open).await?, by_status: Vec::new() };
    for status in RunStatus::ALL {
        counts.by_status.push((*status, count(of(*status)).await?));
    }
    Ok(counts)
}

/// How many runs the list leaves out because their kinds are switched off, as a sentence; none where it leaves out none.
pub(super) async fn left_out(
    store: &dyn Store,
    organisation: OrganisationId,
    query: &HistoryQuery,
) -> Result<Option<String>, AppError> {
    let filter = query.filter();
    if !filter.without_switched_off {
        return Ok(None);
    }
    let mut sum = Counted::default();
    for code in Code::SWITCHED_OFF {
        let filter = RunFilter {
            status: Some(RunStatus::SkippedByPolicy),
            code: Some(code),
            without_switched_off: false,
            ..filter.clone()
        };
        let counted = store.count_nearby(organisation, &filter, Reach::default()).await?;
        sum = Counted { runs: sum.runs + counted.runs, is_more: sum.is_more || counted.is_more };
    }
    Ok(match (sum.runs, sum.is_more) {
        (0, false) => None,
        (1, false) => Some(message!(history_list.one_left_out).to_owned()),
        _ => Some(message!(history_list.left_out, count = words(sum))),
    })
}

/// `34`, or `2,000+` where nobody counts further.
fn words(counted: Counted) -> String {
    let more = if counted.is_more { "+" } else { "" };
    format!("{}{more}", grouped(counted.runs.unsigned_abs()))
}
