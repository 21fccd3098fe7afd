//! Retries of many runs at once.

use async_trait::async_trait;
use domain::{
    code::Code,
    environment::Environment,
    ids::{BindingId, BulkRetryId, MemberId, OrganisationId, RunId},
    run::{BulkState, RunStatus},
};
use store::{
    Action, Actor, Advance, BulkFailure, BulkRetries, BulkRetry, Error, FEED, Result, Run, RunFilter,
};
use store_sql::{Id, Instant, Json, Lenient, Text, Word};

use super::{
    Tried,
    audit::{record, record_of_bulk},
    requeue::queue_again,
    rows::{self, Record},
};
use crate::{
    db::Connection,
    dialect::{held, indexed},
    driver::{Driver, Transaction},
    error::translate,
    history,
};

#[derive(sqlx::FromRow)]
struct BulkRow {
    id: Id<BulkRetryId>,
    organisation_id: Id<OrganisationId>,
    member_id: Option<Id<MemberId>>,
    actor: String,
    query: String,
    filter: Json<RunFilter>,
    state: Word<BulkState>,
    expected: i64,
    last_run: Id<RunId>,
    cursor: Option<Id<RunId>>,
    retried: i64,
    passed_over: i64,
    created_at: Instant,
    ended_at: Option<Instant>,
}

#[derive(sqlx::FromRow)]
struct FailureRow {
    binding_id: Id<BindingId>,
    code: Lenient<Word<Code>>,
    cause: String,
    runs: i64,
}

impl FailureRow {
    fn value(self) -> BulkFailure {
        BulkFailure {
            binding_id: self.binding_id.0,
            code: self.code.0.map_or(Code::UnreadableRecord, |code| code.0),
            cause: self.cause,
            runs: self.runs,
        }
    }
}

impl Record for BulkRow {
    /// With the newest run that was passed.
    type Value = (BulkRetry, Option<RunId>);
    const TABLE: &'static str = "bulk_retries";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Self::Value> {
        let bulk = BulkRetry {
            id: self.id.0,
            organisation_id: self.organisation_id.0,
            actor: Actor { member: self.member_id.map(|id| id.0), name: self.actor },
            filter: self.filter.0,
            query: self.query,
            state: self.state.0,
            expected: self.expected,
            last_run: self.last_run.0,
            retried: self.retried,
            passed_over: self.passed_over,
            created_at: self.created_at.0,
            ended_at: self.ended_at.map(|at| at.0),
        };
        Ok((bulk, self.cursor.map(|id| id.0)))
    }
}

#[async_trait]
impl BulkRetries for Driver {
    async fn begin_bulk_retry(&self, bulk: &BulkRetry, action: &Action) -> Result<()> {
        self.write(move |mut transaction| async move {
            sqlx::query(
                "INSERT INTO bulk_retries (id, organisation_id, member_id, actor, query, filter, state, expected, last_run,
                                           created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            )
            .bind(Id(bulk.id))
            .bind(Id(bulk.organisation_id))
            .bind(bulk.actor.member.map(Id))
            .bind(Text(&bulk.actor.name))
            .bind(Text(&bulk.query))
            .bind(Json(&bulk.filter))
            .bind(bulk.state.as_str())
            .bind(bulk.expected)
            .bind(Id(bulk.last_run))
            .bind(Instant(bulk.created_at))
            .execute(&mut *transaction)
            .await?;
            record(&mut transaction, action).await?;
            transaction.announce(action.organisation_id).await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn bulk_retry(&self, organisation: OrganisationId, id: BulkRetryId) -> Result<Option<BulkRetry>> {
        let found = sqlx::query("SELECT * FROM bulk_retries WHERE id = $1 AND organisation_id = $2")
            .bind(Id(id))
            .bind(Id(organisation));
        Ok(rows::optional::<BulkRow>(found, self.reader()).await?.map(|(bulk, _)| bulk))
    }

    async fn bulk_outcomes(
        &self,
        organisation: OrganisationId,
        id: BulkRetryId,
    ) -> Result<Vec<(RunStatus, i64)>> {
        let counted: Vec<(Word<RunStatus>, i64)> = sqlx::query_as(
            "SELECT r.status, count(*) FROM actions a JOIN runs r ON r.id = a.run_id
             WHERE a.bulk_retry_id = $1 AND a.organisation_id = $2 GROUP BY r.status ORDER BY r.status",
        )
        .bind(Id(id))
        .bind(Id(organisation))
        .fetch_all(self.reader())
        .await
        .map_err(translate)?;
        Ok(counted.into_iter().map(|(status, count)| (status.0, count)).collect())
    }

    async fn bulk_failures(
        &self,
        organisation: OrganisationId,
        id: BulkRetryId,
        limit: u32,
    ) -> Result<Vec<BulkFailure>> {
        let found: Vec<FailureRow> = sqlx::query_as(
            "SELECT r.binding_id, r.code, coalesce(r.cause, r.code) AS cause, count(*) AS runs
               FROM actions a JOIN runs r ON r.id = a.run_id
              WHERE a.bulk_retry_id = $1 AND a.organisation_id = $2 AND r.status = 'failed' AND r.code IS NOT NULL
              GROUP BY r.binding_id, r.code, coalesce(r.cause, r.code) ORDER BY runs DESC, cause LIMIT $3",
        )
        .bind(Id(id))
        .bind(Id(organisation))
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await
        .map_err(translate)?;
        Ok(found.into_iter().map(FailureRow::value).collect())
    }

    async fn list_bulk_retries(&self, organisation: OrganisationId, limit: u32) -> Result<Vec<BulkRetry>> {
        let found =
            sqlx::query("SELECT * FROM bulk_retries WHERE organisation_id = $1 ORDER BY id DESC LIMIT $2")
                .bind(Id(organisation))
                .bind(i64::from(limit));
        let found = rows::all::<BulkRow>(found, self.reader()).await?;
        Ok(found.into_iter().map(|(bulk, _)| bulk).collect())
    }

    async fn running_bulk_retries(&self) -> Result<Vec<BulkRetryId>> {
        let ids: Vec<Id<BulkRetryId>> =
            sqlx::query_scalar("SELECT id FROM bulk_retries WHERE state = 'running' ORDER BY id")
                .fetch_all(self.reader())
                .await
                .map_err(translate)?;
        Ok(ids.into_iter().map(|id| id.0).collect())
    }

    async fn advance_bulk_retry(&self, id: BulkRetryId, environment: &dyn Environment) -> Result<Advance> {
        self.write(move |transaction| advance(transaction, id, environment)).await
    }

    async fn cancel_bulk_retry(&self, id: BulkRetryId, action: &Action) -> Result<()> {
        self.write(move |mut transaction| async move {
            let cancelled = sqlx::query(
                "UPDATE bulk_retries SET state = 'cancelled', ended_at = $3
                 WHERE id = $1 AND organisation_id = $2 AND state = 'running'",
            )
            .bind(Id(id))
            .bind(Id(action.organisation_id))
            .bind(Instant(action.at))
            .execute(&mut *transaction)
            .await?;
            if cancelled.rows_affected() == 0 {
                return Err(Error::Conflict("the retry").into());
            }
            record(&mut transaction, action).await?;
            transaction.announce(action.organisation_id).await?;
            transaction.commit(()).await
        })
        .await
    }
}

/// Passes the next runs. The row of the retry is held meanwhile, so that another process waits and goes on behind them.
async fn advance(
    mut transaction: Transaction,
    id: BulkRetryId,
    environment: &dyn Environment,
) -> Tried<Advance> {
    let now = environment.now();
    let found =
        sqlx::query(held!("SELECT * FROM bulk_retries WHERE id = $1 AND state = 'running'", "FOR UPDATE"));
    let found = rows::optional::<BulkRow>(found.bind(Id(id)), &mut *transaction).await?;
    let Some((bulk, cursor)) = found else { return Ok(Advance::Ended) };
    let room = FEED - queued(&mut transaction, bulk.organisation_id).await?;
    if room <= 0 {
        return Ok(Advance::Full);
    }
    let page = history::page(&mut transaction, bulk.organisation_id, &bulk.next_page(cursor, room)).await?;
    let meant: Vec<Run> = page.runs.into_iter().take_while(|run| run.id <= bulk.last_run).collect();
    let (mut retried, mut passed_over) = (0_i64, 0_i64);
    for run in meant {
        // Read once more: a worker may have taken it since the page was read.
        if queue_again(&mut transaction, bulk.organisation_id, run.id, now).await? {
            record_of_bulk(&mut transaction, &bulk.action_of(&run, environment), id).await?;
            retried += 1;
        } else {
            passed_over += 1;
        }
    }
    let cursor = page.next.filter(|next| *next < bulk.last_run);
    sqlx::query(
        "UPDATE bulk_retries
         SET cursor = $2, retried = retried + $3, passed_over = passed_over + $4,
             state = CASE WHEN $2 IS NULL THEN 'done' ELSE state END,
             ended_at = CASE WHEN $2 IS NULL THEN $5 END
         WHERE id = $1",
    )
    .bind(Id(id))
    .bind(cursor.map(Id))
    .bind(retried)
    .bind(passed_over)
    .bind(Instant(now))
    .execute(&mut *transaction)
    .await?;
    transaction.announce(bulk.organisation_id).await?;
    transaction.commit(if cursor.is_some() { Advance::Moved } else { Advance::Ended }).await
}

/// How many runs of an organisation are queued and wait for no shop, counted up to what matters.
async fn queued(connection: &mut Connection, organisation: OrganisationId) -> Tried<i64> {
    Ok(sqlx::query_scalar(concat!(
            "SELECT count(*) FROM (SELECT 1 FROM bindings b JOIN runs r",
            indexed!("runs_queued"),
            " ON r.binding_id = b.id
               WHERE b.organisation_id = $1 AND b.status = 'active' AND r.status = 'queued' LIMIT $2) counted"
        ))
    .bind(Id(organisation))
    .bind(FEED)
    .fetch_one(connection)
    .await?)
}
