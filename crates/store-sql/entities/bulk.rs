//! Retries of many runs at once.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{BulkRetryId, MemberId, OrganisationId, RunId},
    outside::Outside,
};
use sqlx::PgConnection;
use store::{Action, Actor, Advance, BulkRetries, BulkRetry, Error, FEED, Result, Run, Whose};
use uuid::Uuid;

use crate::{
    PostgresStore, actions,
    changes::announce,
    error::{Place, Tried, clean, repeating, translate},
    history, runs,
};

#[derive(sqlx::FromRow)]
struct BulkRow {
    id: Uuid,
    organisation_id: Uuid,
    member_id: Option<Uuid>,
    actor: String,
    query: String,
    filter: String,
    state: String,
    expected: i64,
    last_run: Uuid,
    cursor: Option<Uuid>,
    retried: i64,
    passed_over: i64,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<BulkRow> for (BulkRetry, Option<RunId>) {
    type Error = Error;

    fn try_from(row: BulkRow) -> Result<Self> {
        let place = Place { table: "bulk_retries", row: &row.id };
        let bulk = BulkRetry {
            id: BulkRetryId(row.id),
            organisation_id: OrganisationId(row.organisation_id),
            actor: Actor { member: row.member_id.map(MemberId), name: row.actor },
            filter: place.json("filter", &row.filter)?,
            query: row.query,
            state: place.word("state", &row.state)?,
            expected: row.expected,
            last_run: RunId(row.last_run),
            retried: row.retried,
            passed_over: row.passed_over,
            created_at: row.created_at,
            ended_at: row.ended_at,
        };
        Ok((bulk, row.cursor.map(RunId)))
    }
}

#[async_trait]
impl BulkRetries for PostgresStore {
    async fn begin_bulk_retry(&self, bulk: &BulkRetry, action: &Action) -> Result<()> {
        let filter = serde_json::to_string(&bulk.filter).map_err(|error| Error::Driver(Box::new(error)))?;
        let filter = &filter;
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            sqlx::query(
                "INSERT INTO bulk_retries (id, organisation_id, member_id, actor, query, filter, state, expected, last_run,
                                           created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            )
            .bind(bulk.id.0)
            .bind(bulk.organisation_id.0)
            .bind(bulk.actor.member.map(|id| id.0))
            .bind(clean(&bulk.actor.name))
            .bind(clean(&bulk.query))
            .bind(filter)
            .bind(bulk.state.as_str())
            .bind(bulk.expected)
            .bind(bulk.last_run.0)
            .bind(bulk.created_at)
            .execute(&mut *transaction)
            .await?;
            actions::record(&mut transaction, action).await?;
            announce(&mut transaction, Whose::Organisation(action.organisation_id)).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn bulk_retry(&self, organisation: OrganisationId, id: BulkRetryId) -> Result<Option<BulkRetry>> {
        let row: Option<BulkRow> =
            sqlx::query_as("SELECT * FROM bulk_retries WHERE id = $1 AND organisation_id = $2")
                .bind(id.0)
                .bind(organisation.0)
                .fetch_optional(&self.pool)
                .await
                .map_err(translate)?;
        row.map(|row| Ok(<(BulkRetry, _)>::try_from(row)?.0)).transpose()
    }

    async fn list_bulk_retries(&self, organisation: OrganisationId, limit: u32) -> Result<Vec<BulkRetry>> {
        let rows: Vec<BulkRow> =
            sqlx::query_as("SELECT * FROM bulk_retries WHERE organisation_id = $1 ORDER BY id DESC LIMIT $2")
                .bind(organisation.0)
                .bind(i64::from(limit))
                .fetch_all(&self.pool)
                .await
                .map_err(translate)?;
        rows.into_iter().map(|row| Ok(<(BulkRetry, _)>::try_from(row)?.0)).collect()
    }

    async fn running_bulk_retries(&self) -> Result<Vec<BulkRetryId>> {
        let ids: Vec<Uuid> =
            sqlx::query_scalar("SELECT id FROM bulk_retries WHERE state = 'running' ORDER BY id")
                .fetch_all(&self.pool)
                .await
                .map_err(translate)?;
        Ok(ids.into_iter().map(BulkRetryId).collect())
    }

    async fn advance_bulk_retry(&self, id: BulkRetryId, outside: &dyn Outside) -> Result<Advance> {
        repeating(move || advance(self, id, outside)).await
    }

    async fn cancel_bulk_retry(&self, id: BulkRetryId, action: &Action) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let cancelled = sqlx::query(
                "UPDATE bulk_retries SET state = 'cancelled', ended_at = $3
                 WHERE id = $1 AND organisation_id = $2 AND state = 'running'",
            )
            .bind(id.0)
            .bind(action.organisation_id.0)
            .bind(action.at)
            .execute(&mut *transaction)
            .await?;
            if cancelled.rows_affected() == 0 {
                return Err(Error::Conflict("the retry").into());
            }
            actions::record(&mut transaction, action).await?;
            announce(&mut transaction, Whose::Organisation(action.organisation_id)).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }
}

/// Passes the next runs. The row of the retry is held meanwhile, so that another process waits and goes on behind them.
async fn advance(store: &PostgresStore, id: BulkRetryId, outside: &dyn Outside) -> Tried<Advance> {
    let now = outside.now();
    let mut transaction = store.pool.begin().await?;
    let row: Option<BulkRow> =
        sqlx::query_as("SELECT * FROM bulk_retries WHERE id = $1 AND state = 'running' FOR UPDATE")
            .bind(id.0)
            .fetch_optional(&mut *transaction)
            .await?;
    let Some(row) = row else { return Ok(Advance::Ended) };
    let (bulk, cursor) = row.try_into()?;
    let room = FEED - queued(&mut transaction, bulk.organisation_id).await?;
    if room <= 0 {
        return Ok(Advance::Full);
    }
    let page = history::page(&mut transaction, bulk.organisation_id, &bulk.next_page(cursor, room)).await?;
    let meant: Vec<Run> = page.runs.into_iter().take_while(|run| run.id <= bulk.last_run).collect();
    let (mut retried, mut passed_over) = (0_i64, 0_i64);
    for run in meant {
        // Read once more: a worker may have taken it since the page was read.
        if bulk.takes(&run) && runs::queue_again(&mut transaction, bulk.organisation_id, run.id, now).await? {
            actions::record(&mut transaction, &bulk.action_of(&run, outside)).await?;
            retried += 1;
        } else {
            passed_over += 1;
        }
    }
    let cursor = page.next.filter(|next| *next < bulk.last_run);
    sqlx::query(
        "UPDATE bulk_retries
         SET cursor = $2, retried = retried + $3, passed_over = passed_over + $4,
             state = CASE WHEN $2::uuid IS NULL THEN 'done' ELSE state END,
             ended_at = CASE WHEN $2::uuid IS NULL THEN $5 END
         WHERE id = $1",
    )
    .bind(id.0)
    .bind(cursor.map(|run| run.0))
    .bind(retried)
    .bind(passed_over)
    .bind(now)
    .execute(&mut *transaction)
    .await?;
    announce(&mut transaction, Whose::Organisation(bulk.organisation_id)).await?;
    transaction.commit().await?;
    Ok(if cursor.is_some() { Advance::Moved } else { Advance::Ended })
}

/// How many runs of an organisation are queued and wait for no shop, counted up to what matters.
async fn queued(connection: &mut PgConnection, organisation: OrganisationId) -> Tried<i64> {
    Ok(sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT 1 FROM bindings b JOIN runs r ON r.binding_id = b.id
                               WHERE b.organisation_id = $1 AND b.status = 'active' AND r.status = 'queued' LIMIT $2) counted",
    )
    .bind(organisation.0)
    .bind(FEED)
    .fetch_one(connection)
    .await?)
}
