//! Alerts, and their way into the queues of the channels that want them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    alert::{AlertFacts, AlertKind, AlertMode},
    code::Code,
    health::Health,
    ids::{AlertId, BindingId, OrganisationId, RunId},
};
use sqlx::{FromRow, PgConnection};
use store::{Alert, Alerts, Error, Result, alert_id};
use uuid::Uuid;

use crate::{
    PostgresStore,
    error::{Place, Tried, repeating, translate},
    health::HealthRow,
};

#[derive(FromRow)]
pub(crate) struct AlertRow {
    id: Uuid,
    binding_id: Uuid,
    shop: String,
    kind: String,
    run_id: Option<Uuid>,
    facts: String,
    at: DateTime<Utc>,
}

impl TryFrom<AlertRow> for Alert {
    type Error = Error;

    fn try_from(row: AlertRow) -> Result<Self> {
        let place = Place { table: "alerts", row: &row.id };
        Ok(Self {
            id: AlertId(row.id),
            binding_id: BindingId(row.binding_id),
            kind: place.word("kind", &row.kind)?,
            run_id: row.run_id.map(RunId),
            facts: place.json("facts", &row.facts)?,
            at: row.at,
            shop: row.shop,
        })
    }
}

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
    connection: &mut PgConnection,
    binding: Uuid,
    raised: Raised,
    now: DateTime<Utc>,
) -> Tried<()> {
    let id = alert_id(raised.seed, raised.kind, now);
    let mut facts = match raised.run {
        Some(run) => facts_of(connection, binding, run).await?,
        None => AlertFacts::default(),
    };
    (facts.code, facts.failed_in_a_row) = (raised.code, raised.failed);
    let facts = serde_json::to_string(&facts).map_err(|error| Error::Driver(Box::new(error)))?;
    sqlx::query(
        "INSERT INTO alerts (id, organisation_id, binding_id, kind, run_id, facts, at)
         SELECT $1, organisation_id, id, $3, $4, $5, $6 FROM bindings WHERE id = $2",
    )
    .bind(id.0)
    .bind(binding)
    .bind(raised.kind.as_str())
    .bind(raised.run.map(|run| run.0))
    .bind(facts)
    .bind(now)
    .execute(&mut *connection)
    .await?;
    // A channel that is removed at this moment is passed over, or removed after this transaction with its delivery.
    sqlx::query(
        "INSERT INTO alert_deliveries (alert_id, channel_id, attempts, slot, next_at, set_at)
         SELECT $1, due.id, 0, due.slot, due.slot, $7 FROM (
             SELECT c.id, CASE c.mode WHEN 'digest_hourly' THEN $5 WHEN 'digest_daily' THEN $6 ELSE $4 END AS slot
             FROM bindings b
             JOIN members m ON m.organisation_id = b.organisation_id AND m.removed_at IS NULL
             JOIN alert_channels c ON c.member_id = m.id AND c.confirmed_at IS NOT NULL AND c.disabled_at IS NULL
             WHERE b.id = $2 AND $3 = ANY(c.kinds) AND (c.bindings IS NULL OR $2 = ANY(c.bindings))
             FOR SHARE OF c
         ) due",
    )
    .bind(id.0)
    .bind(binding)
    .bind(raised.kind.as_str())
    .bind(AlertMode::AtOnce.slot(now))
    .bind(AlertMode::DigestHourly.slot(now))
    .bind(AlertMode::DigestDaily.slot(now))
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

#[derive(FromRow)]
struct FactsRow {
    event: String,
    magento_id: i64,
    increment_id: Option<String>,
    currency: Option<String>,
    amount_minor: Option<i64>,
}

/// What the run's row knows of its document. A row that cannot be read is told of all the same.
async fn facts_of(connection: &mut PgConnection, binding: Uuid, run: RunId) -> Tried<AlertFacts> {
    let row: FactsRow = sqlx::query_as(
        "SELECT event, magento_id, increment_id, currency, amount_minor FROM runs WHERE binding_id = $1 AND id = $2",
    )
    .bind(binding)
    .bind(run.0)
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

#[async_trait]
impl Alerts for PostgresStore {
    async fn health(&self, binding: BindingId) -> Result<Health> {
        let row: Option<HealthRow> =
            sqlx::query_as("SELECT failed_in_a_row, stage FROM binding_health WHERE binding_id = $1")
                .bind(binding.0)
                .fetch_optional(&self.pool)
                .await
                .map_err(translate)?;
        Ok(row.map(|row| row.read(binding.0)).transpose()?.unwrap_or_default())
    }

    async fn list_alerts(&self, organisation: OrganisationId, limit: u32) -> Result<Vec<Alert>> {
        let rows: Vec<AlertRow> = sqlx::query_as(
            "SELECT a.id, a.binding_id, b.name AS shop, a.kind, a.run_id, a.facts, a.at
             FROM alerts a JOIN bindings b ON b.id = a.binding_id
             WHERE a.organisation_id = $1 ORDER BY a.id DESC LIMIT $2",
        )
        .bind(organisation.0)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        rows.into_iter().map(Alert::try_from).collect()
    }

    async fn purge_alerts(&self, before: DateTime<Utc>) -> Result<u64> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            sqlx::query(
                "DELETE FROM alert_deliveries d USING alerts a WHERE a.id = d.alert_id AND a.at < $1",
            )
            .bind(before)
            .execute(&mut *transaction)
            .await?;
            let purged = sqlx::query("DELETE FROM alerts WHERE at < $1")
                .bind(before)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(purged.rows_affected())
        })
        .await
    }
}
