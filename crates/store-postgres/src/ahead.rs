//! What a clock that was ahead has put off. Each lease and each due time has a mark of when it was written: what is marked with a time
//! that is still to come ([`store::ahead_of`]) was not written by this clock.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Postgres, postgres::PgArguments, query::Query};
use store::{Result, Whose, ahead_of};

use crate::{PostgresStore, changes::announce, entities::Tried, repeating::repeating};

/// The leases of businesses and of their runs; there is one row a business.
const LEASES: &str = "
    WITH ended AS (UPDATE business_leases SET lease_until = least(lease_until, $1), taken_at = $1 WHERE taken_at > $2
                   RETURNING binding_id, run_id, attempt_id)
    UPDATE runs r SET lease_until = least(r.lease_until, $1) FROM ended e
    WHERE r.binding_id = e.binding_id AND r.id = e.run_id AND r.attempt_id = e.attempt_id AND r.status = 'running'";

/// Due times and rests, at `$1`, of marks later than `$2`. Runs may be many, and a write of so many at once holds up no other for long;
/// who works on one of them keeps it. Of shops and channels their own row is written first, as everybody does.
const DUE_TIMES: &[&str] = &[
    "UPDATE runs SET next_at = $1, updated_at = $1
     WHERE id IN (SELECT late.id FROM bindings b CROSS JOIN LATERAL (
                      SELECT r.id FROM runs r
                      WHERE r.binding_id = b.id AND r.status IN ('queued', 'retrying') AND r.next_at > $1 AND r.updated_at > $2
                      ORDER BY r.next_at DESC LIMIT 1000 FOR UPDATE SKIP LOCKED) late
                  LIMIT 1000)",
    "UPDATE intents SET first_sent_at = least(first_sent_at, $1), unanswered_at = $1 WHERE unanswered_at > $2",
    // A search rests for a minute at most.
    "UPDATE backfills SET next_at = $1 WHERE ended_at IS NULL AND next_at > $2",
    "UPDATE rests SET until = least(until, $1), set_at = $1 WHERE set_at > $2",
    "UPDATE sync_state_queue
     SET lease_until = CASE WHEN lease_until > $1 THEN $1 ELSE lease_until END,
         rests_until = CASE WHEN rests_until > $1 THEN $1 ELSE rests_until END, claimed_at = $1
     WHERE claimed_at > $2",
    "WITH ahead AS (UPDATE sync_state_queue q SET due_at = least(due_at, $1)
                    WHERE EXISTS (SELECT 1 FROM sync_state_deliveries d
                                  WHERE d.binding_id = q.binding_id AND d.next_at > $1 AND d.set_at > $2)
                    RETURNING binding_id)
     UPDATE sync_state_deliveries d SET next_at = $1, set_at = $1 FROM ahead
     WHERE d.binding_id = ahead.binding_id AND d.next_at > $1 AND d.set_at > $2",
    "UPDATE alert_channels
     SET lease_until = CASE WHEN lease_until > $1 THEN $1 ELSE lease_until END,
         rests_until = CASE WHEN rests_until > $1 THEN $1 ELSE rests_until END, claimed_at = $1
     WHERE claimed_at > $2",
    "UPDATE alert_deliveries SET next_at = $1, set_at = $1 WHERE next_at > $1 AND set_at > $2",
];

/// Ends the leases of runs that a clock that was ahead gave or extended.
pub(crate) async fn end_leases(connection: &mut PgConnection, now: DateTime<Utc>) -> Tried<u64> {
    Ok(at(LEASES, now).execute(connection).await?.rows_affected())
}

pub(crate) async fn bring_forward(store: &PostgresStore, now: DateTime<Utc>) -> Result<u64> {
    repeating(move || bring(store, now)).await
}

async fn bring(store: &PostgresStore, now: DateTime<Utc>) -> Tried<u64> {
    let mut transaction = store.pool.begin().await?;
    let mut changed = end_leases(&mut transaction, now).await?;
    for statement in DUE_TIMES {
        changed += at(statement, now).execute(&mut *transaction).await?.rows_affected();
    }
    if changed > 0 {
        announce(&mut transaction, Whose::Everybody).await?;
    }
    transaction.commit().await?;
    Ok(changed)
}

fn at(statement: &'static str, now: DateTime<Utc>) -> Query<'static, Postgres, PgArguments> {
    sqlx::query(statement).bind(now).bind(ahead_of(now))
}
