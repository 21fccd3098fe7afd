//! Parcels: what goes out by a channel in one message.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::alert::ChannelKind;
use sqlx::{Sqlite, SqliteConnection, Transaction};
use store::{Alert, AlertChannel, AlertParcel, AlertParcels, Failed, ORGANISATIONS_SHARE, Result, Targets};

use crate::{
    alert_channels::{ChannelRow, note},
    alerts::AlertRow,
    columns::{Place, instant},
    error::translate,
    sqlite::SqliteStore,
};

/// What is due first by a channel of the kind `?2` whose member and organisation have room for it, of the organisation whose turn was
/// longest ago; in it the channels that work first.
const NEXT: &str = "
    SELECT d.alert_id, d.channel_id, d.slot, d.parcel
      FROM alert_deliveries d JOIN alert_channels c ON c.id = d.channel_id JOIN members m ON m.id = c.member_id
     WHERE d.next_at <= ?1 AND c.kind = ?2 AND c.disabled_at IS NULL AND coalesce(c.rests_until, '') <= ?1
       AND (c.rests = 0 OR ?3)
       AND NOT EXISTS (SELECT 1 FROM alert_channels h
                        WHERE h.member_id = c.member_id AND h.kind = ?2 AND h.lease_until > ?1)
       AND (SELECT count(*) FROM alert_channels h JOIN members n ON n.id = h.member_id
             WHERE n.organisation_id = m.organisation_id AND h.kind = ?2 AND h.lease_until > ?1) < ?4
     ORDER BY (SELECT max(t.claimed_at) FROM alert_channels t JOIN members n ON n.id = t.member_id
                WHERE n.organisation_id = m.organisation_id AND t.kind = ?2) NULLS FIRST,
              c.last_error IS NOT NULL, c.claimed_at NULLS FIRST, d.next_at, d.alert_id LIMIT 1";

/// When [`NEXT`] can next find something, as far as members tell: an organisation's share is not looked at.
const NEXT_DUE: &str = "
    SELECT min(due) FROM (
        SELECT max(min(d.next_at), coalesce(c.rests_until, ''),
                   coalesce((SELECT max(h.lease_until) FROM alert_channels h
                              WHERE h.member_id = c.member_id AND h.kind = ?1), '')) AS due
          FROM alert_deliveries d JOIN alert_channels c ON c.id = d.channel_id
         WHERE d.next_at IS NOT NULL AND c.kind = ?1 AND c.disabled_at IS NULL AND (c.rests = 0 OR ?2)
         GROUP BY c.id)";

/// A delivery that is due.
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
        kind: ChannelKind,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        targets: Targets,
    ) -> Result<Option<AlertParcel>> {
        let mut transaction = self.writer.begin().await?;
        let due = sqlx::query_as::<_, Due>(NEXT)
            .bind(instant(now))
            .bind(kind.as_str())
            .bind(targets == Targets::All)
            .bind(ORGANISATIONS_SHARE)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(translate)?;
        let Some(due) = due else { return Ok(None) };
        let held: (i64, u32) = sqlx::query_as(
            "UPDATE alert_channels SET claim = claim + 1, claimed_at = ?2, lease_until = ?3
              WHERE id = ?1 RETURNING claim, rests",
        )
        .bind(&due.channel_id)
        .bind(instant(now))
        .bind(instant(lease_until))
        .fetch_one(&mut *transaction)
        .await
        .map_err(translate)?;
        let parcel = pack(&mut transaction, &due, held).await?;
        transaction.commit().await.map_err(translate)?;
        Ok(Some(parcel))
    }

    async fn alert_parcel_arrived(&self, parcel: &AlertParcel, now: DateTime<Utc>) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        free(&mut transaction, parcel, None).await?;
        sqlx::query(
            "UPDATE alert_deliveries SET next_at = NULL, last_error = NULL, delivered_at = ?3
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

    async fn alert_parcel_failed(&self, parcel: &AlertParcel, failed: Failed<'_>) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        if !free(&mut transaction, parcel, failed.rests_until).await? {
            return Ok(());
        }
        sqlx::query(
            "UPDATE alert_deliveries SET next_at = ?3, last_error = ?4,
                    set_at = (SELECT c.claimed_at FROM alert_channels c WHERE c.id = ?1)
              WHERE channel_id = ?1 AND parcel = ?2 AND next_at IS NOT NULL",
        )
        .bind(parcel.channel.id.to_string())
        .bind(parcel.id.to_string())
        .bind(failed.next_at.map(instant))
        .bind(failed.error)
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        sqlx::query("UPDATE alert_channels SET last_error = ?2 WHERE id = ?1")
            .bind(parcel.channel.id.to_string())
            .bind(failed.error)
            .execute(&mut *transaction)
            .await
            .map_err(translate)?;
        transaction.commit().await.map_err(translate)
    }

    async fn next_alert_due(&self, kind: ChannelKind, targets: Targets) -> Result<Option<DateTime<Utc>>> {
        let due: Option<String> = sqlx::query_scalar(NEXT_DUE)
            .bind(kind.as_str())
            .bind(targets == Targets::All)
            .fetch_one(&self.readers)
            .await
            .map_err(translate)?;
        Place { table: "alert_deliveries", row: "the next one" }.optional_time("next_at", due.as_deref())
    }
}

/// Gives a channel back, to rest where it is to be left alone; false when another holds it by now.
async fn free(
    connection: &mut SqliteConnection,
    parcel: &AlertParcel,
    rests_until: Option<DateTime<Utc>>,
) -> Result<bool> {
    let freed = sqlx::query(
        "UPDATE alert_channels SET lease_until = NULL, rests_until = ?3, rests = iif(?3 IS NULL, 0, rests + 1)
          WHERE id = ?1 AND claim = ?2 AND lease_until IS NOT NULL",
    )
    .bind(parcel.channel.id.to_string())
    .bind(parcel.claim)
    .bind(rests_until.map(instant))
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(freed.rows_affected() == 1)
}

/// Takes all of a parcel. At its first try that is one alert, or all of the digest that it belongs to and that is in no parcel yet.
async fn pack(
    transaction: &mut Transaction<'static, Sqlite>,
    due: &Due,
    (claim, rests): (i64, u32),
) -> Result<AlertParcel> {
    let id = due.parcel.as_ref().unwrap_or(&due.alert_id);
    let attempts: Vec<i32> = sqlx::query_scalar(
        "UPDATE alert_deliveries SET attempts = attempts + 1, parcel = ?2
          WHERE channel_id = ?1 AND next_at IS NOT NULL
            AND (parcel = ?2 OR parcel IS NULL AND ?4 IS NULL
                 AND (alert_id = ?2
                      OR slot = ?3 AND (SELECT c.mode FROM alert_channels c WHERE c.id = ?1) <> 'at_once'))
         RETURNING attempts",
    )
    .bind(&due.channel_id)
    .bind(id)
    .bind(&due.slot)
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
        claim,
        rests,
    })
}
