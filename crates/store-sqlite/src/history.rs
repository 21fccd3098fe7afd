//! The history: pages, counts and causes. Which way leads to a page is decided in [`store::RunFilter`]; here it becomes SQL.

mod conditions;
mod way;

use std::collections::HashMap;

use async_trait::async_trait;
use domain::ids::{OrganisationId, RunId};
use sqlx::SqliteConnection;
use store::{
    CauseGroup, Counted, History, Order, Page, PageRequest, Path, Reach, Result, Run, RunFilter, readable,
};
use store_sql::Id;

use self::{
    conditions::{Extent, List},
    way::{Query, Way},
};
use crate::{
    entities::{causes::CauseRow, rows, run_rows::shown},
    error::translate,
    seed_for_bench,
    sqlite::SqliteStore,
};

#[async_trait]
impl History for SqliteStore {
    async fn page_runs(&self, organisation: OrganisationId, request: &PageRequest) -> Result<Page> {
        // One snapshot for all its looks.
        let mut transaction = self.readers.begin().await.map_err(translate)?;
        page(&mut transaction, organisation, request).await
    }

    async fn count_matching(
        &self,
        organisation: OrganisationId,
        filter: &RunFilter,
        up_to: i64,
    ) -> Result<i64> {
        let mut transaction = self.readers.begin().await.map_err(translate)?;
        let list = List { organisation: Id(organisation), filter, reach: Reach::default() };
        let narrow = list.narrow(&mut transaction).await?;
        let path = narrow.unwrap_or_else(|| filter.walked_path(Order::default()));
        let mut query = Query::new("SELECT count(*) FROM (SELECT 1 FROM ");
        list.push_runs(&mut query, path, Extent::ALL);
        list.push_filter(&mut query, path);
        query.push(" LIMIT ").push_bind(up_to).push(")");
        query.build_query_scalar().fetch_one(&mut *transaction).await.map_err(translate)
    }

    async fn count_nearby(
        &self,
        organisation: OrganisationId,
        filter: &RunFilter,
        reach: Reach,
    ) -> Result<Counted> {
        let mut transaction = self.readers.begin().await.map_err(translate)?;
        let list = List { organisation: Id(organisation), filter, reach };
        let narrow = list.narrow(&mut transaction).await?;
        let path = narrow.unwrap_or_else(|| filter.walked_path(Order::default()));
        // One more than is looked at tells whether there is more; a narrow path was counted already, and ends before.
        let most = reach.few_of(path).max(reach.window_of(path));
        let mut query = Query::new("SELECT count(*), count(*) FILTER (WHERE fits) FROM (SELECT (true");
        list.push_filter(&mut query, path);
        query.push(") AS fits FROM ");
        list.push_runs(&mut query, path, Extent { hits: Some(most.saturating_add(1)), ..Extent::ALL });
        query.push(" LIMIT ").push_bind(most.saturating_add(1)).push(") counted");
        let (seen, runs): (i64, i64) =
            query.build_query_as().fetch_one(&mut *transaction).await.map_err(translate)?;
        Ok(Counted { runs, is_more: seen > most })
    }

    async fn causes(&self, organisation: OrganisationId, limit: u32) -> Result<Vec<CauseGroup>> {
        let found = sqlx::query(
            "SELECT binding_id, status, code, coalesce(cause, code) AS cause, currency, count(*) AS runs,
                    sum(coalesce(amount_minor, 0)) AS value_minor, min(id) AS oldest, max(id) AS newest
               FROM runs INDEXED BY runs_causes
              WHERE organisation_id = $1 AND status IN ('failed', 'waiting') AND resolved_by IS NULL AND code IS NOT NULL
              GROUP BY coalesce(cause, code), binding_id, status, code, currency
              ORDER BY runs DESC, newest DESC LIMIT $2",)
        .bind(Id(organisation))
        .bind(i64::from(limit));
        Ok(rows::readable::<CauseRow>(found, self.reader()).await?)
    }

    async fn runs_by_id(&self, organisation: OrganisationId, ids: &[RunId]) -> Result<Vec<Run>> {
        let ids: Vec<_> = ids.iter().copied().map(Id).collect();
        let mut connection = self.readers.acquire().await.map_err(translate)?;
        fetch(&mut connection, Id(organisation), ids).await
    }

    async fn seed_for_bench(&self, organisation: OrganisationId, runs: &[Run]) -> Result<()> {
        seed_for_bench::seed_for_bench(self, organisation, runs).await
    }
}

/// A page, on a connection that may be in the midst of something.
pub(crate) async fn page(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    request: &PageRequest,
) -> Result<Page> {
    let list = List { organisation: Id(organisation), filter: &request.filter, reach: request.reach };
    let way = Way::of(request, list.organisation);
    let limit = i64::from(request.limit) + 1;
    let is_whole = request.filter.is_walked_whole(request.order);
    let narrow = if is_whole { None } else { list.narrow(connection).await? };
    if let Some(path) = narrow {
        let found = list.gather(connection, path, &way, limit).await?;
        return Ok(Page::cut(found, request, None));
    }
    let path = request.filter.walked_path(request.order);
    let window = if is_whole { limit } else { list.reach.window_of(path) };
    let found = list.walk(connection, path, &way, (window, limit)).await?;
    let stopped_at = if i64::try_from(found.len()).unwrap_or(i64::MAX) < limit {
        list.end_of_window(connection, path, &way, window).await?
    } else {
        None
    };
    Ok(Page::cut(found, request, stopped_at))
}

impl List<'_> {
    /// Enough of a path to know whether it gives few runs, and all of it where it does.
    fn few(&self, path: Path) -> Extent<'static> {
        Extent { hits: Some(self.reach.few_of(path).saturating_add(1)), ..Extent::ALL }
    }

    /// The first path that gives few runs.
    async fn narrow(&self, connection: &mut SqliteConnection) -> Result<Option<Path>> {
        for path in self.filter.narrow_paths() {
            let few = self.reach.few_of(path);
            let mut query = Query::new("SELECT count(*) FROM (SELECT 1 FROM ");
            if path == Path::Find {
                // By the indexes alone; a run that is a hit in two ways is counted twice.
                query.push("(");
                self.push_hits(&mut query, self.few(path));
                query.push(") hits");
            } else {
                self.push_runs(&mut query, path, self.few(path));
            }
            query.push(" LIMIT ").push_bind(few.saturating_add(1)).push(")");
            let count: i64 =
                query.build_query_scalar().fetch_one(&mut *connection).await.map_err(translate)?;
            if count <= few {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// All that a path gives, sorted, from where the way starts.
    async fn gather(
        &self,
        connection: &mut SqliteConnection,
        path: Path,
        way: &Way,
        limit: i64,
    ) -> Result<Vec<Run>> {
        let mut query = Query::new("SELECT id FROM ");
        self.push_runs(&mut query, path, self.few(path));
        self.push_filter(&mut query, path);
        way.push_from(&mut query);
        way.push_order(&mut query);
        query.push(" LIMIT ").push_bind(limit);
        let found = query.build_query_scalar().fetch_all(&mut *connection).await.map_err(translate)?;
        fetch(connection, self.organisation, found).await
    }

    /// A walk along a path in its own order, until there is enough or the window ends.
    async fn walk(
        &self,
        connection: &mut SqliteConnection,
        path: Path,
        way: &Way,
        (window, limit): (i64, i64),
    ) -> Result<Vec<Run>> {
        let mut query = Query::new("SELECT id FROM (SELECT id, (1");
        self.push_filter(&mut query, path);
        query.push(") AS fits FROM ");
        self.push_runs(&mut query, path, Extent::walked(way, window));
        way.push_from(&mut query);
        way.push_order(&mut query);
        query.push(" LIMIT ").push_bind(window).push(") WHERE fits LIMIT ").push_bind(limit);
        let found = query.build_query_scalar().fetch_all(&mut *connection).await.map_err(translate)?;
        fetch(connection, self.organisation, found).await
    }

    /// The last run of the window, where the path goes on behind it.
    async fn end_of_window(
        &self,
        connection: &mut SqliteConnection,
        path: Path,
        way: &Way,
        window: i64,
    ) -> Result<Option<RunId>> {
        let mut query = Query::new("SELECT id FROM ");
        self.push_runs(&mut query, path, Extent::walked(way, window));
        way.push_from(&mut query);
        way.push_order(&mut query);
        query.push(" LIMIT 2 OFFSET ").push_bind(window - 1);
        let ends: Vec<Id<RunId>> =
            query.build_query_scalar().fetch_all(connection).await.map_err(translate)?;
        match ends.as_slice() {
            [last, _] => Ok(Some(last.0)),
            _ => Ok(None),
        }
    }
}

/// The runs of these ids, in their order.
async fn fetch(
    connection: &mut SqliteConnection,
    organisation: Id<OrganisationId>,
    ids: Vec<Id<RunId>>,
) -> Result<Vec<Run>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Query::new("SELECT * FROM runs WHERE organisation_id = ");
    query.push_bind(organisation).push(" AND id IN (");
    let mut places = query.separated(", ");
    for id in &ids {
        places.push_bind(*id);
    }
    query.push(")");
    let rows = query.build().fetch_all(connection).await.map_err(translate)?;
    let mut runs = readable(rows.iter().map(shown))?;
    let places: HashMap<RunId, usize> = ids.iter().enumerate().map(|(place, id)| (id.0, place)).collect();
    runs.sort_by_key(|run| places.get(&run.id).copied());
    Ok(runs)
}
