//! The queue of the shops that are to be told something: one call at a time to each, in turn.
//!
//! Whoever writes here or beside it takes the shop's row first. When a shop is next due is counted in a statement of its own once that
//! row is held: it then sees what others have committed meanwhile.

use chrono::{DateTime, Utc};
use domain::ids::BindingId;
use store::{Delivery, Error, Targets};
use store_sql::{Count, Id, Instant, Text};

use super::delivery_rows::{Key, read};
use crate::{
    db::Connection,
    dialect::{greatest, held},
    driver::Transaction,
    entities::Tried,
};

/// The shop that can be told something at `$1` and whose turn was longest ago, held.
const NEXT_SHOP: &str = held!(
    "SELECT q.binding_id FROM sync_state_queue q JOIN bindings b ON b.id = q.binding_id AND b.status <> 'revoked'
      WHERE q.due_at <= $1 AND (q.lease_until IS NULL OR q.lease_until <= $1)
        AND (q.rests_until IS NULL OR q.rests_until <= $1) AND (q.rests = 0 OR $2)
      ORDER BY q.claimed_at NULLS FIRST, q.due_at, q.binding_id LIMIT 1",
    "FOR UPDATE OF q SKIP LOCKED"
);

/// When [`NEXT_SHOP`] can next find something.
pub(super) const NEXT_DUE: &str = concat!(
    "SELECT min(",
    greatest!("q.due_at", "coalesce(q.lease_until, q.due_at)", "coalesce(q.rests_until, q.due_at)"),
    ") FROM sync_state_queue q JOIN bindings b ON b.id = q.binding_id AND b.status <> 'revoked'
      WHERE q.due_at IS NOT NULL AND (q.rests = 0 OR $1)"
);

/// What a look at the queue found.
pub(super) enum Look {
    Nothing,
    /// A shop with nothing to be told after all.
    Again,
    Taken(Box<Delivery>),
}

/// Takes what the next shop is to be told first. What cannot be read is given up.
pub(super) async fn look(
    mut transaction: Transaction,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    targets: Targets,
) -> Tried<Look> {
    let shop: Option<Id<BindingId>> = sqlx::query_scalar(NEXT_SHOP)
        .bind(Instant(now))
        .bind(targets == Targets::All)
        .fetch_optional(&mut *transaction)
        .await?;
    let Some(Id(binding)) = shop else { return Ok(Look::Nothing) };
    let first: Option<(String, i64)> = sqlx::query_as(
        "SELECT entity, magento_id FROM sync_state_deliveries WHERE binding_id = $1 AND next_at <= $2
         ORDER BY next_at, magento_id, entity LIMIT 1",
    )
    .bind(Id(binding))
    .bind(Instant(now))
    .fetch_optional(&mut *transaction)
    .await?;
    let look = if let Some((entity, magento_id)) = first {
        take(&mut transaction, &Key { binding, entity: &entity, magento_id }, now, lease_until).await?
    } else {
        set_due(&mut transaction, binding).await?;
        Look::Again
    };
    transaction.commit(look).await
}

async fn take(
    connection: &mut Connection,
    key: &Key<'_>,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Tried<Look> {
    let (claim, Count(rests)): (i64, Count) = sqlx::query_as(
        "UPDATE sync_state_queue SET claim = claim + 1, claimed_at = $2, lease_until = $3
         WHERE binding_id = $1 RETURNING claim, rests",
    )
    .bind(Id(key.binding))
    .bind(Instant(now))
    .bind(Instant(lease_until))
    .fetch_one(&mut *connection)
    .await?;
    match read(connection, key).await {
        Ok(row) => Ok(Look::Taken(Box::new(row.held(claim, rests)))),
        Err(failure) if failure.is_unreadable() => {
            give_up(connection, key, &failure.into()).await?;
            Ok(Look::Again)
        }
        Err(failure) => Err(failure),
    }
}

/// Gives up a state that cannot be read, and the shop back.
async fn give_up(connection: &mut Connection, key: &Key<'_>, error: &Error) -> Tried<()> {
    sqlx::query(
        "UPDATE sync_state_deliveries SET next_at = NULL, last_error = $4
         WHERE binding_id = $1 AND entity = $2 AND magento_id = $3",
    )
    .bind(Id(key.binding))
    .bind(key.entity)
    .bind(key.magento_id)
    .bind(Text(error.to_string()))
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE sync_state_queue SET lease_until = NULL WHERE binding_id = $1")
        .bind(Id(key.binding))
        .execute(&mut *connection)
        .await?;
    set_due(connection, key.binding).await
}

/// Gives a shop back, to rest where it is to be left alone; false when another holds it by now.
pub(super) async fn free(
    connection: &mut Connection,
    delivery: &Delivery,
    rests_until: Option<DateTime<Utc>>,
) -> Tried<bool> {
    let freed = sqlx::query(
        "UPDATE sync_state_queue
         SET lease_until = NULL, rests_until = $3, rests = CASE WHEN $3 IS NULL THEN 0 ELSE rests + 1 END
         WHERE binding_id = $1 AND claim = $2 AND lease_until IS NOT NULL",
    )
    .bind(Id(delivery.binding_id))
    .bind(delivery.claim)
    .bind(rests_until.map(Instant))
    .execute(connection)
    .await?;
    Ok(freed.rows_affected() == 1)
}

/// Holds a shop's row until the end of the transaction.
pub(super) async fn hold(connection: &mut Connection, binding: BindingId) -> Tried<()> {
    sqlx::query(held!("SELECT 1 FROM sync_state_queue WHERE binding_id = $1", "FOR UPDATE"))
        .bind(Id(binding))
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes when a shop, whose row is held, is next to be told something.
pub(super) async fn set_due(connection: &mut Connection, binding: BindingId) -> Tried<()> {
    sqlx::query(
        "UPDATE sync_state_queue
         SET due_at = (SELECT min(d.next_at) FROM sync_state_deliveries d
                       WHERE d.binding_id = $1 AND d.next_at IS NOT NULL)
         WHERE binding_id = $1",
    )
    .bind(Id(binding))
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a shop is to be told something now.
pub(super) async fn enqueue(
    connection: &mut Connection,
    binding: BindingId,
    now: DateTime<Utc>,
) -> Tried<()> {
    sqlx::query(
        "INSERT INTO sync_state_queue AS q (binding_id, due_at) VALUES ($1, $2)
         ON CONFLICT (binding_id) DO UPDATE SET due_at = CASE WHEN q.due_at < excluded.due_at THEN q.due_at ELSE excluded.due_at END",
    )
    .bind(Id(binding))
    .bind(Instant(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// A shop that did not take what it was told does so again: all that waits for that is due now.
pub(super) async fn bring_forward(
    connection: &mut Connection,
    binding: BindingId,
    now: DateTime<Utc>,
) -> Tried<()> {
    sqlx::query(
        "UPDATE sync_state_deliveries SET next_at = $2, set_at = $2
         WHERE binding_id = $1 AND next_at > $2 AND last_error IS NOT NULL AND delivered_at IS NULL",
    )
    .bind(Id(binding))
    .bind(Instant(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// A shop that answers something else is told at once what it is to be told.
pub(crate) async fn end_rest(connection: &mut Connection, binding: BindingId) -> Tried<()> {
    sqlx::query(
        "UPDATE sync_state_queue SET rests_until = NULL WHERE binding_id = $1 AND rests_until IS NOT NULL",
    )
    .bind(Id(binding))
    .execute(connection)
    .await?;
    Ok(())
}
