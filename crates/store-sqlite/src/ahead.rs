//! What a clock that was ahead has put off. Each lease and each due time has a mark of when it was written: what is marked with a time
//! that is still to come ([`store::ahead_of`]) was not written by this clock.

use chrono::{DateTime, Utc};
use sqlx::{Sqlite, SqliteConnection, Transaction, query::Query, sqlite::SqliteArguments};
use store::{Result, ahead_of};
use store_sql::Instant;

use crate::{error::translate, sqlite::SqliteStore};

/// The leases of runs; there are never many.
const LEASES: &str = "
    UPDATE runs INDEXED BY runs_running SET lease_until = ?1, updated_at = ?1 WHERE status = 'running' AND updated_at > ?2";

/// Due times and rests, at `?1`, of marks later than `?2`. Runs may be many, and a write of so many at once holds up no other for long.
const DUE_TIMES: &[&str] = &[
    "UPDATE runs SET next_at = ?1, updated_at = ?1
      WHERE id IN (SELECT r.id FROM bindings b CROSS JOIN runs r INDEXED BY runs_queued ON r.binding_id = b.id
                    WHERE r.status = 'queued' AND r.next_at > ?1 AND r.updated_at > ?2 LIMIT 1000)",
    "UPDATE runs SET next_at = ?1, updated_at = ?1
      WHERE id IN (SELECT r.id FROM bindings b CROSS JOIN runs r INDEXED BY runs_retrying ON r.binding_id = b.id
                    WHERE r.status = 'retrying' AND r.next_at > ?1 AND r.updated_at > ?2 LIMIT 1000)",
    "UPDATE intents SET first_sent_at = min(first_sent_at, ?1), unanswered_at = ?1 WHERE unanswered_at > ?2",
    // A search rests for a minute at most.
    "UPDATE backfills SET next_at = ?1 WHERE ended_at IS NULL AND next_at > ?2",
    "UPDATE rests SET until = min(until, ?1), set_at = ?1 WHERE set_at > ?2",
    "UPDATE sync_state_deliveries SET next_at = ?1, set_at = ?1 WHERE next_at > ?1 AND set_at > ?2",
    "UPDATE sync_state_queue SET due_at = ?1
      WHERE due_at > ?1
        AND EXISTS (SELECT 1 FROM sync_state_deliveries d
                     WHERE d.binding_id = sync_state_queue.binding_id AND d.next_at <= ?1)",
    "UPDATE sync_state_queue
        SET lease_until = min(lease_until, ?1), rests_until = min(rests_until, ?1), claimed_at = ?1 WHERE claimed_at > ?2",
    "UPDATE alert_deliveries SET next_at = ?1, set_at = ?1 WHERE next_at > ?1 AND set_at > ?2",
    "UPDATE alert_channels
        SET lease_until = min(lease_until, ?1), rests_until = min(rests_until, ?1), claimed_at = ?1 WHERE claimed_at > ?2",
];

/// Ends the leases of runs that a clock that was ahead gave or extended.
pub(crate) async fn end_leases(connection: &mut SqliteConnection, now: DateTime<Utc>) -> Result<u64> {
    let ended = at(LEASES, now).execute(connection).await.map_err(translate)?;
    Ok(ended.rows_affected())
}

pub(crate) async fn bring_forward(store: &SqliteStore, now: DateTime<Utc>) -> Result<u64> {
    let mut transaction: Transaction<'_, Sqlite> = store.writer.begin().await?;
    let mut changed = end_leases(&mut transaction, now).await?;
    for statement in DUE_TIMES {
        let brought = at(statement, now).execute(&mut *transaction).await.map_err(translate)?;
        changed += brought.rows_affected();
    }
    transaction.commit().await.map_err(translate)?;
    if changed > 0 {
        store.announcer.everybody();
    }
    Ok(changed)
}

fn at(statement: &'static str, now: DateTime<Utc>) -> Query<'static, Sqlite, SqliteArguments> {
    sqlx::query(statement).bind(Instant(now)).bind(Instant(ahead_of(now)))
}
