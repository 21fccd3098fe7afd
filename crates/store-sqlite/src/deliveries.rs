//! Deliveries of sync states to Magento: one row an entity.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{BindingId, OrganisationId, RunId},
    run::EntityKind,
};
use sqlx::SqliteConnection;
use store::{Deliveries, Delivery, DeliveryState, Error, Result, SyncState};

use crate::{
    columns::{Place, instant},
    error::translate,
    sqlite::SqliteStore,
};

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
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = Error;

    fn try_from(row: DeliveryRow) -> Result<Self> {
        let name = format!("{} {} of {}", row.entity, row.magento_id, row.binding_id);
        let place = Place { table: "sync_state_deliveries", row: &name };
        let state = SyncState {
            entity: place.word("entity", &row.entity)?,
            magento_id: row.magento_id,
            status: row.status,
            sage_id: row.sage_id,
            sage_reference: row.sage_reference,
            skip_reason: row.skip_reason,
            error_code: row.error_code,
            at: place.time("at", &row.at)?,
        };
        let binding_id = place.word("binding_id", &row.binding_id)?;
        let DeliveryRow { version, attempts, trace_parent, .. } = row;
        Ok(Self { binding_id, state, version, attempts, trace_parent })
    }
}

#[derive(sqlx::FromRow)]
struct StateRow {
    #[sqlx(flatten)]
    delivery: DeliveryRow,
    next_at: Option<String>,
    delivered_at: Option<String>,
    last_error: Option<String>,
}

impl TryFrom<StateRow> for DeliveryState {
    type Error = Error;

    fn try_from(row: StateRow) -> Result<Self> {
        let StateRow { delivery, next_at, delivered_at, last_error } = row;
        let Delivery { state, attempts, .. } = delivery.try_into()?;
        let name = format!("{} {}", state.entity, state.magento_id);
        let place = Place { table: "sync_state_deliveries", row: &name };
        let next_at = place.optional_time("next_at", next_at.as_deref())?;
        let delivered_at = place.optional_time("delivered_at", delivered_at.as_deref())?;
        Ok(Self { state, attempts, next_at, delivered_at, last_error })
    }
}

#[async_trait]
impl Deliveries for SqliteStore {
    async fn claim_deliveries(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Delivery>> {
        sqlx::query_as::<_, DeliveryRow>(
            "UPDATE sync_state_deliveries SET attempts = attempts + 1, lease_until = ?2
              WHERE rowid IN (
                    SELECT d.rowid FROM sync_state_deliveries d JOIN bindings b ON b.id = d.binding_id
                     WHERE d.next_at <= ?1 AND coalesce(d.lease_until, '') <= ?1 AND b.status <> 'revoked'
                     ORDER BY d.next_at, d.rowid LIMIT ?3)
             RETURNING *",
        )
        .bind(instant(now))
        .bind(instant(lease_until))
        .bind(limit)
        .fetch_all(self.writer.pool())
        .await
        .map_err(translate)?
        .into_iter()
        .map(Delivery::try_from)
        .collect()
    }

    async fn delivery_arrived(&self, delivery: &Delivery, now: DateTime<Utc>) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let result = sqlx::query(
            "UPDATE sync_state_deliveries SET next_at = NULL, lease_until = NULL, last_error = NULL, delivered_at = ?5
              WHERE binding_id = ?1 AND entity = ?2 AND magento_id = ?3 AND version = ?4",
        )
        .bind(delivery.binding_id.to_string())
        .bind(delivery.state.entity.as_str())
        .bind(delivery.state.magento_id)
        .bind(delivery.version)
        .bind(instant(now))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        if result.rows_affected() == 0 {
            let_newer_go(&mut transaction, delivery).await?;
        }
        transaction.commit().await.map_err(translate)
    }

    async fn delivery_failed(
        &self,
        delivery: &Delivery,
        error: &str,
        next_at: Option<DateTime<Utc>>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        // The count of tries tells whether it is still this holder's.
        let result = sqlx::query(
            "UPDATE sync_state_deliveries SET next_at = ?5, lease_until = NULL, last_error = ?6
              WHERE binding_id = ?1 AND entity = ?2 AND magento_id = ?3 AND version = ?4 AND attempts = ?7
                AND next_at IS NOT NULL",
        )
        .bind(delivery.binding_id.to_string())
        .bind(delivery.state.entity.as_str())
        .bind(delivery.state.magento_id)
        .bind(delivery.version)
        .bind(next_at.map(instant))
        .bind(error)
        .bind(delivery.attempts)
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        if result.rows_affected() == 0 {
            let_newer_go(&mut transaction, delivery).await?;
        }
        transaction.commit().await.map_err(translate)
    }

    async fn delivery_of(
        &self,
        organisation: OrganisationId,
        binding: BindingId,
        entity: EntityKind,
        magento_id: i64,
    ) -> Result<Option<DeliveryState>> {
        let row: Option<StateRow> = sqlx::query_as(
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

    async fn next_delivery_due(&self) -> Result<Option<DateTime<Utc>>> {
        let due: Option<String> = sqlx::query_scalar(
            "SELECT min(max(d.next_at, coalesce(d.lease_until, '')))
               FROM sync_state_deliveries d JOIN bindings b ON b.id = d.binding_id
              WHERE d.next_at IS NOT NULL AND b.status <> 'revoked'",
        )
        .fetch_one(&self.readers)
        .await
        .map_err(translate)?;
        Place { table: "sync_state_deliveries", row: "the next one" }.optional_time("next_at", due.as_deref())
    }
}

/// Frees a newer state that waited for this one to come home. One that is on its way itself (it has tries) is left alone.
async fn let_newer_go(connection: &mut SqliteConnection, delivery: &Delivery) -> Result<()> {
    sqlx::query(
        "UPDATE sync_state_deliveries SET lease_until = NULL
          WHERE binding_id = ?1 AND entity = ?2 AND magento_id = ?3 AND version > ?4 AND attempts = 0",
    )
    .bind(delivery.binding_id.to_string())
    .bind(delivery.state.entity.as_str())
    .bind(delivery.state.magento_id)
    .bind(delivery.version)
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
    sqlx::query(
        "INSERT INTO sync_state_deliveries (binding_id, entity, magento_id, status, sage_id, sage_reference, skip_reason,
                                            error_code, at, version, attempts, next_at, trace_parent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, 0, ?10, (SELECT r.trace_parent FROM runs r WHERE r.id = ?11))
         ON CONFLICT (binding_id, entity, magento_id) DO UPDATE
            SET status = excluded.status, sage_id = excluded.sage_id, sage_reference = excluded.sage_reference,
                skip_reason = excluded.skip_reason, error_code = excluded.error_code, at = excluded.at,
                version = sync_state_deliveries.version + 1, attempts = 0, next_at = excluded.next_at,
                delivered_at = NULL, last_error = NULL, trace_parent = excluded.trace_parent",
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
