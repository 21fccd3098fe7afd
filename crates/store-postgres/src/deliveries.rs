//! Deliveries of sync states to Magento: one row an entity.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{BindingId, OrganisationId},
    run::EntityKind,
};
use sqlx::{FromRow, PgConnection};
use store::{Deliveries, Delivery, DeliveryState, Error, Result, SyncState};
use uuid::Uuid;

use crate::{
    PostgresStore,
    error::{Place, Tried, clean, clean_option, repeating, translate},
};

#[derive(FromRow)]
struct DeliveryRow {
    binding_id: Uuid,
    entity: String,
    magento_id: i64,
    status: String,
    sage_id: Option<String>,
    sage_reference: Option<String>,
    skip_reason: Option<String>,
    error_code: Option<String>,
    at: DateTime<Utc>,
    version: i64,
    attempts: i32,
    trace_parent: Option<String>,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = Error;

    fn try_from(row: DeliveryRow) -> Result<Self> {
        let place = Place { table: "sync_state_deliveries", row: &row.magento_id };
        Ok(Self {
            binding_id: BindingId(row.binding_id),
            state: SyncState {
                entity: place.word("entity", &row.entity)?,
                magento_id: row.magento_id,
                status: row.status,
                sage_id: row.sage_id,
                sage_reference: row.sage_reference,
                skip_reason: row.skip_reason,
                error_code: row.error_code,
                at: row.at,
            },
            version: row.version,
            attempts: row.attempts,
            trace_parent: row.trace_parent,
        })
    }
}

#[derive(FromRow)]
struct StateRow {
    #[sqlx(flatten)]
    delivery: DeliveryRow,
    next_at: Option<DateTime<Utc>>,
    delivered_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
}

impl TryFrom<StateRow> for DeliveryState {
    type Error = Error;

    fn try_from(row: StateRow) -> Result<Self> {
        let StateRow { delivery, next_at, delivered_at, last_error } = row;
        let Delivery { state, attempts, .. } = delivery.try_into()?;
        Ok(Self { state, attempts, next_at, delivered_at, last_error })
    }
}

#[async_trait]
impl Deliveries for PostgresStore {
    async fn claim_deliveries(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Delivery>> {
        repeating(move || async move {
            let rows: Vec<DeliveryRow> = sqlx::query_as(
                "WITH due AS (
                     SELECT d.binding_id, d.entity, d.magento_id
                     FROM sync_state_deliveries d
                     JOIN bindings b ON b.id = d.binding_id AND b.status <> 'revoked'
                     WHERE d.next_at <= $1 AND (d.lease_until IS NULL OR d.lease_until <= $1)
                     ORDER BY d.next_at, d.binding_id, d.magento_id
                     LIMIT $3 FOR UPDATE OF d SKIP LOCKED
                 ), taken AS (
                     UPDATE sync_state_deliveries d
                     SET attempts = d.attempts + 1, lease_until = $2, leased_version = d.version
                     FROM due
                     WHERE d.binding_id = due.binding_id AND d.entity = due.entity AND d.magento_id = due.magento_id
                     RETURNING d.*
                 )
                 SELECT binding_id, entity, magento_id, status, sage_id, sage_reference, skip_reason, error_code, at,
                        version, attempts, trace_parent
                 FROM taken ORDER BY next_at, binding_id, magento_id",
            )
            .bind(now)
            .bind(lease_until)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
            Ok(rows.into_iter().map(Delivery::try_from).collect::<Result<Vec<_>>>()?)
        })
        .await
    }

    async fn delivery_arrived(&self, delivery: &Delivery, now: DateTime<Utc>) -> Result<()> {
        // True whoever holds the row by now; the lease is given back only if it is still that of this version.
        repeating(move || async move {
            sqlx::query(
                "UPDATE sync_state_deliveries
                 SET next_at = CASE WHEN version = $4 THEN NULL ELSE next_at END,
                     delivered_at = CASE WHEN version = $4 THEN $5 ELSE delivered_at END,
                     last_error = CASE WHEN version = $4 THEN NULL ELSE last_error END,
                     lease_until = CASE WHEN leased_version = $4 THEN NULL ELSE lease_until END,
                     leased_version = CASE WHEN leased_version = $4 THEN NULL ELSE leased_version END
                 WHERE binding_id = $1 AND entity = $2 AND magento_id = $3 AND $4 IN (version, leased_version)",
            )
            .bind(delivery.binding_id.0)
            .bind(delivery.state.entity.as_str())
            .bind(delivery.state.magento_id)
            .bind(delivery.version)
            .bind(now)
            .execute(&self.pool)
            .await?;
            Ok(())
        })
        .await
    }

    async fn delivery_failed(
        &self,
        delivery: &Delivery,
        error: &str,
        next_at: Option<DateTime<Utc>>,
    ) -> Result<()> {
        // A late word of one who lost the lease changes nothing: the same version has been tried again since, or a newer one is
        // on its way.
        repeating(move || async move {
            sqlx::query(
                "UPDATE sync_state_deliveries
                 SET next_at = CASE WHEN version = $4 THEN $6 ELSE next_at END,
                     last_error = CASE WHEN version = $4 THEN $7 ELSE last_error END,
                     lease_until = NULL, leased_version = NULL
                 WHERE binding_id = $1 AND entity = $2 AND magento_id = $3
                   AND leased_version = $4 AND (version <> $4 OR attempts = $5)",
            )
            .bind(delivery.binding_id.0)
            .bind(delivery.state.entity.as_str())
            .bind(delivery.state.magento_id)
            .bind(delivery.version)
            .bind(delivery.attempts)
            .bind(next_at)
            .bind(clean(error))
            .execute(&self.pool)
            .await?;
            Ok(())
        })
        .await
    }

    async fn delivery_of(
        &self,
        organisation: OrganisationId,
        binding: BindingId,
        entity: EntityKind,
        magento_id: i64,
    ) -> Result<Option<DeliveryState>> {
        let row: Option<StateRow> = sqlx::query_as(
            "SELECT d.binding_id, d.entity, d.magento_id, d.status, d.sage_id, d.sage_reference, d.skip_reason,
                    d.error_code, d.at, d.version, d.trace_parent, d.attempts, d.next_at, d.delivered_at, d.last_error
             FROM sync_state_deliveries d JOIN bindings b ON b.id = d.binding_id AND b.organisation_id = $1
             WHERE d.binding_id = $2 AND d.entity = $3 AND d.magento_id = $4",
        )
        .bind(organisation.0)
        .bind(binding.0)
        .bind(entity.as_str())
        .bind(magento_id)
        .fetch_optional(&self.pool)
        .await
        .map_err(translate)?;
        row.map(DeliveryState::try_from).transpose()
    }

    async fn next_delivery_due(&self) -> Result<Option<DateTime<Utc>>> {
        sqlx::query_scalar(
            "SELECT min(greatest(d.next_at, d.lease_until))
             FROM sync_state_deliveries d JOIN bindings b ON b.id = d.binding_id AND b.status <> 'revoked'
             WHERE d.next_at IS NOT NULL",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(translate)
    }
}

/// Notes within a transaction what Magento is to be told, by the run that has reached it: it takes the place of what was to be told before. A lease stays, so
/// that this state cannot overtake an older one that is on its way.
pub(crate) async fn tell(
    connection: &mut PgConnection,
    (binding, run): (Uuid, Uuid),
    state: &SyncState,
    now: DateTime<Utc>,
) -> Tried<()> {
    sqlx::query(
        "INSERT INTO sync_state_deliveries AS d (binding_id, entity, magento_id, status, sage_id, sage_reference,
                                                 skip_reason, error_code, at, version, attempts, next_at,
                                                 trace_parent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, 0, $10,
                 (SELECT r.trace_parent FROM runs r WHERE r.binding_id = $1 AND r.id = $11))
         ON CONFLICT (binding_id, entity, magento_id) DO UPDATE
         SET status = excluded.status, sage_id = excluded.sage_id, sage_reference = excluded.sage_reference,
             skip_reason = excluded.skip_reason, error_code = excluded.error_code, at = excluded.at,
             version = d.version + 1, attempts = 0, next_at = excluded.next_at, last_error = NULL,
             trace_parent = excluded.trace_parent",
    )
    .bind(binding)
    .bind(state.entity.as_str())
    .bind(state.magento_id)
    .bind(&state.status)
    .bind(&state.sage_id)
    .bind(clean_option(state.sage_reference.as_ref()))
    .bind(&state.skip_reason)
    .bind(&state.error_code)
    .bind(state.at)
    .bind(now)
    .bind(run)
    .execute(connection)
    .await?;
    Ok(())
}
