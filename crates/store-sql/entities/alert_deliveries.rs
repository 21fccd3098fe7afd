//! Deliveries of alerts: what goes out by a channel in one message.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    alert::ChannelKind,
    ids::{AlertChannelId, AlertId},
};
use store::{AlertDeliveries, AlertDelivery, Failed, ORGANISATIONS_SHARE, Result, Targets};
use store_sql::{Count, Id, Instant, Text};

use super::{
    Tried,
    alert_channels::{ChannelRow, note},
    alerts::AlertRow,
    rows,
};
use crate::{
    db::Connection,
    dialect::{greatest, held},
    driver::{Driver, Transaction},
    error::translate,
    locks::take_turns,
};

/// What is due first by a channel of the kind `$2` whose member and organisation have room for it, of the organisation whose turn was
/// longest ago; in it the channels that work first. The channel is locked against its removal.
const NEXT: &str = held!(
    "SELECT d.alert_id, d.channel_id, d.slot, d.parcel
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
      LIMIT 1",
    "FOR UPDATE OF c SKIP LOCKED"
);

/// When [`NEXT`] can next find something, as far as members tell: an organisation's share is not looked at.
const NEXT_DUE: &str = concat!(
    "SELECT min(due) FROM (SELECT ",
    greatest!(
        "min(d.next_at)",
        "coalesce(c.rests_until, min(d.next_at))",
        "coalesce((SELECT max(h.lease_until) FROM alert_channels h
                    WHERE h.member_id = c.member_id AND h.kind = $1), min(d.next_at))"
    ),
    " AS due
       FROM alert_deliveries d JOIN alert_channels c ON c.id = d.channel_id
      WHERE d.next_at IS NOT NULL AND c.kind = $1 AND c.disabled_at IS NULL AND (c.rests = 0 OR $2)
      GROUP BY c.id) channels"
);

/// A delivery that is due.
#[derive(sqlx::FromRow)]
struct Due {
    alert_id: Id<AlertId>,
    channel_id: Id<AlertChannelId>,
    slot: Instant,
    parcel: Option<Id<AlertId>>,
}

#[async_trait]
impl AlertDeliveries for Driver {
    async fn claim_alert_delivery(
        &self,
        kind: ChannelKind,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        targets: Targets,
    ) -> Result<Option<AlertDelivery>> {
        self.write(move |transaction| claim(transaction, kind, now, lease_until, targets)).await
    }

    async fn alert_delivery_arrived(&self, delivery: &AlertDelivery, now: DateTime<Utc>) -> Result<()> {
        self.write(move |mut transaction| async move {
            free(&mut transaction, delivery, None).await?;
            sqlx::query(
                "UPDATE alert_deliveries SET next_at = NULL, last_error = NULL, delivered_at = $3
                 WHERE channel_id = $1 AND parcel = $2",
            )
            .bind(Id(delivery.channel.id))
            .bind(Id(delivery.id))
            .bind(Instant(now))
            .execute(&mut *transaction)
            .await?;
            note(&mut transaction, delivery.channel.id, None, now).await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn alert_delivery_failed(&self, delivery: &AlertDelivery, failed: Failed<'_>) -> Result<()> {
        self.write(move |mut transaction| async move {
            if !free(&mut transaction, delivery, failed.rests_until).await? {
                return Ok(());
            }
            sqlx::query(
                "UPDATE alert_deliveries SET next_at = $3, last_error = $4,
                        set_at = (SELECT c.claimed_at FROM alert_channels c WHERE c.id = $1)
                 WHERE channel_id = $1 AND parcel = $2 AND next_at IS NOT NULL",
            )
            .bind(Id(delivery.channel.id))
            .bind(Id(delivery.id))
            .bind(failed.next_at.map(Instant))
            .bind(Text(failed.error))
            .execute(&mut *transaction)
            .await?;
            sqlx::query("UPDATE alert_channels SET last_error = $2 WHERE id = $1")
                .bind(Id(delivery.channel.id))
                .bind(Text(failed.error))
                .execute(&mut *transaction)
                .await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn next_alert_due(&self, kind: ChannelKind, targets: Targets) -> Result<Option<DateTime<Utc>>> {
        let due = sqlx::query_scalar(NEXT_DUE).bind(kind.as_str()).bind(targets == Targets::All);
        let due: Option<Instant> = due.fetch_one(self.reader()).await.map_err(translate)?;
        Ok(due.map(|due| due.0))
    }
}

/// Takes what is due first. Alerts are few, and who may be told depends on all that is under way: they are taken one at a time.
async fn claim(
    mut transaction: Transaction,
    kind: ChannelKind,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    targets: Targets,
) -> Tried<Option<AlertDelivery>> {
    take_turns(&mut transaction, "claim_alert_delivery").await?;
    let due: Option<Due> = sqlx::query_as(NEXT)
        .bind(Instant(now))
        .bind(kind.as_str())
        .bind(targets == Targets::All)
        .bind(ORGANISATIONS_SHARE)
        .fetch_optional(&mut *transaction)
        .await?;
    let Some(due) = due else { return Ok(None) };
    let (claim, Count(rests)): (i64, Count) = sqlx::query_as(
        "UPDATE alert_channels SET claim = claim + 1, claimed_at = $2, lease_until = $3
         WHERE id = $1 RETURNING claim, rests",
    )
    .bind(due.channel_id)
    .bind(Instant(now))
    .bind(Instant(lease_until))
    .fetch_one(&mut *transaction)
    .await?;
    let attempts = pack(&mut transaction, &due).await?;
    let delivery = open(&mut transaction, &due, attempts).await?;
    transaction.commit(Some(AlertDelivery { claim, rests, ..delivery })).await
}

/// Gives a channel back, to rest where it is to be left alone; false when another holds it by now.
async fn free(
    connection: &mut Connection,
    delivery: &AlertDelivery,
    rests_until: Option<DateTime<Utc>>,
) -> Tried<bool> {
    let freed = sqlx::query(
        "UPDATE alert_channels
         SET lease_until = NULL, rests_until = $3, rests = CASE WHEN $3 IS NULL THEN 0 ELSE rests + 1 END
         WHERE id = $1 AND claim = $2 AND lease_until IS NOT NULL",
    )
    .bind(Id(delivery.channel.id))
    .bind(delivery.claim)
    .bind(rests_until.map(Instant))
    .execute(connection)
    .await?;
    Ok(freed.rows_affected() == 1)
}

/// Takes all of a delivery. At its first try that is one alert, or all of the digest that it belongs to and that is in none yet.
async fn pack(connection: &mut Connection, due: &Due) -> Tried<i32> {
    let attempts: Vec<i32> = sqlx::query_scalar(
        "UPDATE alert_deliveries SET attempts = attempts + 1, parcel = $2
          WHERE channel_id = $1 AND next_at IS NOT NULL
            AND (parcel = $2 OR parcel IS NULL AND $4 IS NULL
                 AND (alert_id = $2
                      OR slot = $3 AND (SELECT c.mode FROM alert_channels c WHERE c.id = $1) <> 'at_once'))
         RETURNING attempts",
    )
    .bind(due.channel_id)
    .bind(due.parcel.unwrap_or(due.alert_id))
    .bind(due.slot)
    .bind(due.parcel)
    .fetch_all(connection)
    .await?;
    Ok(attempts.into_iter().max().unwrap_or_default())
}

async fn open(connection: &mut Connection, due: &Due, attempts: i32) -> Tried<AlertDelivery> {
    let id = due.parcel.unwrap_or(due.alert_id);
    let channel = sqlx::query("SELECT * FROM alert_channels WHERE id = $1").bind(due.channel_id);
    let channel = rows::optional::<ChannelRow>(channel, &mut *connection).await?;
    let alerts = sqlx::query(
        "SELECT a.id, a.binding_id, b.name AS shop, a.kind, a.run_id, a.facts, a.at
         FROM alert_deliveries d JOIN alerts a ON a.id = d.alert_id JOIN bindings b ON b.id = a.binding_id
         WHERE d.channel_id = $1 AND d.parcel = $2 AND d.next_at IS NOT NULL ORDER BY a.id",
    )
    .bind(due.channel_id)
    .bind(id);
    Ok(AlertDelivery {
        channel: channel.ok_or(sqlx::Error::RowNotFound)?,
        id: id.0,
        slot: due.slot.0,
        attempts,
        alerts: rows::all::<AlertRow>(alerts, connection).await?,
        claim: 0,
        rests: 0,
    })
}
