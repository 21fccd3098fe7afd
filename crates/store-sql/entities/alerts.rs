//! The alerts of an organisation.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    alert::{AlertFacts, AlertKind},
    health::Health,
    ids::{AlertId, BindingId, OrganisationId, RunId},
};
use store::{Alert, Alerts, Result};
use store_sql::{Id, Instant, Json, Word};

use super::{
    health,
    rows::{self, Record},
};
use crate::driver::Driver;

#[derive(sqlx::FromRow)]
pub(crate) struct AlertRow {
    id: Id<AlertId>,
    binding_id: Id<BindingId>,
    shop: String,
    kind: Word<AlertKind>,
    run_id: Option<Id<RunId>>,
    facts: Json<AlertFacts>,
    at: Instant,
}

impl Record for AlertRow {
    type Value = Alert;
    const TABLE: &'static str = "alerts";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Alert> {
        Ok(Alert {
            id: self.id.0,
            binding_id: self.binding_id.0,
            shop: self.shop,
            kind: self.kind.0,
            run_id: self.run_id.map(|id| id.0),
            facts: self.facts.0,
            at: self.at.0,
        })
    }
}

#[async_trait]
impl Alerts for Driver {
    async fn health(&self, binding: BindingId) -> Result<Health> {
        Ok(health::read(self.reader(), binding).await?)
    }

    async fn list_alerts(&self, organisation: OrganisationId, limit: u32) -> Result<Vec<Alert>> {
        let found = sqlx::query(
            "SELECT a.id, a.binding_id, b.name AS shop, a.kind, a.run_id, a.facts, a.at
             FROM alerts a JOIN bindings b ON b.id = a.binding_id
             WHERE a.organisation_id = $1 ORDER BY a.id DESC LIMIT $2",
        )
        .bind(Id(organisation))
        .bind(i64::from(limit));
        Ok(rows::all::<AlertRow>(found, self.reader()).await?)
    }

    async fn purge_alerts(&self, before: DateTime<Utc>) -> Result<u64> {
        self.write(move |mut transaction| async move {
            sqlx::query(
                "DELETE FROM alert_deliveries WHERE alert_id IN (SELECT id FROM alerts WHERE at < $1)",
            )
            .bind(Instant(before))
            .execute(&mut *transaction)
            .await?;
            let purged = sqlx::query("DELETE FROM alerts WHERE at < $1")
                .bind(Instant(before))
                .execute(&mut *transaction)
                .await?;
            transaction.commit(purged.rows_affected()).await
        })
        .await
    }
}
