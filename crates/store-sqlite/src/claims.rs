//! Who holds which run, and until when.

use chrono::{DateTime, Utc};
use domain::{code::Code, ids::AttemptId, run::RunStatus};
use sqlx::{Sqlite, SqliteConnection, Transaction};
use store::{Claimed, Error, Fence, Result, Run, Tally};

use crate::{
    ahead,
    columns::{Place, instant},
    error::{is_unreadable, stale, translate},
    health, overview,
    runs::RunRow,
    sqlite::SqliteStore,
};

/// What the audit says of a worker that died.
const LOST: &str = "The worker that held this run stopped answering; another took over.";

/// The oldest run that may be claimed at `?1`: the oldest queued, the oldest due retry and the lost ones of each binding that can
/// work now. The cost grows with the bindings and the retries that are due, not with the queue behind a busy business.
const OLDEST_DUE: &str = "
    WITH free AS MATERIALIZED (
        SELECT b.id, b.business_id FROM bindings b
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
          FROM free f
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

pub(crate) async fn claim(
    store: &SqliteStore,
    attempt_id: AttemptId,
    worker: &str,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<Option<Claimed>> {
    loop {
        let mut transaction = store.writer.begin().await?;
        ahead::end_leases(&mut transaction, now).await?;
        let oldest: Option<String> = sqlx::query_scalar(OLDEST_DUE)
            .bind(instant(now))
            .fetch_optional(&mut *transaction)
            .await
            .map_err(translate)?;
        let Some(run) = oldest else { return Ok(None) };
        match take(&mut transaction, &run, attempt_id, worker, &instant(now), &instant(lease_until)).await {
            Ok(claimed) => {
                transaction.commit().await.map_err(translate)?;
                store.announcer.binding(&claimed.run.binding_id.to_string()).await;
                return Ok(Some(claimed));
            }
            Err(error) if is_unreadable(&error) => {
                transaction.rollback().await.map_err(translate)?;
                set_aside(store, &run, &error, now).await?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Makes the run `running` and opens its attempt.
async fn take(
    transaction: &mut Transaction<'static, Sqlite>,
    run: &str,
    attempt_id: AttemptId,
    worker: &str,
    now: &str,
    lease_until: &str,
) -> Result<Claimed> {
    close_lost(transaction, run, now).await?;
    let row = sqlx::query_as::<_, RunRow>(
        "UPDATE runs
            SET status = 'running', code = NULL, message = NULL, cause = NULL, attempts = attempts + 1, attempts_in_all = attempts_in_all + 1,
                attempt_id = ?2, lease_until = ?4, started_at = ?3,
                lease_business = (SELECT b.business_id FROM bindings b WHERE b.id = runs.binding_id), updated_at = ?3
          WHERE id = ?1
         RETURNING *",
    )
    .bind(run)
    .bind(attempt_id.to_string())
    .bind(now)
    .bind(lease_until)
    .fetch_one(&mut **transaction)
    .await
    .map_err(translate)?;
    let attempt_number = row.attempts_in_all;
    let run = Run::try_from(row)?;
    sqlx::query("INSERT INTO attempts (binding_id, run_id, number, id, worker, started_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .bind(run.binding_id.to_string())
        .bind(run.id.to_string())
        .bind(attempt_number)
        .bind(attempt_id.to_string())
        .bind(worker)
        .bind(now)
        .execute(&mut **transaction)
        .await
        .map_err(translate)?;
    Ok(Claimed { run, attempt_id, attempt_number })
}

/// Sets aside a run that is due and cannot be read, so that the queue goes on. In the moment since the look another process may
/// have taken it, one that can read it: then its lease is in the future, and nothing is done.
async fn set_aside(store: &SqliteStore, run: &str, error: &Error, now: DateTime<Utc>) -> Result<()> {
    let mut transaction = store.writer.begin().await?;
    close_lost(&mut transaction, run, &instant(now)).await?;
    let binding: Option<String> = sqlx::query_scalar(
        "UPDATE runs
            SET status = 'failed', code = ?3, message = ?4, attempt_id = NULL, lease_until = NULL, lease_business = NULL,
                updated_at = ?2, finished_at = ?2
          WHERE id = ?1 AND (status IN ('queued', 'retrying') OR status = 'running' AND lease_until <= ?2)
         RETURNING binding_id",
    )
    .bind(run)
    .bind(instant(now))
    .bind(Code::Internal.as_str())
    .bind(error.to_string())
    .fetch_optional(&mut *transaction)
    .await
    .map_err(translate)?;
    let Some(binding) = binding else { return Ok(()) };
    overview::count(&mut transaction, &binding, Tally::Ended(RunStatus::Failed), 1, now).await?;
    tracing::error!(run, %error, "a run cannot be read; it is set aside as failed");
    health::note_unreadable(&mut transaction, run, now).await?;
    transaction.commit().await.map_err(translate)?;
    store.announcer.binding(&binding).await;
    Ok(())
}

/// Closes the attempt of a worker that died, if the run has one.
pub(crate) async fn close_lost(
    transaction: &mut Transaction<'static, Sqlite>,
    run: &str,
    now: &str,
) -> Result<()> {
    sqlx::query(
        "UPDATE attempts SET ended_at = ?2, outcome = 'lost', message = ?3
          WHERE id = (SELECT r.attempt_id FROM runs r WHERE r.id = ?1 AND r.status = 'running')",
    )
    .bind(run)
    .bind(now)
    .bind(LOST)
    .execute(&mut **transaction)
    .await
    .map_err(translate)?;
    Ok(())
}

pub(crate) async fn next_due(store: &SqliteStore) -> Result<Option<DateTime<Utc>>> {
    let due: Option<String> =
        sqlx::query_scalar(NEXT_DUE).fetch_one(&store.readers).await.map_err(translate)?;
    Place { table: "runs", row: "the next one" }.optional_time("next_at", due.as_deref())
}

pub(crate) async fn extend(
    store: &SqliteStore,
    fence: Fence,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<()> {
    let mut transaction = store.writer.begin().await?;
    writes(&mut transaction, fence).await?;
    sqlx::query("UPDATE runs SET lease_until = ?2, updated_at = ?3 WHERE id = ?1")
        .bind(fence.run_id.to_string())
        .bind(instant(lease_until))
        .bind(instant(now))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
    transaction.commit().await.map_err(translate)
}

/// Whether a run is still held and may write to its business, or the error of a stale fence. It may not when its lease ran out and
/// another run of the business was claimed since: that one's lease ends later.
pub(crate) async fn writes(connection: &mut SqliteConnection, fence: Fence) -> Result<()> {
    let writes: Option<i32> = sqlx::query_scalar(
        "SELECT 1 FROM runs
          WHERE id = ?1 AND attempt_id = ?2 AND status = 'running'
            AND NOT EXISTS (SELECT 1 FROM runs h
                             WHERE h.status = 'running' AND h.lease_business = runs.lease_business AND h.id <> runs.id
                               AND h.lease_until > runs.lease_until)",
    )
    .bind(fence.run_id.to_string())
    .bind(fence.attempt_id.to_string())
    .fetch_optional(connection)
    .await
    .map_err(translate)?;
    writes.map(|_| ()).ok_or_else(stale)
}

/// The binding of a run that is still held, or the error of a stale fence.
pub(crate) async fn holds(connection: &mut SqliteConnection, fence: Fence) -> Result<String> {
    sqlx::query_scalar("SELECT binding_id FROM runs WHERE id = ?1 AND attempt_id = ?2 AND status = 'running'")
        .bind(fence.run_id.to_string())
        .bind(fence.attempt_id.to_string())
        .fetch_optional(connection)
        .await
        .map_err(translate)?
        .ok_or_else(stale)
}
