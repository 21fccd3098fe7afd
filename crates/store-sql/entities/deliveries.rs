//! Deliveries of sync states to Magento: one row an entity, and a queue of the shops that are to be told something.

mod delivery_rows;
mod queue;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{BindingId, OrganisationId, RunId},
    run::EntityKind,
};
use store::{Deliveries, Delivery, DeliveryState, Failed, Result, SyncState, Targets, Unanswered};
use store_sql::{Id, Instant, Text};

use super::{Tried, rows};
use crate::{
    db::Connection,
    driver::{Driver, Transaction},
    error::translate,
};
use delivery_rows::{DeliveryRow, Key, key_of, read};
pub(crate) use queue::end_rest;
use queue::{Look, NEXT_DUE, free, hold, look, set_due};

/// How often a claim looks again after others were quicker.
const LOOKS: u32 = 8;

#[async_trait]
impl Deliveries for Driver {
    async fn claim_delivery(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        targets: Targets,
    ) -> Result<Option<Delivery>> {
        for _ in 0..LOOKS {
            let looked = self.write(move |transaction| look(transaction, now, lease_until, targets));
            match looked.await? {
                Look::Nothing => return Ok(None),
                Look::Again => {}
                Look::Taken(delivery) => return Ok(Some(*delivery)),
            }
        }
        // Others are busy taking what there is; the caller comes back.
        Ok(None)
    }

    async fn renew_delivery(
        &self,
        delivery: &Delivery,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Option<Delivery>> {
        self.write(move |transaction| renew(transaction, delivery, now, lease_until)).await
    }

    async fn delivery_arrived(&self, delivery: &Delivery, now: DateTime<Utc>) -> Result<()> {
        self.write(move |transaction| arrived(transaction, delivery, now)).await
    }

    async fn delivery_failed(&self, delivery: &Delivery, failed: Failed<'_>) -> Result<()> {
        self.write(move |transaction| fail(transaction, delivery, failed)).await
    }

    async fn delivery_of(
        &self,
        organisation: OrganisationId,
        binding: BindingId,
        entity: EntityKind,
        magento_id: i64,
    ) -> Result<Option<DeliveryState>> {
        let found = sqlx::query(
            "SELECT d.* FROM sync_state_deliveries d
             JOIN bindings b ON b.id = d.binding_id AND b.organisation_id = $1
             WHERE d.binding_id = $2 AND d.entity = $3 AND d.magento_id = $4",
        )
        .bind(Id(organisation))
        .bind(Id(binding))
        .bind(entity.as_str())
        .bind(magento_id);
        Ok(rows::optional::<DeliveryRow>(found, self.reader()).await?.map(DeliveryState::from))
    }

    async fn next_delivery_due(&self, targets: Targets) -> Result<Option<DateTime<Utc>>> {
        let due = sqlx::query_scalar(NEXT_DUE).bind(targets == Targets::All).fetch_one(self.reader()).await;
        let due: Option<Instant> = due.map_err(translate)?;
        Ok(due.map(|due| due.0))
    }
}

async fn renew(
    mut transaction: Transaction,
    delivery: &Delivery,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Tried<Option<Delivery>> {
    let key = key_of(delivery);
    let held = sqlx::query(
        "UPDATE sync_state_queue SET lease_until = $3
         WHERE binding_id = $1 AND claim = $2 AND lease_until IS NOT NULL",
    )
    .bind(Id(key.binding))
    .bind(delivery.claim)
    .bind(Instant(lease_until))
    .execute(&mut *transaction)
    .await?;
    if held.rows_affected() == 0 {
        return Ok(None);
    }
    let newest = read(&mut transaction, &key).await?;
    let renewed = if newest.next_at.is_some() {
        let renewed = newest.held(delivery.claim, delivery.rests);
        leave(&mut transaction, &key, &renewed, now).await?;
        Some(renewed)
    } else {
        free(&mut transaction, delivery, None).await?;
        set_due(&mut transaction, key.binding).await?;
        None
    };
    transaction.commit(renewed).await
}

async fn arrived(mut transaction: Transaction, delivery: &Delivery, now: DateTime<Utc>) -> Tried<()> {
    let key = key_of(delivery);
    hold(&mut transaction, key.binding).await?;
    if free(&mut transaction, delivery, None).await? {
        note_calls(&mut transaction, &key, delivery.unanswered_at(now)).await?;
        sqlx::query(
            "UPDATE sync_state_deliveries SET next_at = $5, last_error = NULL, delivered_at = $6, set_at = $6
             WHERE binding_id = $1 AND entity = $2 AND magento_id = $3 AND version = $4",
        )
        .bind(Id(key.binding))
        .bind(key.entity)
        .bind(key.magento_id)
        .bind(delivery.version)
        .bind(delivery.repeat_at(now).map(Instant))
        .bind(Instant(now))
        .execute(&mut *transaction)
        .await?;
        if delivery.rests > 0 || delivery.attempts > 1 {
            queue::bring_forward(&mut transaction, key.binding, now).await?;
        }
    } else {
        // It left while another held the shop: what that one has told since is overwritten by now.
        sqlx::query(
            "UPDATE sync_state_deliveries SET next_at = $5, set_at = $5
             WHERE binding_id = $1 AND entity = $2 AND magento_id = $3 AND version > $4
               AND next_at IS NULL AND delivered_at IS NOT NULL",
        )
        .bind(Id(key.binding))
        .bind(key.entity)
        .bind(key.magento_id)
        .bind(delivery.version)
        .bind(Instant(now))
        .execute(&mut *transaction)
        .await?;
    }
    set_due(&mut transaction, key.binding).await?;
    transaction.commit(()).await
}

async fn fail(mut transaction: Transaction, delivery: &Delivery, failed: Failed<'_>) -> Tried<()> {
    let key = key_of(delivery);
    if !free(&mut transaction, delivery, failed.rests_until).await? {
        return Ok(());
    }
    if !failed.may_arrive {
        note_calls(&mut transaction, &key, delivery.unanswered).await?;
    }
    sqlx::query(
        "UPDATE sync_state_deliveries SET next_at = $5, last_error = $6, attempts = $7,
                set_at = (SELECT q.claimed_at FROM sync_state_queue q WHERE q.binding_id = $1)
         WHERE binding_id = $1 AND entity = $2 AND magento_id = $3 AND version = $4",
    )
    .bind(Id(key.binding))
    .bind(key.entity)
    .bind(key.magento_id)
    .bind(delivery.version)
    .bind(failed.next_at.map(Instant))
    .bind(Text(failed.error))
    .bind(delivery.attempts)
    .execute(&mut *transaction)
    .await?;
    set_due(&mut transaction, key.binding).await?;
    transaction.commit(()).await
}

/// Notes that a call leaves now: until it is answered it may arrive at any time.
async fn leave(
    connection: &mut Connection,
    key: &Key<'_>,
    delivery: &Delivery,
    now: DateTime<Utc>,
) -> Tried<()> {
    note_calls(connection, key, Some(delivery.unanswered_with(now))).await?;
    sqlx::query(
        "UPDATE sync_state_deliveries SET attempts = $4 WHERE binding_id = $1 AND entity = $2 AND magento_id = $3",
    )
    .bind(Id(key.binding))
    .bind(key.entity)
    .bind(key.magento_id)
    .bind(delivery.attempts)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes which calls may still arrive.
async fn note_calls(connection: &mut Connection, key: &Key<'_>, left: Option<Unanswered>) -> Tried<()> {
    sqlx::query(
        "UPDATE sync_state_deliveries SET unanswered_version = $4, unanswered_at = $5
         WHERE binding_id = $1 AND entity = $2 AND magento_id = $3",
    )
    .bind(Id(key.binding))
    .bind(key.entity)
    .bind(key.magento_id)
    .bind(left.map(|left| left.version))
    .bind(left.map(|left| Instant(left.at)))
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes within a transaction what Magento is to be told, by the run that has reached it: it takes the place of what was to be told
/// before. The shop first, as whoever tells it holds it first.
pub(crate) async fn tell(
    connection: &mut Connection,
    (binding, run): (BindingId, RunId),
    state: &SyncState,
    now: DateTime<Utc>,
) -> Tried<()> {
    queue::enqueue(connection, binding, now).await?;
    sqlx::query(
        "INSERT INTO sync_state_deliveries AS d (binding_id, entity, magento_id, status, sage_id, sage_reference,
                                                 skip_reason, error_code, at, version, attempts, next_at,
                                                 set_at, trace_parent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, 0, $10, $10,
                 (SELECT r.trace_parent FROM runs r WHERE r.binding_id = $1 AND r.id = $11))
         ON CONFLICT (binding_id, entity, magento_id) DO UPDATE
         SET status = excluded.status, sage_id = excluded.sage_id, sage_reference = excluded.sage_reference,
             skip_reason = excluded.skip_reason, error_code = excluded.error_code, at = excluded.at,
             version = d.version + 1, attempts = 0, next_at = excluded.next_at,
             set_at = excluded.set_at, delivered_at = NULL, last_error = NULL, trace_parent = excluded.trace_parent",
    )
    .bind(Id(binding))
    .bind(state.entity.as_str())
    .bind(state.magento_id)
    .bind(&state.status)
    .bind(&state.sage_id)
    .bind(state.sage_reference.as_ref().map(Text))
    .bind(&state.skip_reason)
    .bind(&state.error_code)
    .bind(Instant(state.at))
    .bind(Instant(now))
    .bind(Id(run))
    .execute(connection)
    .await?;
    Ok(())
}
