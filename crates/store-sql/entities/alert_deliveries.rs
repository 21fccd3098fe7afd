//! Parcels: what goes out by a channel in one message.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{alert::ChannelKind, ids::AlertId};
use sqlx::{FromRow, PgConnection};
use store::{Alert, AlertChannel, AlertParcel, AlertParcels, Failed, ORGANISATIONS_SHARE, Result, Targets};
use uuid::Uuid;

use crate::{
    PostgresStore,
    alert_channels::{ChannelRow, note},
    alerts::AlertRow,
    error::{Tried, clean, repeating, translate},
};

/// Alerts are few, and who may be told depends on all that is under way: they are taken one at a time.
const ONE_AT_A_TIME: &str = "SELECT pg_advisory_xact_lock(hashtextextended('claim_alert_parcel', 0))";

/// What is due first by a channel of the kind `$2` whose member and organisation have room for it, of the organisation whose turn was
/// longest ago; in it the channels that work first. The channel is locked against its removal.
const NEXT: &str = "
    SELECT d.alert_id, d.channel_id, d.slot, d.parcel
    FROM alert_deliveries d JOIN alert_channels c ON c.id = d.channel_id JOIN members m ON m.id = c.member_id
    WHERE d.next_at <= $1 AND c.kind = $2 AND c.disabled_at IS NULL
      AND (c.rests_until IS NULL OR c.rests_until <= $1) AND (c.rests = 0 OR $3)
      AND NOT EXISTS (SELECT 1 FROM alert_channels h
                      WHERE h.member_id = c.member_id AND h.kind = $2 AND h.lease_until > $1)
      AND (SELECT count(*) FROM alert_channels h JOIN members n ON n.id = h.member_id
           WHERE n.organisation_id = m.organisation_id AND h.kind = $2 AND h.lease_until > $1) < $4
    ORDER BY (SELECT max(t.claimed_at) FROM alert_channels t JOIN members n ON n.id = t.member_id
              WHERE n.organisation_id = m.organisation_id AND t.kind = $2) NULLS FIRST,
             c.last_error IS NOT NULL, c.claimed_at NULLS FIRST, d.next_at, d.alert_id
    LIMIT 1 FOR UPDATE OF c SKIP LOCKED";

/// When [`NEXT`] can next find something, as far as members tell: an organisation's share is not looked at.
const NEXT_DUE: &str = "
    SELECT min(due) FROM (
        SELECT greatest(min(d.next_at), c.rests_until,
                        (SELECT max(h.lease_until) FROM alert_channels h
                         WHERE h.member_id = c.member_id AND h.kind = $1)) AS due
        FROM alert_deliveries d JOIN alert_channels c ON c.id = d.channel_id
        WHERE d.next_at IS NOT NULL AND c.kind = $1 AND c.disabled_at IS NULL AND (c.rests = 0 OR $2)
        GROUP BY c.id) channels";

/// A delivery that is due.
#[derive(FromRow)]
struct Due {
    alert_id: Uuid,
    channel_id: Uuid,
    slot: DateTime<Utc>,
    parcel: Option<Uuid>,
}

#[async_trait]
impl AlertParcels for PostgresStore {
    async fn claim_alert_parcel(
        &self,
        kind: ChannelKind,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        targets: Targets,
    ) -> Result<Option<AlertParcel>> {
        repeating(move || claim(self, kind, now, lease_until, targets)).await
    }

    async fn alert_parcel_arrived(&self, parcel: &AlertParcel, now: DateTime<Utc>) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            free(&mut transaction, parcel, None).await?;
            sqlx::query(
                "UPDATE alert_deliveries SET next_at = NULL, last_error = NULL, delivered_at = $3
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

    async fn alert_parcel_failed(&self, parcel: &AlertParcel, failed: Failed<'_>) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            if !free(&mut transaction, parcel, failed.rests_until).await? {
                return Ok(());
            }
            sqlx::query(
                "UPDATE alert_deliveries SET next_at = $3, last_error = $4,
                        set_at = (SELECT c.claimed_at FROM alert_channels c WHERE c.id = $1)
                 WHERE channel_id = $1 AND parcel = $2 AND next_at IS NOT NULL",
            )
            .bind(parcel.channel.id.0)
            .bind(parcel.id.0)
            .bind(failed.next_at)
            .bind(clean(failed.error))
            .execute(&mut *transaction)
            .await?;
            sqlx::query("UPDATE alert_channels SET last_error = $2 WHERE id = $1")
                .bind(parcel.channel.id.0)
                .bind(clean(failed.error))
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn next_alert_due(&self, kind: ChannelKind, targets: Targets) -> Result<Option<DateTime<Utc>>> {
        let due = sqlx::query_scalar(NEXT_DUE).bind(kind.as_str()).bind(targets == Targets::All);
        due.fetch_one(&self.pool).await.map_err(translate)
    }
}

async fn claim(
    store: &PostgresStore,
    kind: ChannelKind,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    targets: Targets,
) -> Tried<Option<AlertParcel>> {
    let mut transaction = store.pool.begin().await?;
    sqlx::query(ONE_AT_A_TIME).execute(&mut *transaction).await?;
    let due: Option<Due> = sqlx::query_as(NEXT)
        .bind(now)
        .bind(kind.as_str())
        .bind(targets == Targets::All)
        .bind(ORGANISATIONS_SHARE)
        .fetch_optional(&mut *transaction)
        .await?;
    let Some(due) = due else { return Ok(None) };
    let (claim, rests): (i64, i32) = sqlx::query_as(
        "UPDATE alert_channels SET claim = claim + 1, claimed_at = $2, lease_until = $3
         WHERE id = $1 RETURNING claim, rests",
    )
    .bind(due.channel_id)
    .bind(now)
    .bind(lease_until)
    .fetch_one(&mut *transaction)
    .await?;
    let attempts = pack(&mut transaction, &due).await?;
    let parcel = open(&mut transaction, &due, attempts).await?;
    transaction.commit().await?;
    Ok(Some(AlertParcel { claim, rests: u32::try_from(rests).unwrap_or_default(), ..parcel }))
}

/// Gives a channel back, to rest where it is to be left alone; false when another holds it by now.
async fn free(
    connection: &mut PgConnection,
    parcel: &AlertParcel,
    rests_until: Option<DateTime<Utc>>,
) -> Tried<bool> {
    let freed = sqlx::query(
        "UPDATE alert_channels
         SET lease_until = NULL, rests_until = $3, rests = CASE WHEN $3::timestamptz IS NULL THEN 0 ELSE rests + 1 END
         WHERE id = $1 AND claim = $2 AND lease_until IS NOT NULL",
    )
    .bind(parcel.channel.id.0)
    .bind(parcel.claim)
    .bind(rests_until)
    .execute(connection)
    .await?;
    Ok(freed.rows_affected() == 1)
}

/// Takes all of a parcel. At its first try that is one alert, or all of the digest that it belongs to and that is in no parcel yet.
async fn pack(connection: &mut PgConnection, due: &Due) -> Tried<i32> {
    let attempts: Vec<i32> = sqlx::query_scalar(
        "UPDATE alert_deliveries d SET attempts = d.attempts + 1, parcel = $2
         FROM alert_channels c
         WHERE c.id = d.channel_id AND d.channel_id = $1 AND d.next_at IS NOT NULL
           AND (d.parcel = $2 OR d.parcel IS NULL AND $4::uuid IS NULL
                                 AND (d.alert_id = $2 OR d.slot = $3 AND c.mode <> 'at_once'))
         RETURNING d.attempts",
    )
    .bind(due.channel_id)
    .bind(due.parcel.unwrap_or(due.alert_id))
    .bind(due.slot)
    .bind(due.parcel)
    .fetch_all(connection)
    .await?;
    Ok(attempts.into_iter().max().unwrap_or_default())
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
        claim: 0,
        rests: 0,
    })
}
