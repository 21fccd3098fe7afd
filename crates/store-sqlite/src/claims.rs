//! Who holds which run, and until when.

use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{AttemptId, BindingId, RunId},
    run::RunStatus,
};
use sqlx::SqliteConnection;
use store::{Claimed, Error, Fence, Result, Run, Tally};
use store_sql::{Id, Instant, Text};

use crate::{
    ahead, counts,
    driver::Transaction,
    entities::{
        Tried, health,
        requeue::close_lost,
        rows::{self, Record},
        run_rows::RunRow,
        stale,
    },
    error::translate,
    locks::ensure_writer,
    sqlite::SqliteStore,
};

/// A run that was taken.
#[derive(sqlx::FromRow)]
struct TakenRow {
    #[sqlx(flatten)]
    run: RunRow,
    attempts_in_all: i32,
}

impl Record for TakenRow {
    /// With the number of its attempt.
    type Value = (Run, i32);
    const TABLE: &'static str = "runs";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Self::Value> {
        Ok((self.run.value()?, self.attempts_in_all))
    }
}

/// The oldest run that may be claimed at `?1`: the oldest queued, the oldest due retry and the lost ones of each binding that can
/// work now. After a rest by turns a retry waits for those that are queued, and the one goes first that was tried longest ago. The cost grows with the bindings and the retries that are due, not with the queue behind a busy business.
const OLDEST_DUE: &str = "
    WITH free AS MATERIALIZED (
        SELECT b.id, b.business_id,
               EXISTS (SELECT 1 FROM rests s WHERE s.side = 'sage' AND s.id = b.business_id AND s.by_turns) AS by_turns
          FROM bindings b
         WHERE b.status = 'active' AND b.business_id IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM runs h
                            WHERE h.status = 'running' AND h.lease_business = b.business_id AND h.lease_until > ?1)
           AND NOT EXISTS (SELECT 1 FROM rests s WHERE s.side = 'sage' AND s.id = b.business_id AND s.until > ?1)
           AND NOT EXISTS (SELECT 1 FROM rests s WHERE s.side = 'magento' AND s.id = b.id AND s.until > ?1))
    SELECT id FROM (
        SELECT (SELECT r.id FROM runs r INDEXED BY runs_status
                 WHERE r.binding_id = f.id AND r.status = 'queued' AND r.next_at <= ?1 ORDER BY r.id LIMIT 1) AS id
          FROM free f
        UNION ALL
        SELECT (SELECT min(r.id) FROM runs r INDEXED BY runs_retrying
                 WHERE r.binding_id = f.id AND r.status = 'retrying' AND r.next_at <= ?1)
          FROM free f WHERE NOT f.by_turns
        UNION ALL
        SELECT (SELECT r.id FROM runs r INDEXED BY runs_retrying
                 WHERE r.binding_id = f.id AND r.status = 'retrying' AND r.next_at <= ?1
                   AND NOT EXISTS (SELECT 1 FROM runs q INDEXED BY runs_status
                                    WHERE q.binding_id = f.id AND q.status = 'queued' AND q.next_at <= ?1)
                 ORDER BY r.started_at, r.id LIMIT 1)
          FROM free f WHERE f.by_turns
        UNION ALL
        SELECT r.id FROM runs r INDEXED BY runs_running JOIN free f ON f.id = r.binding_id
         WHERE r.status = 'running' AND r.lease_until <= ?1)
     WHERE id IS NOT NULL ORDER BY id LIMIT 1";

/// When [`OLDEST_DUE`] can next find something. What belongs to a business that is held is due when its holder's lease runs out, and
/// what rests when its rest is over.
const NEXT_DUE: &str = "
    WITH able AS MATERIALIZED (
        SELECT b.id,
               max(coalesce((SELECT max(h.lease_until) FROM runs h
                              WHERE h.status = 'running' AND h.lease_business = b.business_id), ''),
                   coalesce((SELECT s.until FROM rests s WHERE s.side = 'sage' AND s.id = b.business_id), ''),
                   coalesce((SELECT s.until FROM rests s WHERE s.side = 'magento' AND s.id = b.id), '')) AS held_until
          FROM bindings b WHERE b.status = 'active' AND b.business_id IS NOT NULL)
    SELECT min(max(due, held_until)) FROM (
        SELECT (SELECT min(r.next_at) FROM runs r INDEXED BY runs_queued
                 WHERE r.binding_id = a.id AND r.status = 'queued') AS due, a.held_until
          FROM able a
        UNION ALL
        SELECT (SELECT min(r.next_at) FROM runs r INDEXED BY runs_retrying
                 WHERE r.binding_id = a.id AND r.status = 'retrying'), a.held_until
          FROM able a
        UNION ALL
        SELECT r.lease_until, a.held_until
          FROM runs r INDEXED BY runs_running JOIN able a ON a.id = r.binding_id WHERE r.status = 'running')";

/// What came of a look.
enum Look {
    /// Nothing is due.
    Nothing,
    /// The run is ours.
    Taken(Box<Claimed>),
    /// The run cannot be read; nothing was written.
    Unreadable(RunId, Error),
}

pub(crate) async fn claim(
    store: &SqliteStore,
    attempt_id: AttemptId,
    worker: &str,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<Option<Claimed>> {
    loop {
        let looked =
            store.write(move |transaction| look(transaction, attempt_id, worker, (now, lease_until)));
        match looked.await? {
            Look::Nothing => return Ok(None),
            Look::Taken(claimed) => return Ok(Some(*claimed)),
            Look::Unreadable(run, error) => {
                let error = &error;
                store.write(move |transaction| quarantine(transaction, run, error, now)).await?;
            }
        }
    }
}

/// Takes the oldest run that is due.
async fn look(
    mut transaction: Transaction,
    attempt_id: AttemptId,
    worker: &str,
    (now, lease_until): (DateTime<Utc>, DateTime<Utc>),
) -> Tried<Look> {
    ahead::end_leases(&mut transaction, now).await?;
    let oldest: Option<Id<RunId>> =
        sqlx::query_scalar(OLDEST_DUE).bind(Instant(now)).fetch_optional(&mut *transaction).await?;
    let Some(Id(run)) = oldest else { return Ok(Look::Nothing) };
    match take(&mut transaction, run, attempt_id, worker, (now, lease_until)).await {
        Ok(claimed) => {
            transaction.announce_binding(claimed.run.binding_id).await?;
            transaction.commit(Look::Taken(Box::new(claimed))).await
        }
        Err(failure) if failure.is_unreadable() => Ok(Look::Unreadable(run, failure.into())),
        Err(failure) => Err(failure),
    }
}

/// Makes the run `running` and opens its attempt.
async fn take(
    connection: &mut SqliteConnection,
    run: RunId,
    attempt_id: AttemptId,
    worker: &str,
    (now, lease_until): (DateTime<Utc>, DateTime<Utc>),
) -> Tried<Claimed> {
    close_lost_of(connection, run, now).await?;
    let taken = sqlx::query(
        "UPDATE runs
            SET status = 'running', code = NULL, message = NULL, cause = NULL, attempts = attempts + 1, attempts_in_all = attempts_in_all + 1,
                attempt_id = $2, lease_until = $4, started_at = $3,
                lease_business = (SELECT b.business_id FROM bindings b WHERE b.id = runs.binding_id), updated_at = $3
          WHERE id = $1
         RETURNING *",
    )
    .bind(Id(run))
    .bind(Id(attempt_id))
    .bind(Instant(now))
    .bind(Instant(lease_until));
    let taken = rows::optional::<TakenRow>(taken, &mut *connection).await?;
    let (run, attempt_number) = taken.ok_or_else(stale)?;
    sqlx::query("INSERT INTO attempts (binding_id, run_id, number, id, worker, started_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(Id(run.binding_id))
        .bind(Id(run.id))
        .bind(attempt_number)
        .bind(Id(attempt_id))
        .bind(worker)
        .bind(Instant(now))
        .execute(connection)
        .await?;
    Ok(Claimed { run, attempt_id, attempt_number })
}

/// Sets aside a run that is due and cannot be read, so that the queue goes on. In the moment since the look another process may
/// have taken it, one that can read it: then its lease is in the future, and nothing is done.
async fn quarantine(
    mut transaction: Transaction,
    run: RunId,
    error: &Error,
    now: DateTime<Utc>,
) -> Tried<()> {
    close_lost_of(&mut transaction, run, now).await?;
    let binding: Option<Id<BindingId>> = sqlx::query_scalar(
        "UPDATE runs
            SET status = 'failed', code = $3, message = $4, attempt_id = NULL, lease_until = NULL, lease_business = NULL,
                updated_at = $2, finished_at = $2
          WHERE id = $1 AND (status IN ('queued', 'retrying') OR status = 'running' AND lease_until <= $2)
         RETURNING binding_id",
    )
    .bind(Id(run))
    .bind(Instant(now))
    .bind(Code::Internal.as_str())
    .bind(Text(error.to_string()))
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(Id(binding)) = binding else { return Ok(()) };
    counts::count(&mut transaction, binding, Tally::Ended(RunStatus::Failed), 1, now).await?;
    tracing::error!(%run, %error, "a run cannot be read; it is set aside as failed");
    health::note_unreadable(&mut transaction, binding, run, now).await?;
    transaction.announce_binding(binding).await?;
    transaction.commit(()).await
}

/// Closes the attempt of a worker that died, if the run has one.
async fn close_lost_of(connection: &mut SqliteConnection, run: RunId, now: DateTime<Utc>) -> Tried<()> {
    let lost: Option<(Id<BindingId>, Id<AttemptId>)> =
        sqlx::query_as("SELECT binding_id, attempt_id FROM runs WHERE id = $1 AND status = 'running'")
            .bind(Id(run))
            .fetch_optional(&mut *connection)
            .await?;
    let Some((binding, attempt)) = lost else { return Ok(()) };
    close_lost(connection, (binding.0, run), attempt.0, now).await
}

pub(crate) async fn next_due(store: &SqliteStore) -> Result<Option<DateTime<Utc>>> {
    let due: Option<Instant> =
        sqlx::query_scalar(NEXT_DUE).fetch_one(store.reader()).await.map_err(translate)?;
    Ok(due.map(|due| due.0))
}

pub(crate) async fn extend(
    store: &SqliteStore,
    fence: Fence,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<()> {
    store
        .write(move |mut transaction| async move {
            ensure_writer(&mut transaction, fence).await?;
            sqlx::query("UPDATE runs SET lease_until = $2, updated_at = $3 WHERE id = $1")
                .bind(Id(fence.run_id))
                .bind(Instant(lease_until))
                .bind(Instant(now))
                .execute(&mut *transaction)
                .await?;
            transaction.commit(()).await
        })
        .await
}
