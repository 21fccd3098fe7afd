//! The history: pages, counts and causes. Which way leads to a page is decided in [`store::RunFilter`]; here it becomes SQL.

mod conditions;
mod way;

use async_trait::async_trait;
use domain::ids::{OrganisationId, RunId};
use sqlx::PgConnection;
use store::{
    CauseGroup, Counted, History, Order, Page, PageRequest, Path, Reach, Result, Run, RunFilter, readable,
};
use store_sql::Id;
use uuid::Uuid;

use self::{
    conditions::{Extent, List},
    way::{Query, Way},
};
use crate::{
    PostgresStore,
    entities::{
        causes::CauseRow,
        rows,
        run_rows::{run_columns, shown},
    },
    error::translate,
    seed_for_bench,
};

/// The columns that filters and orders look at.
const LOOKED_AT: &str = "id, organisation_id, binding_id, status, event, code, cause, settings_version, amount_minor, \
                         increment_id, resolved_by, magento_id, sage_reference, sage_id, email_digest, currency, \
                         customer_folded, customer_last";

#[async_trait]
impl History for PostgresStore {
    async fn page_runs(&self, organisation: OrganisationId, request: &PageRequest) -> Result<Page> {
        // One snapshot for all its looks.
        let mut transaction = self.pool.begin().await.map_err(translate)?;
        page(&mut transaction, organisation, request).await
    }

    async fn count_matching(
        &self,
        organisation: OrganisationId,
        filter: &RunFilter,
        up_to: i64,
    ) -> Result<i64> {
        let mut transaction = self.pool.begin().await.map_err(translate)?;
        let list = List { organisation: organisation.0, filter, reach: Reach::default() };
        let narrow = list.narrow(&mut transaction).await?;
        let path = narrow.unwrap_or_else(|| filter.walked_path(Order::default()));
        let mut query = Query::new("SELECT count(*) FROM (SELECT 1 FROM ");
        list.push_runs(&mut query, path, Extent::ALL);
        list.push_filter(&mut query, path);
        query.push(" LIMIT ").push_bind(up_to).push(") counted");
        query.build_query_scalar().persistent(false).fetch_one(&mut *transaction).await.map_err(translate)
    }

    async fn count_nearby(
        &self,
        organisation: OrganisationId,
        filter: &RunFilter,
        reach: Reach,
    ) -> Result<Counted> {
        let mut transaction = self.pool.begin().await.map_err(translate)?;
        let list = List { organisation: organisation.0, filter, reach };
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
            query.build_query_as().persistent(false).fetch_one(&mut *transaction).await.map_err(translate)?;
        Ok(Counted { runs, is_more: seen > most })
    }

    async fn causes(&self, organisation: OrganisationId, limit: u32) -> Result<Vec<CauseGroup>> {
        let found = sqlx::query(
            "SELECT binding_id, status, code, coalesce(cause, code) AS cause, currency, count(*) AS runs,
                    sum(coalesce(amount_minor, 0))::bigint AS value_minor,
                    (array_agg(id ORDER BY id))[1] AS oldest, (array_agg(id ORDER BY id DESC))[1] AS newest
               FROM runs
              WHERE organisation_id = $1 AND status IN ('failed', 'waiting') AND resolved_by IS NULL AND code IS NOT NULL
              GROUP BY coalesce(cause, code), binding_id, status, code, currency
              ORDER BY runs DESC, newest DESC LIMIT $2",)
        .bind(Id(organisation))
        .bind(i64::from(limit));
        Ok(rows::readable::<CauseRow>(found, self.reader()).await?)
    }

    async fn runs_by_id(&self, organisation: OrganisationId, ids: &[RunId]) -> Result<Vec<Run>> {
        let ids = ids.iter().map(|id| id.0).collect();
        let mut connection = self.pool.acquire().await.map_err(translate)?;
        fetch(&mut connection, organisation.0, ids).await
    }

    async fn seed_for_bench(&self, organisation: OrganisationId, runs: &[Run]) -> Result<()> {
        seed_for_bench::seed_for_bench(self, organisation, runs).await
    }
}

/// A page, on a connection that may be in the midst of something.
pub(crate) async fn page(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    request: &PageRequest,
) -> Result<Page> {
    let list = List { organisation: organisation.0, filter: &request.filter, reach: request.reach };
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
    async fn narrow(&self, connection: &mut PgConnection) -> Result<Option<Path>> {
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
            query.push(" LIMIT ").push_bind(few.saturating_add(1)).push(") counted");
            let count: i64 = query
                .build_query_scalar()
                .persistent(false)
                .fetch_one(&mut *connection)
                .await
                .map_err(translate)?;
            if count <= few {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// All that a path gives, sorted, from where the way starts.
    async fn gather(
        &self,
        connection: &mut PgConnection,
        path: Path,
        way: &Way,
        limit: i64,
    ) -> Result<Vec<Run>> {
        // Gathered before it is filtered: or Postgres might take another path to what it believes to be the same.
        let mut query = Query::new(format!("WITH few AS MATERIALIZED (SELECT {LOOKED_AT} FROM "));
        self.push_runs(&mut query, path, self.few(path));
        query.push(") SELECT id FROM few WHERE true");
        self.push_filter(&mut query, path);
        way.push_from(&mut query);
        way.push_order(&mut query);
        query.push(" LIMIT ").push_bind(limit);
        let found = query
            .build_query_scalar()
            .persistent(false)
            .fetch_all(&mut *connection)
            .await
            .map_err(translate)?;
        fetch(connection, self.organisation, found).await
    }

    /// A walk along a path in its own order, until there is enough or the window ends.
    async fn walk(
        &self,
        connection: &mut PgConnection,
        path: Path,
        way: &Way,
        (window, limit): (i64, i64),
    ) -> Result<Vec<Run>> {
        let mut query = Query::new("SELECT id FROM (SELECT id, (true");
        self.push_filter(&mut query, path);
        query.push(") AS fits FROM ");
        self.push_runs(&mut query, path, Extent::walked(way, window));
        way.push_from(&mut query);
        way.push_order(&mut query);
        query.push(" LIMIT ").push_bind(window).push(") walked WHERE fits LIMIT ").push_bind(limit);
        let found = query
            .build_query_scalar()
            .persistent(false)
            .fetch_all(&mut *connection)
            .await
            .map_err(translate)?;
        fetch(connection, self.organisation, found).await
    }

    /// The last run of the window, where the path goes on behind it.
    async fn end_of_window(
        &self,
        connection: &mut PgConnection,
        path: Path,
        way: &Way,
        window: i64,
    ) -> Result<Option<RunId>> {
        let mut query = Query::new("SELECT id FROM ");
        self.push_runs(&mut query, path, Extent::walked(way, window));
        way.push_from(&mut query);
        way.push_order(&mut query);
        query.push(" LIMIT 2 OFFSET ").push_bind(window - 1);
        let ends: Vec<Uuid> =
            query.build_query_scalar().persistent(false).fetch_all(connection).await.map_err(translate)?;
        match ends.as_slice() {
            [last, _] => Ok(Some(RunId(*last))),
            _ => Ok(None),
        }
    }
}

/// The runs of these ids, in their order.
async fn fetch(connection: &mut PgConnection, organisation: Uuid, ids: Vec<Uuid>) -> Result<Vec<Run>> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        run_columns!(),
        " FROM unnest($1::uuid[]) WITH ORDINALITY AS found (id, place)
           JOIN runs r ON r.id = found.id WHERE r.organisation_id = $2 ORDER BY found.place"
    ))
    .bind(ids)
    .bind(organisation)
    .fetch_all(connection)
    .await
    .map_err(translate)?;
    readable(rows.iter().map(shown))
}
