//! Retries of many runs at once.

use async_trait::async_trait;
use domain::{
    ids::{BulkRetryId, OrganisationId, RunId},
    outside::Outside,
};
use sqlx::SqliteConnection;
use store::{Action, Actor, Advance, BulkRetries, BulkRetry, Error, FEED, Result, Run};

use crate::{
    actions,
    columns::{Place, instant, json},
    error::translate,
    history, runs,
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct BulkRow {
    id: String,
    organisation_id: String,
    member_id: Option<String>,
    actor: String,
    query: String,
    filter: String,
    state: String,
    expected: i64,
    last_run: String,
    cursor: Option<String>,
    retried: i64,
    passed_over: i64,
    created_at: String,
    ended_at: Option<String>,
}

impl TryFrom<BulkRow> for (BulkRetry, Option<RunId>) {
    type Error = Error;

    fn try_from(row: BulkRow) -> Result<Self> {
        let place = Place { table: "bulk_retries", row: &row.id };
        let bulk = BulkRetry {
            id: place.word("id", &row.id)?,
            organisation_id: place.word("organisation_id", &row.organisation_id)?,
            actor: Actor {
                member: place.optional_word("member_id", row.member_id.as_deref())?,
                name: row.actor,
            },
            filter: place.json("filter", &row.filter)?,
            query: row.query,
            state: place.word("state", &row.state)?,
            expected: row.expected,
            last_run: place.word("last_run", &row.last_run)?,
            retried: row.retried,
            passed_over: row.passed_over,
            created_at: place.time("created_at", &row.created_at)?,
            ended_at: place.optional_time("ended_at", row.ended_at.as_deref())?,
        };
        Ok((bulk, place.optional_word("cursor", row.cursor.as_deref())?))
    }
}

#[async_trait]
impl BulkRetries for SqliteStore {
    async fn begin_bulk_retry(&self, bulk: &BulkRetry, action: &Action) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        sqlx::query(
            "INSERT INTO bulk_retries (id, organisation_id, member_id, actor, query, filter, state, expected, last_run, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )
        .bind(bulk.id.to_string())
        .bind(bulk.organisation_id.to_string())
        .bind(bulk.actor.member.map(|id| id.to_string()))
        .bind(&bulk.actor.name)
        .bind(&bulk.query)
        .bind(json(&bulk.filter)?)
        .bind(bulk.state.as_str())
        .bind(bulk.expected)
        .bind(bulk.last_run.to_string())
        .bind(instant(bulk.created_at))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        actions::record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)?;
        self.announcer.organisation(action.organisation_id);
        Ok(())
    }

    async fn bulk_retry(&self, organisation: OrganisationId, id: BulkRetryId) -> Result<Option<BulkRetry>> {
        let row: Option<BulkRow> =
            sqlx::query_as("SELECT * FROM bulk_retries WHERE id = ?1 AND organisation_id = ?2")
                .bind(id.to_string())
                .bind(organisation.to_string())
                .fetch_optional(&self.readers)
                .await
                .map_err(translate)?;
        row.map(|row| Ok(<(BulkRetry, _)>::try_from(row)?.0)).transpose()
    }

    async fn list_bulk_retries(&self, organisation: OrganisationId, limit: u32) -> Result<Vec<BulkRetry>> {
        let rows: Vec<BulkRow> =
            sqlx::query_as("SELECT * FROM bulk_retries WHERE organisation_id = ?1 ORDER BY id DESC LIMIT ?2")
                .bind(organisation.to_string())
                .bind(limit)
                .fetch_all(&self.readers)
                .await
                .map_err(translate)?;
        rows.into_iter().map(|row| Ok(<(BulkRetry, _)>::try_from(row)?.0)).collect()
    }

    async fn running_bulk_retries(&self) -> Result<Vec<BulkRetryId>> {
        let ids: Vec<String> =
            sqlx::query_scalar("SELECT id FROM bulk_retries WHERE state = 'running' ORDER BY id")
                .fetch_all(&self.readers)
                .await
                .map_err(translate)?;
        ids.iter().map(|id| Place { table: "bulk_retries", row: id }.word("id", id)).collect()
    }

    async fn advance_bulk_retry(&self, id: BulkRetryId, outside: &dyn Outside) -> Result<Advance> {
        let now = outside.now();
        let mut transaction = self.writer.begin().await?;
        let row: Option<BulkRow> =
            sqlx::query_as("SELECT * FROM bulk_retries WHERE id = ?1 AND state = 'running'")
                .bind(id.to_string())
                .fetch_optional(&mut *transaction)
                .await
                .map_err(translate)?;
        let Some(row) = row else { return Ok(Advance::Ended) };
        let (bulk, cursor) = row.try_into()?;
        let room = FEED - queued(&mut transaction, bulk.organisation_id).await?;
        if room <= 0 {
            return Ok(Advance::Full);
        }
        let page =
            history::page(&mut transaction, bulk.organisation_id, &bulk.next_page(cursor, room)).await?;
        let meant: Vec<Run> = page.runs.into_iter().take_while(|run| run.id <= bulk.last_run).collect();
        let passed = i64::try_from(meant.len()).unwrap_or(i64::MAX);
        let mut retried = 0;
        for run in meant.iter().filter(|run| bulk.takes(run)) {
            runs::queue_again(&mut transaction, run.id, now).await?;
            actions::record(&mut transaction, &bulk.action_of(run, outside)).await?;
            retried += 1;
        }
        let cursor = page.next.filter(|next| *next < bulk.last_run);
        sqlx::query(
            "UPDATE bulk_retries
                SET cursor = ?2, retried = retried + ?3, passed_over = passed_over + ?4,
                    state = iif(?2 IS NULL, 'done', state), ended_at = iif(?2 IS NULL, ?5, NULL)
              WHERE id = ?1",
        )
        .bind(id.to_string())
        .bind(cursor.map(|run| run.to_string()))
        .bind(retried)
        .bind(passed - retried)
        .bind(instant(now))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        transaction.commit().await.map_err(translate)?;
        self.announcer.organisation(bulk.organisation_id);
        Ok(if cursor.is_some() { Advance::Moved } else { Advance::Ended })
    }

    async fn cancel_bulk_retry(&self, id: BulkRetryId, action: &Action) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let cancelled = sqlx::query(
            "UPDATE bulk_retries SET state = 'cancelled', ended_at = ?3
              WHERE id = ?1 AND organisation_id = ?2 AND state = 'running'",
        )
        .bind(id.to_string())
        .bind(action.organisation_id.to_string())
        .bind(instant(action.at))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        if cancelled.rows_affected() == 0 {
            return Err(Error::Conflict("the retry"));
        }
        actions::record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)?;
        self.announcer.organisation(action.organisation_id);
        Ok(())
    }
}

/// How many runs of an organisation are queued and wait for no shop, counted up to what matters.
async fn queued(connection: &mut SqliteConnection, organisation: OrganisationId) -> Result<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT 1 FROM bindings b JOIN runs r INDEXED BY runs_queued ON r.binding_id = b.id
                                WHERE b.organisation_id = ?1 AND b.status = 'active' AND r.status = 'queued' LIMIT ?2)",
    )
    .bind(organisation.to_string())
    .bind(FEED)
    .fetch_one(connection)
    .await
    .map_err(translate)
}
