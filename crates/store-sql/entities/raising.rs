//! Alerts, and their way into the queues of the channels that want them.

use chrono::{DateTime, Utc};
use domain::{
    alert::{AlertFacts, AlertKind, AlertMode},
    code::Code,
    ids::{BindingId, RunId},
};
use store::alert_id;
use store_sql::{Id, Instant, Json};
use uuid::Uuid;

use super::Tried;
use crate::{
    db::Connection,
    dialect::{among, held},
};

/// What has become true.
pub(crate) struct Raised {
    /// What.
    pub(crate) kind: AlertKind,
    /// What made it true: an attempt, or the binding itself.
    pub(crate) seed: Uuid,
    /// The run that it is about.
    pub(crate) run: Option<RunId>,
    /// Why.
    pub(crate) code: Option<Code>,
    /// Documents that failed one after another.
    pub(crate) failed: Option<u32>,
}

/// Writes an alert and a delivery for each channel that wants it.
pub(crate) async fn raise(
    connection: &mut Connection,
    binding: BindingId,
    raised: Raised,
    now: DateTime<Utc>,
) -> Tried<()> {
    let id = alert_id(raised.seed, raised.kind, now);
    let mut facts = match raised.run {
        Some(run) => facts_of(connection, binding, run).await?,
        None => AlertFacts::default(),
    };
    (facts.code, facts.failed_in_a_row) = (raised.code, raised.failed);
    sqlx::query(
        "INSERT INTO alerts (id, organisation_id, binding_id, kind, run_id, facts, at)
         SELECT $1, organisation_id, id, $3, $4, $5, $6 FROM bindings WHERE id = $2",
    )
    .bind(Id(id))
    .bind(Id(binding))
    .bind(raised.kind.as_str())
    .bind(raised.run.map(Id))
    .bind(Json(&facts))
    .bind(Instant(now))
    .execute(&mut *connection)
    .await?;
    // A channel that is removed at this moment is passed over, or removed after this transaction with its delivery.
    sqlx::query(
        concat!(
        "INSERT INTO alert_deliveries (alert_id, channel_id, attempts, slot, next_at, set_at)
         SELECT $1, due.id, 0, due.slot, due.slot, $7 FROM (",
        held!(
            concat!(
                "SELECT c.id, CASE c.mode WHEN 'digest_hourly' THEN $5 WHEN 'digest_daily' THEN $6 ELSE $4 END AS slot
                   FROM bindings b
                   JOIN members m ON m.organisation_id = b.organisation_id AND m.removed_at IS NULL
                   JOIN alert_channels c ON c.member_id = m.id AND c.confirmed_at IS NOT NULL AND c.disabled_at IS NULL
                  WHERE b.id = $2 AND ",
                among!("$3", "c.kinds"),
                " AND (c.bindings IS NULL OR ",
                among!("$2", "c.bindings"),
                ")"
            ),
            "FOR SHARE OF c"
        ),
        ") due"
    )
    )
    .bind(Id(id))
    .bind(Id(binding))
    .bind(raised.kind.as_str())
    .bind(Instant(AlertMode::AtOnce.slot(now)))
    .bind(Instant(AlertMode::DigestHourly.slot(now)))
    .bind(Instant(AlertMode::DigestDaily.slot(now)))
    .bind(Instant(now))
    .execute(connection)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct FactsRow {
    event: String,
    magento_id: i64,
    increment_id: Option<String>,
    currency: Option<String>,
    amount_minor: Option<i64>,
}

/// What the run's row knows of its document. A row that cannot be read is told of all the same.
async fn facts_of(connection: &mut Connection, binding: BindingId, run: RunId) -> Tried<AlertFacts> {
    let row: FactsRow = sqlx::query_as(
        "SELECT event, magento_id, increment_id, currency, amount_minor FROM runs WHERE binding_id = $1 AND id = $2",
    )
    .bind(Id(binding))
    .bind(Id(run))
    .fetch_one(connection)
    .await?;
    Ok(AlertFacts {
        event: row.event.parse().ok(),
        magento_id: Some(row.magento_id),
        increment_id: row.increment_id,
        currency: row.currency,
        amount_minor: row.amount_minor,
        ..AlertFacts::default()
    })
}
