//! Parcels: what goes out by a channel in one message.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{Sqlite, Transaction};
use store::{Alert, AlertChannel, AlertParcel, AlertParcels, Result};

use crate::{
    alert_channels::{ChannelRow, note},
    alerts::AlertRow,
    columns::{Place, instant},
    error::translate,
    sqlite::SqliteStore,
};

/// The delivery that is due longest of those whose channel is not at work, the channels that work first: a receiver that does not
/// answer holds up nobody else.
#[derive(sqlx::FromRow)]
struct Due {
    alert_id: String,
    channel_id: String,
    slot: String,
    parcel: Option<String>,
}

#[async_trait]
impl AlertParcels for SqliteStore {
    async fn claim_alert_parcel(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Option<AlertParcel>> {
        let mut transaction = self.writer.begin().await?;
        let due = sqlx::query_as::<_, Due>(
            "SELECT d.alert_id, d.channel_id, d.slot, d.parcel
               FROM alert_deliveries d JOIN alert_channels c ON c.id = d.channel_id AND c.disabled_at IS NULL
              WHERE d.next_at <= ?1
                AND NOT EXISTS (SELECT 1 FROM alert_deliveries h
                                 WHERE h.channel_id = d.channel_id AND h.next_at IS NOT NULL AND h.lease_until > ?1)
              ORDER BY c.last_error IS NOT NULL, d.next_at, d.alert_id LIMIT 1",
        )
        .bind(instant(now))
        .fetch_optional(&mut *transaction)
        .await
        .map_err(translate)?;
        let Some(due) = due else { return Ok(None) };
        let parcel = pack(&mut transaction, &due, lease_until).await?;
        transaction.commit().await.map_err(translate)?;
        Ok(Some(parcel))
    }

    async fn alert_parcel_arrived(&self, parcel: &AlertParcel, now: DateTime<Utc>) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        sqlx::query(
            "UPDATE alert_deliveries SET next_at = NULL, lease_until = NULL, last_error = NULL, delivered_at = ?3
              WHERE channel_id = ?1 AND parcel = ?2",
        )
        .bind(parcel.channel.id.to_string())
        .bind(parcel.id.to_string())
        .bind(instant(now))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        note(&mut transaction, parcel.channel.id, None, now).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn alert_parcel_failed(
        &self,
        parcel: &AlertParcel,
        error: &str,
        next_at: Option<DateTime<Utc>>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let failed = sqlx::query(
            "UPDATE alert_deliveries SET next_at = ?4, lease_until = NULL, last_error = ?5
              WHERE channel_id = ?1 AND parcel = ?2 AND attempts = ?3 AND next_at IS NOT NULL",
        )
        .bind(parcel.channel.id.to_string())
        .bind(parcel.id.to_string())
        .bind(parcel.attempts)
        .bind(next_at.map(instant))
        .bind(error)
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        if failed.rows_affected() > 0 {
            sqlx::query("UPDATE alert_channels SET last_error = ?2 WHERE id = ?1")
                .bind(parcel.channel.id.to_string())
                .bind(error)
                .execute(&mut *transaction)
                .await
                .map_err(translate)?;
        }
        transaction.commit().await.map_err(translate)
    }

    async fn next_alert_due(&self) -> Result<Option<DateTime<Utc>>> {
        let due: Option<String> = sqlx::query_scalar(
            "SELECT min(due) FROM (
                SELECT max(min(d.next_at), coalesce(max(d.lease_until), '')) AS due
                  FROM alert_deliveries d JOIN alert_channels c ON c.id = d.channel_id AND c.disabled_at IS NULL
                 WHERE d.next_at IS NOT NULL GROUP BY d.channel_id)",
        )
        .fetch_one(&self.readers)
        .await
        .map_err(translate)?;
        Place { table: "alert_deliveries", row: "the next one" }.optional_time("next_at", due.as_deref())
    }
}

/// Takes all of a parcel. At its first try that is one alert, or all of the digest that it belongs to and that is in no parcel yet.
async fn pack(
    transaction: &mut Transaction<'static, Sqlite>,
    due: &Due,
    lease_until: DateTime<Utc>,
) -> Result<AlertParcel> {
    let id = due.parcel.as_ref().unwrap_or(&due.alert_id);
    let attempts: Vec<i32> = sqlx::query_scalar(
        "UPDATE alert_deliveries SET attempts = attempts + 1, lease_until = ?4, parcel = ?2
          WHERE channel_id = ?1 AND next_at IS NOT NULL
            AND (parcel = ?2 OR parcel IS NULL AND ?5 IS NULL
                 AND (alert_id = ?2
                      OR slot = ?3 AND (SELECT c.mode FROM alert_channels c WHERE c.id = ?1) <> 'at_once'))
         RETURNING attempts",
    )
    .bind(&due.channel_id)
    .bind(id)
    .bind(&due.slot)
    .bind(instant(lease_until))
    .bind(&due.parcel)
    .fetch_all(&mut **transaction)
    .await
    .map_err(translate)?;
    let channel = sqlx::query_as::<_, ChannelRow>("SELECT * FROM alert_channels WHERE id = ?1")
        .bind(&due.channel_id)
        .fetch_one(&mut **transaction)
        .await
        .map_err(translate)?;
    let alerts = sqlx::query_as::<_, AlertRow>(
        "SELECT a.id, a.binding_id, b.name AS shop, a.kind, a.run_id, a.facts, a.at
           FROM alert_deliveries d JOIN alerts a ON a.id = d.alert_id JOIN bindings b ON b.id = a.binding_id
          WHERE d.channel_id = ?1 AND d.parcel = ?2 AND d.next_at IS NOT NULL ORDER BY a.id",
    )
    .bind(&due.channel_id)
    .bind(id)
    .fetch_all(&mut **transaction)
    .await
    .map_err(translate)?;
    let place = Place { table: "alert_deliveries", row: &due.alert_id };
    Ok(AlertParcel {
        channel: AlertChannel::try_from(channel)?,
        id: place.word("parcel", id)?,
        slot: place.time("slot", &due.slot)?,
        attempts: attempts.into_iter().max().unwrap_or_default(),
        alerts: alerts.into_iter().map(Alert::try_from).collect::<Result<_>>()?,
    })
}
