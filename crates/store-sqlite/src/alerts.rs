//! Alerts, and their way into the queues of the channels that want them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    alert::{AlertFacts, AlertKind, AlertMode},
    code::Code,
    health::Health,
    ids::{BindingId, OrganisationId, RunId},
};
use sqlx::{SqliteConnection, types::Uuid};
use store::{Alert, Alerts, Error, Result, alert_id};

use crate::{
    columns::{Place, instant, json},
    error::translate,
    health,
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
pub(crate) struct AlertRow {
    pub(crate) id: String,
    binding_id: String,
    shop: String,
    kind: String,
    run_id: Option<String>,
    facts: String,
    at: String,
}

impl TryFrom<AlertRow> for Alert {
    type Error = Error;

    fn try_from(row: AlertRow) -> Result<Self> {
        let place = Place { table: "alerts", row: &row.id };
        Ok(Self {
            id: place.word("id", &row.id)?,
            binding_id: place.word("binding_id", &row.binding_id)?,
            kind: place.word("kind", &row.kind)?,
            run_id: place.optional_word("run_id", row.run_id.as_deref())?,
            facts: place.json("facts", &row.facts)?,
            at: place.time("at", &row.at)?,
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
    connection: &mut SqliteConnection,
    binding: &str,
    raised: Raised,
    now: DateTime<Utc>,
) -> Result<()> {
    let id = alert_id(raised.seed, raised.kind, now).to_string();
    let mut facts = match raised.run {
        Some(run) => facts_of(connection, run).await?,
        None => AlertFacts::default(),
    };
    (facts.code, facts.failed_in_a_row) = (raised.code, raised.failed);
    sqlx::query(
        "INSERT INTO alerts (id, organisation_id, binding_id, kind, run_id, facts, at)
         SELECT ?1, organisation_id, id, ?3, ?4, ?5, ?6 FROM bindings WHERE id = ?2",
    )
    .bind(&id)
    .bind(binding)
    .bind(raised.kind.as_str())
    .bind(raised.run.map(|run| run.to_string()))
    .bind(json(&facts)?)
    .bind(instant(now))
    .execute(&mut *connection)
    .await
    .map_err(translate)?;
    let slot = |mode: AlertMode| instant(mode.slot(now));
    sqlx::query(
        "INSERT INTO alert_deliveries (alert_id, channel_id, attempts, slot, next_at, set_at)
         SELECT ?1, due.id, 0, due.slot, due.slot, ?7 FROM (
             SELECT c.id, CASE c.mode WHEN 'digest_hourly' THEN ?5 WHEN 'digest_daily' THEN ?6 ELSE ?4 END AS slot
               FROM bindings b
               JOIN members m ON m.organisation_id = b.organisation_id AND m.removed_at IS NULL
               JOIN alert_channels c ON c.member_id = m.id AND c.confirmed_at IS NOT NULL AND c.disabled_at IS NULL
              WHERE b.id = ?2
                AND EXISTS (SELECT 1 FROM json_each(c.kinds) WHERE value = ?3)
                AND (c.bindings IS NULL OR EXISTS (SELECT 1 FROM json_each(c.bindings) WHERE value = ?2))) due",
    )
    .bind(&id)
    .bind(binding)
    .bind(raised.kind.as_str())
    .bind(slot(AlertMode::AtOnce))
    .bind(slot(AlertMode::DigestHourly))
    .bind(slot(AlertMode::DigestDaily))
    .bind(instant(now))
    .execute(connection)
    .await
    .map_err(translate)?;
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
async fn facts_of(connection: &mut SqliteConnection, run: RunId) -> Result<AlertFacts> {
    let row = sqlx::query_as::<_, FactsRow>(
        "SELECT event, magento_id, increment_id, currency, amount_minor FROM runs WHERE id = ?1",
    )
    .bind(run.to_string())
    .fetch_one(connection)
    .await
    .map_err(translate)?;
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
impl Alerts for SqliteStore {
    async fn health(&self, binding: BindingId) -> Result<Health> {
        health::read(&self.readers, &binding.to_string()).await
    }

    async fn list_alerts(&self, organisation: OrganisationId, limit: u32) -> Result<Vec<Alert>> {
        sqlx::query_as::<_, AlertRow>(
            "SELECT a.id, a.binding_id, b.name AS shop, a.kind, a.run_id, a.facts, a.at
               FROM alerts a JOIN bindings b ON b.id = a.binding_id
              WHERE a.organisation_id = ?1 ORDER BY a.id DESC LIMIT ?2",
        )
        .bind(organisation.to_string())
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?
        .into_iter()
        .map(Alert::try_from)
        .collect()
    }

    async fn purge_alerts(&self, before: DateTime<Utc>) -> Result<u64> {
        let mut transaction = self.writer.begin().await?;
        sqlx::query("DELETE FROM alert_deliveries WHERE alert_id IN (SELECT id FROM alerts WHERE at < ?1)")
            .bind(instant(before))
            .execute(&mut *transaction)
            .await
            .map_err(translate)?;
        let purged = sqlx::query("DELETE FROM alerts WHERE at < ?1")
            .bind(instant(before))
            .execute(&mut *transaction)
            .await
            .map_err(translate)?;
        transaction.commit().await.map_err(translate)?;
        Ok(purged.rows_affected())
    }
}
