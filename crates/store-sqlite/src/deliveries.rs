//! Deliveries of sync states to Magento: one row an entity, and a queue of the shops that are to be told something.

mod queue;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{BindingId, OrganisationId, RunId},
    run::EntityKind,
};
use sqlx::SqliteConnection;
use store::{Deliveries, Delivery, DeliveryState, Error, Failed, Result, SyncState, Targets, Unanswered};

use crate::{
    columns::{Place, instant},
    error::translate,
    sqlite::SqliteStore,
};
use queue::{NEXT_DUE, NEXT_SHOP, free, set_due, take};

/// A delivery's row.
struct Key<'a> {
    binding: &'a str,
    entity: &'a str,
    magento_id: i64,
}

#[derive(sqlx::FromRow)]
struct DeliveryRow {
    binding_id: String,
    entity: String,
    magento_id: i64,
    status: String,
    sage_id: Option<String>,
    sage_reference: Option<String>,
    skip_reason: Option<String>,
    error_code: Option<String>,
    at: String,
    version: i64,
    attempts: i32,
    trace_parent: Option<String>,
    unanswered_version: Option<i64>,
    unanswered_at: Option<String>,
    next_at: Option<String>,
    delivered_at: Option<String>,
    last_error: Option<String>,
}

impl DeliveryRow {
    /// The row as it is held by this claim, the try that begins counted.
    fn held(self, claim: i64, rests: u32) -> Result<Delivery> {
        let name = format!("{} {} of {}", self.entity, self.magento_id, self.binding_id);
        let place = Place { table: "sync_state_deliveries", row: &name };
        let unanswered_at = place.optional_time("unanswered_at", self.unanswered_at.as_deref())?;
        Ok(Delivery {
            binding_id: place.word("binding_id", &self.binding_id)?,
            version: self.version,
            attempts: self.attempts + 1,
            trace_parent: self.trace_parent.clone(),
            claim,
            rests,
            unanswered: self
                .unanswered_version
                .zip(unanswered_at)
                .map(|(version, at)| Unanswered { version, at }),
            state: self.state()?,
        })
    }

    fn state(self) -> Result<SyncState> {
        let name = format!("{} {} of {}", self.entity, self.magento_id, self.binding_id);
        let place = Place { table: "sync_state_deliveries", row: &name };
        Ok(SyncState {
            entity: place.word("entity", &self.entity)?,
            at: place.time("at", &self.at)?,
            magento_id: self.magento_id,
            status: self.status,
            sage_id: self.sage_id,
            sage_reference: self.sage_reference,
            skip_reason: self.skip_reason,
            error_code: self.error_code,
        })
    }
}

impl TryFrom<DeliveryRow> for DeliveryState {
    type Error = Error;

    fn try_from(mut row: DeliveryRow) -> Result<Self> {
        let name = format!("{} {}", row.entity, row.magento_id);
        let place = Place { table: "sync_state_deliveries", row: &name };
        Ok(Self {
            attempts: row.attempts,
            next_at: place.optional_time("next_at", row.next_at.as_deref())?,
            delivered_at: place.optional_time("delivered_at", row.delivered_at.as_deref())?,
            last_error: row.last_error.take(),
            state: row.state()?,
        })
    }
}

#[async_trait]
impl Deliveries for SqliteStore {
    async fn claim_delivery(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        targets: Targets,
    ) -> Result<Option<Delivery>> {
        loop {
            let mut transaction = self.writer.begin().await?;
            let shop: Option<String> = sqlx::query_scalar(NEXT_SHOP)
                .bind(instant(now))
                .bind(targets == Targets::All)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(translate)?;
            let Some(shop) = shop else { return Ok(None) };
            let taken = take(&mut transaction, &shop, now, lease_until).await?;
            transaction.commit().await.map_err(translate)?;
            if taken.is_some() {
                return Ok(taken);
            }
        }
    }

    async fn renew_delivery(
        &self,
        delivery: &Delivery,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Option<Delivery>> {
        let binding = delivery.binding_id.to_string();
        let key = key_of(&binding, delivery);
        let mut transaction = self.writer.begin().await?;
        let held = sqlx::query(
            "UPDATE sync_state_queue SET lease_until = ?3
              WHERE binding_id = ?1 AND claim = ?2 AND lease_until IS NOT NULL",
        )
        .bind(&binding)
        .bind(delivery.claim)
        .bind(instant(lease_until))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        if held.rows_affected() == 0 {
            return Ok(None);
        }
        let newest = read(&mut transaction, &key).await?;
        let renewed = if newest.next_at.is_some() {
            let renewed = newest.held(delivery.claim, delivery.rests)?;
            leave(&mut transaction, &key, &renewed, now).await?;
            Some(renewed)
        } else {
            free(&mut transaction, delivery, None).await?;
            set_due(&mut transaction, &binding).await?;
            None
        };
        transaction.commit().await.map_err(translate)?;
        Ok(renewed)
    }

    async fn delivery_arrived(&self, delivery: &Delivery, now: DateTime<Utc>) -> Result<()> {
        let binding = delivery.binding_id.to_string();
        let key = key_of(&binding, delivery);
        let mut transaction = self.writer.begin().await?;
        if free(&mut transaction, delivery, None).await? {
            note_calls(&mut transaction, &key, delivery.unanswered_at(now)).await?;
            sqlx::query(
                "UPDATE sync_state_deliveries SET next_at = ?5, last_error = NULL, delivered_at = ?6, set_at = ?6
                  WHERE binding_id = ?1 AND entity = ?2 AND magento_id = ?3 AND version = ?4",
            )
            .bind(key.binding)
            .bind(key.entity)
            .bind(key.magento_id)
            .bind(delivery.version)
            .bind(delivery.repeat_at(now).map(instant))
            .bind(instant(now))
            .execute(&mut *transaction)
            .await
            .map_err(translate)?;
        } else {
            // It left while another held the shop: what that one has told since is overwritten by now.
            sqlx::query(
                "UPDATE sync_state_deliveries SET next_at = ?5, set_at = ?5
                  WHERE binding_id = ?1 AND entity = ?2 AND magento_id = ?3 AND version > ?4
                    AND next_at IS NULL AND delivered_at IS NOT NULL",
            )
            .bind(key.binding)
            .bind(key.entity)
            .bind(key.magento_id)
            .bind(delivery.version)
            .bind(instant(now))
            .execute(&mut *transaction)
            .await
            .map_err(translate)?;
        }
        set_due(&mut transaction, key.binding).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn delivery_failed(&self, delivery: &Delivery, failed: Failed<'_>) -> Result<()> {
        let binding = delivery.binding_id.to_string();
        let key = key_of(&binding, delivery);
        let mut transaction = self.writer.begin().await?;
        if !free(&mut transaction, delivery, failed.rests_until).await? {
            return Ok(());
        }
        if !failed.may_arrive {
            note_calls(&mut transaction, &key, delivery.unanswered).await?;
        }
        sqlx::query(
            "UPDATE sync_state_deliveries SET next_at = ?5, last_error = ?6, attempts = ?7,
                    set_at = (SELECT q.claimed_at FROM sync_state_queue q WHERE q.binding_id = ?1)
              WHERE binding_id = ?1 AND entity = ?2 AND magento_id = ?3 AND version = ?4",
        )
        .bind(key.binding)
        .bind(key.entity)
        .bind(key.magento_id)
        .bind(delivery.version)
        .bind(failed.next_at.map(instant))
        .bind(failed.error)
        .bind(delivery.attempts)
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        set_due(&mut transaction, key.binding).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn delivery_of(
        &self,
        organisation: OrganisationId,
        binding: BindingId,
        entity: EntityKind,
        magento_id: i64,
    ) -> Result<Option<DeliveryState>> {
        let row: Option<DeliveryRow> = sqlx::query_as(
            "SELECT d.* FROM sync_state_deliveries d JOIN bindings b ON b.id = d.binding_id
              WHERE d.binding_id = ?2 AND d.entity = ?3 AND d.magento_id = ?4 AND b.organisation_id = ?1",
        )
        .bind(organisation.to_string())
        .bind(binding.to_string())
        .bind(entity.as_str())
        .bind(magento_id)
        .fetch_optional(&self.readers)
        .await
        .map_err(translate)?;
        row.map(DeliveryState::try_from).transpose()
    }

    async fn next_delivery_due(&self, targets: Targets) -> Result<Option<DateTime<Utc>>> {
        let due: Option<String> = sqlx::query_scalar(NEXT_DUE)
            .bind(targets == Targets::All)
            .fetch_one(&self.readers)
            .await
            .map_err(translate)?;
        Place { table: "sync_state_queue", row: "the next one" }.optional_time("due_at", due.as_deref())
    }
}

fn key_of<'a>(binding: &'a str, delivery: &Delivery) -> Key<'a> {
    Key { binding, entity: delivery.state.entity.as_str(), magento_id: delivery.state.magento_id }
}

async fn read(connection: &mut SqliteConnection, key: &Key<'_>) -> Result<DeliveryRow> {
    sqlx::query_as(
        "SELECT * FROM sync_state_deliveries WHERE binding_id = ?1 AND entity = ?2 AND magento_id = ?3",
    )
    .bind(key.binding)
    .bind(key.entity)
    .bind(key.magento_id)
    .fetch_one(connection)
    .await
    .map_err(translate)
}

/// Notes that a call leaves now: until it is answered it may arrive at any time.
async fn leave(
    connection: &mut SqliteConnection,
    key: &Key<'_>,
    delivery: &Delivery,
    now: DateTime<Utc>,
) -> Result<()> {
    note_calls(connection, key, Some(delivery.unanswered_with(now))).await?;
    sqlx::query(
        "UPDATE sync_state_deliveries SET attempts = ?4 WHERE binding_id = ?1 AND entity = ?2 AND magento_id = ?3",
    )
    .bind(key.binding)
    .bind(key.entity)
    .bind(key.magento_id)
    .bind(delivery.attempts)
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}

/// Notes which calls may still arrive, now that one has come home.
async fn note_calls(
    connection: &mut SqliteConnection,
    key: &Key<'_>,
    left: Option<Unanswered>,
) -> Result<()> {
    sqlx::query(
        "UPDATE sync_state_deliveries SET unanswered_version = ?4, unanswered_at = ?5
          WHERE binding_id = ?1 AND entity = ?2 AND magento_id = ?3",
    )
    .bind(key.binding)
    .bind(key.entity)
    .bind(key.magento_id)
    .bind(left.map(|left| left.version))
    .bind(left.map(|left| instant(left.at)))
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}

/// Makes a state what Magento is to be told of its entity, due at once, by the run that has reached it.
pub(crate) async fn upsert(
    connection: &mut SqliteConnection,
    (binding, run): (&str, RunId),
    state: &SyncState,
    now: DateTime<Utc>,
) -> Result<()> {
    queue::enqueue(&mut *connection, binding, now).await?;
    sqlx::query(
        "INSERT INTO sync_state_deliveries (binding_id, entity, magento_id, status, sage_id, sage_reference, skip_reason,
                                            error_code, at, version, attempts, next_at, set_at, trace_parent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, 0, ?10, ?10, (SELECT r.trace_parent FROM runs r WHERE r.id = ?11))
         ON CONFLICT (binding_id, entity, magento_id) DO UPDATE
            SET status = excluded.status, sage_id = excluded.sage_id, sage_reference = excluded.sage_reference,
                skip_reason = excluded.skip_reason, error_code = excluded.error_code, at = excluded.at,
                version = sync_state_deliveries.version + 1, attempts = 0, next_at = excluded.next_at,
                set_at = excluded.set_at, delivered_at = NULL, last_error = NULL, trace_parent = excluded.trace_parent",
    )
    .bind(binding)
    .bind(state.entity.as_str())
    .bind(state.magento_id)
    .bind(&state.status)
    .bind(&state.sage_id)
    .bind(&state.sage_reference)
    .bind(&state.skip_reason)
    .bind(&state.error_code)
    .bind(instant(state.at))
    .bind(instant(now))
    .bind(run.to_string())
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}
