//! Pages of the history, newest first.

use domain::{
    ids::{OrganisationId, RunId},
    run::{EventName, RunStatus},
};
use store::{Page, PageRequest, Result, Run, Seek};

use crate::{
    PostgresStore,
    error::translate,
    runs::{RunRow, run_columns},
};

/// A statement over an organisation's runs that meet the filter ($1 to $4) beyond a run ($5), at most $6. Each binding gives at
/// most a page of its own from its index, so that a small organisation never walks through the runs of a large one.
macro_rules! walk {
    ($columns:expr, $beyond:literal, $direction:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM bindings b
              CROSS JOIN LATERAL (
                  SELECT * FROM runs q
                  WHERE q.binding_id = b.id
                    AND ($3::text IS NULL OR q.status = $3) AND ($4::text IS NULL OR q.event = $4)
                    AND ($5::uuid IS NULL OR q.id ",
            $beyond,
            " $5)
                  ORDER BY q.id ",
            $direction,
            " LIMIT $6
              ) r
              WHERE b.organisation_id = $1 AND ($2::uuid IS NULL OR b.id = $2)
              ORDER BY r.id ",
            $direction,
            " LIMIT $6"
        )
    };
}

const OLDER: &str = walk!(run_columns!(), "<", "DESC");
const NEWER: &str = walk!(run_columns!(), ">", "ASC");

pub(crate) async fn page(
    store: &PostgresStore,
    organisation: OrganisationId,
    request: &PageRequest,
) -> Result<Page> {
    let size = usize::try_from(request.limit).unwrap_or(usize::MAX);
    // One more than the page shows whether there is more in its direction.
    let one_more = i64::from(request.limit) + 1;
    let walk = |statement, beyond, limit| walk(store, organisation, request, statement, beyond, limit);
    let beyond_first = |runs: &[Run]| runs.first().map(|run| run.id);
    let mut page = Page::default();
    match request.seek {
        Seek::Newest | Seek::OlderThan(_) => {
            let beyond = match request.seek {
                Seek::OlderThan(run) => Some(run),
                _ => None,
            };
            page.runs = walk(OLDER, beyond, one_more).await?;
            page.has_older = page.runs.len() > size;
            page.runs.truncate(size);
            page.has_newer = match (beyond, beyond_first(&page.runs)) {
                (None, _) => false,
                (Some(_), Some(first)) => !walk(NEWER, Some(first), 1).await?.is_empty(),
                // Nothing is older, so whatever there is is newer.
                (Some(_), None) => !walk(OLDER, None, 1).await?.is_empty(),
            };
        }
        Seek::NewerThan(run) => {
            page.runs = walk(NEWER, Some(run), one_more).await?;
            page.has_newer = page.runs.len() > size;
            page.runs.truncate(size);
            // Without a run on the page, whatever there is is older.
            page.has_older = !walk(OLDER, beyond_first(&page.runs), 1).await?.is_empty();
            page.runs.reverse();
        }
    }
    Ok(page)
}

async fn walk(
    store: &PostgresStore,
    organisation: OrganisationId,
    request: &PageRequest,
    statement: &'static str,
    beyond: Option<RunId>,
    limit: i64,
) -> Result<Vec<Run>> {
    let filter = &request.filter;
    let rows: Vec<RunRow> = sqlx::query_as(statement)
        .bind(organisation.0)
        .bind(filter.binding.map(|binding| binding.0))
        .bind(filter.status.map(RunStatus::as_str))
        .bind(filter.event.map(EventName::as_str))
        .bind(beyond.map(|run| run.0))
        .bind(limit)
        // Planned anew each time: the filters that are absent make another plan the best one.
        .persistent(false)
        .fetch_all(&store.pool)
        .await
        .map_err(translate)?;
    rows.into_iter().map(Run::try_from).collect()
}
