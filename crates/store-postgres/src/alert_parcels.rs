//! Parcels: what goes out by a channel in one message.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::AlertId;
use sqlx::{FromRow, PgConnection};
use store::{Alert, AlertChannel, AlertParcel, AlertParcels, Result};
use uuid::Uuid;

use crate::{
    PostgresStore,
    alert_channels::{ChannelRow, note},
    alerts::AlertRow,
    error::{Tried, clean, repeating, translate},
};

/// How often a claim looks again after others were quicker.
const LOOKS: u32 = 5;

/// The delivery that is due longest of those whose channel is not at work, the channels that work first: a receiver that does not
/// answer holds up nobody else.
#[derive(FromRow)]
struct Due {
    alert_id: Uuid,
    channel_id: Uuid,
    slot: DateTime<Utc>,
    parcel: Option<Uuid>,
}

/// What a look at the queue found.
enum Look {
    Nothing,
    /// Another worker took it in between.
    Beaten,
    Taken(Box<AlertParcel>),
}

#[async_trait]
impl AlertParcels for PostgresStore {
    async fn claim_alert_parcel(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Option<AlertParcel>> {
        for _ in 0..LOOKS {
            match repeating(move || look(self, now, lease_until)).await? {
                Look::Nothing => return Ok(None),
                Look::Beaten => {}
                Look::Taken(parcel) => return Ok(Some(*parcel)),
            }
        }
        // Others are busy taking what there is; the caller comes back.
        Ok(None)
    }

    async fn alert_parcel_arrived(&self, parcel: &AlertParcel, now: DateTime<Utc>) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            sqlx::query(
                "UPDATE alert_deliveries SET next_at = NULL, lease_until = NULL, last_error = NULL, delivered_at = $3
                 WHERE channel_id = $1 AND parcel = $2",
            )
            .bind(parcel.channel.id.0)
            .bind(parcel.id.0)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
            note(&mut transaction, parcel.channel.id, None, now).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn alert_parcel_failed(
        &self,
        parcel: &AlertParcel,
        error: &str,
        next_at: Option<DateTime<Utc>>,
    ) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let failed = sqlx::query(
                "UPDATE alert_deliveries SET next_at = $4, lease_until = NULL, last_error = $5
                 WHERE channel_id = $1 AND parcel = $2 AND attempts = $3 AND next_at IS NOT NULL",
            )
            .bind(parcel.channel.id.0)
            .bind(parcel.id.0)
            .bind(parcel.attempts)
            .bind(next_at)
            .bind(clean(error))
            .execute(&mut *transaction)
            .await?;
            if failed.rows_affected() > 0 {
                sqlx::query("UPDATE alert_channels SET last_error = $2 WHERE id = $1")
                    .bind(parcel.channel.id.0)
                    .bind(clean(error))
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn next_alert_due(&self) -> Result<Option<DateTime<Utc>>> {
        sqlx::query_scalar(
            "SELECT min(due) FROM (
                SELECT greatest(min(d.next_at), max(d.lease_until)) AS due
                FROM alert_deliveries d JOIN alert_channels c ON c.id = d.channel_id AND c.disabled_at IS NULL
                WHERE d.next_at IS NOT NULL GROUP BY d.channel_id) channels",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(translate)
    }
}

/// A look at the queue. The channel is held meanwhile, so that two workers cannot halve a digest.
async fn look(store: &PostgresStore, now: DateTime<Utc>, lease_until: DateTime<Utc>) -> Tried<Look> {
    let mut transaction = store.pool.begin().await?;
    let due: Option<Due> = sqlx::query_as(
        "SELECT d.alert_id, d.channel_id, d.slot, d.parcel
         FROM alert_deliveries d JOIN alert_channels c ON c.id = d.channel_id AND c.disabled_at IS NULL
         WHERE d.next_at <= $1
           AND NOT EXISTS (SELECT 1 FROM alert_deliveries h
                           WHERE h.channel_id = d.channel_id AND h.next_at IS NOT NULL AND h.lease_until > $1)
         ORDER BY c.last_error IS NOT NULL, d.next_at, d.alert_id LIMIT 1 FOR UPDATE OF c SKIP LOCKED",
    )
    .bind(now)
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(due) = due else { return Ok(Look::Nothing) };
    let Some(attempts) = pack(&mut transaction, &due, now, lease_until).await? else {
        return Ok(Look::Beaten);
    };
    let parcel = open(&mut transaction, &due, attempts).await?;
    transaction.commit().await?;
    Ok(Look::Taken(Box::new(parcel)))
}

/// Takes all of a parcel. At its first try that is one alert, or all of the digest that it belongs to and that is in no parcel yet.
/// None when another worker has it by now.
async fn pack(
    connection: &mut PgConnection,
    due: &Due,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Tried<Option<i32>> {
    let attempts: Vec<i32> = sqlx::query_scalar(
        "UPDATE alert_deliveries d SET attempts = d.attempts + 1, lease_until = $4, parcel = $2
         FROM alert_channels c
         WHERE c.id = d.channel_id AND d.channel_id = $1 AND d.next_at IS NOT NULL
           AND (d.lease_until IS NULL OR d.lease_until <= $6)
           AND (d.parcel = $2 OR d.parcel IS NULL AND $5::uuid IS NULL
                                 AND (d.alert_id = $2 OR d.slot = $3 AND c.mode <> 'at_once'))
         RETURNING d.attempts",
    )
    .bind(due.channel_id)
    .bind(due.parcel.unwrap_or(due.alert_id))
    .bind(due.slot)
    .bind(lease_until)
    .bind(due.parcel)
    .bind(now)
    .fetch_all(connection)
    .await?;
    Ok(attempts.into_iter().max())
}

async fn open(connection: &mut PgConnection, due: &Due, attempts: i32) -> Tried<AlertParcel> {
    let id = due.parcel.unwrap_or(due.alert_id);
    let channel: ChannelRow = sqlx::query_as("SELECT * FROM alert_channels WHERE id = $1")
        .bind(due.channel_id)
        .fetch_one(&mut *connection)
        .await?;
    let alerts: Vec<AlertRow> = sqlx::query_as(
        "SELECT a.id, a.binding_id, b.name AS shop, a.kind, a.run_id, a.facts, a.at
         FROM alert_deliveries d JOIN alerts a ON a.id = d.alert_id JOIN bindings b ON b.id = a.binding_id
         WHERE d.channel_id = $1 AND d.parcel = $2 AND d.next_at IS NOT NULL ORDER BY a.id",
    )
    .bind(due.channel_id)
    .bind(id)
    .fetch_all(connection)
    .await?;
    Ok(AlertParcel {
        channel: AlertChannel::try_from(channel)?,
        id: AlertId(id),
        slot: due.slot,
        attempts,
        alerts: alerts.into_iter().map(Alert::try_from).collect::<Result<_>>()?,
    })
}
