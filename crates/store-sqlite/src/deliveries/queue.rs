//! The queue of the shops that are to be told something: one call at a time to each, in turn.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use store::{Delivery, Error, Result};

use super::{Key, read};
use crate::{
    columns::instant,
    error::{is_unreadable, translate},
};

/// The shop that can be told something at `?1` and whose turn was longest ago.
pub(super) const NEXT_SHOP: &str = "
    SELECT q.binding_id FROM sync_state_queue q JOIN bindings b ON b.id = q.binding_id
     WHERE q.due_at <= ?1 AND coalesce(q.lease_until, '') <= ?1 AND coalesce(q.rests_until, '') <= ?1
       AND b.status <> 'revoked' AND (q.rests = 0 OR ?2)
     ORDER BY q.claimed_at NULLS FIRST, q.due_at LIMIT 1";

/// When [`NEXT_SHOP`] can next find something.
pub(super) const NEXT_DUE: &str = "
    SELECT min(max(q.due_at, coalesce(q.lease_until, ''), coalesce(q.rests_until, '')))
      FROM sync_state_queue q JOIN bindings b ON b.id = q.binding_id
     WHERE q.due_at IS NOT NULL AND b.status <> 'revoked' AND (q.rests = 0 OR ?1)";

/// Takes what a shop is to be told first. None when there was nothing after all, or what cannot be read, which is given up.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    binding: &str,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<Option<Delivery>> {
    let first: Option<(String, i64)> = sqlx::query_as(
        "SELECT entity, magento_id FROM sync_state_deliveries WHERE binding_id = ?1 AND next_at <= ?2
          ORDER BY next_at, rowid LIMIT 1",
    )
    .bind(binding)
    .bind(instant(now))
    .fetch_optional(&mut *connection)
    .await
    .map_err(translate)?;
    let Some((entity, magento_id)) = first else {
        set_due(connection, binding).await?;
        return Ok(None);
    };
    let (claim, rests): (i64, u32) = sqlx::query_as(
        "UPDATE sync_state_queue SET claim = claim + 1, claimed_at = ?2, lease_until = ?3
          WHERE binding_id = ?1 RETURNING claim, rests",
    )
    .bind(binding)
    .bind(instant(now))
    .bind(instant(lease_until))
    .fetch_one(&mut *connection)
    .await
    .map_err(translate)?;
    let key = Key { binding, entity: &entity, magento_id };
    match read(connection, &key).await.and_then(|row| row.held(claim, rests)) {
        Ok(delivery) => Ok(Some(delivery)),
        Err(error) if is_unreadable(&error) => {
            give_up(connection, &key, &error).await?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Gives up a state that cannot be read, and the shop back.
async fn give_up(connection: &mut SqliteConnection, key: &Key<'_>, error: &Error) -> Result<()> {
    sqlx::query(
        "UPDATE sync_state_deliveries SET next_at = NULL, last_error = ?4
          WHERE binding_id = ?1 AND entity = ?2 AND magento_id = ?3",
    )
    .bind(key.binding)
    .bind(key.entity)
    .bind(key.magento_id)
    .bind(error.to_string())
    .execute(&mut *connection)
    .await
    .map_err(translate)?;
    sqlx::query("UPDATE sync_state_queue SET lease_until = NULL WHERE binding_id = ?1")
        .bind(key.binding)
        .execute(&mut *connection)
        .await
        .map_err(translate)?;
    set_due(connection, key.binding).await
}

/// Gives a shop back, to rest where it is to be left alone; false when another holds it by now.
pub(super) async fn free(
    connection: &mut SqliteConnection,
    delivery: &Delivery,
    rests_until: Option<DateTime<Utc>>,
) -> Result<bool> {
    let freed = sqlx::query(
        "UPDATE sync_state_queue
            SET lease_until = NULL, rests_until = ?3, rests = iif(?3 IS NULL, 0, rests + 1)
          WHERE binding_id = ?1 AND claim = ?2 AND lease_until IS NOT NULL",
    )
    .bind(delivery.binding_id.to_string())
    .bind(delivery.claim)
    .bind(rests_until.map(instant))
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(freed.rows_affected() == 1)
}

/// Notes when a shop is next to be told something.
pub(super) async fn set_due(connection: &mut SqliteConnection, binding: &str) -> Result<()> {
    sqlx::query(
        "UPDATE sync_state_queue
            SET due_at = (SELECT min(d.next_at) FROM sync_state_deliveries d
                           WHERE d.binding_id = ?1 AND d.next_at IS NOT NULL)
          WHERE binding_id = ?1",
    )
    .bind(binding)
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}

/// Notes that a shop is to be told something now.
pub(super) async fn enqueue(
    connection: &mut SqliteConnection,
    binding: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO sync_state_queue (binding_id, due_at) VALUES (?1, ?2)
         ON CONFLICT (binding_id) DO UPDATE SET due_at = min(coalesce(due_at, excluded.due_at), excluded.due_at)",
    )
    .bind(binding)
    .bind(instant(now))
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}
