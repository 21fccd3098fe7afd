//! Backfills and what they go by.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::BindingId,
    run::{BackfillStage, EntityKind, EventName},
};
use store::{Backfill, Backfills, Result};
use store_sql::{Id, Instant, Word};

use super::{
    Tried,
    rows::{self, Record},
};
use crate::{db::Connection, dialect::indexed, driver::Driver, error::translate};

#[derive(sqlx::FromRow)]
struct BackfillRow {
    binding_id: Id<BindingId>,
    begun_at: Instant,
    made_since: Instant,
    stage: Word<BackfillStage>,
    next_invoice: Option<i64>,
    next_creditmemo: Option<i64>,
    below_invoice: Option<i64>,
    misses: i64,
    looked_at: i64,
    found: i64,
    queued: i64,
    code: Option<Word<Code>>,
    next_at: Instant,
    ended_at: Option<Instant>,
}

impl Record for BackfillRow {
    type Value = Backfill;
    const TABLE: &'static str = "backfills";
    const KEY: &'static str = "binding_id";

    fn value(self) -> Result<Backfill> {
        Ok(Backfill {
            binding_id: self.binding_id.0,
            begun_at: self.begun_at.0,
            made_since: self.made_since.0,
            stage: self.stage.0,
            next_invoice: self.next_invoice,
            next_creditmemo: self.next_creditmemo,
            below_invoice: self.below_invoice,
            misses: self.misses,
            looked_at: self.looked_at,
            found: self.found,
            queued: self.queued,
            code: self.code.map(|code| code.0),
            next_at: self.next_at.0,
            ended_at: self.ended_at.map(|at| at.0),
        })
    }
}

/// Begins a backfill behind the highest known ids. One that has not ended leaves what it has not looked at to this one.
pub(crate) async fn begin(connection: &mut Connection, binding: BindingId, now: DateTime<Utc>) -> Tried<()> {
    sqlx::query(
        "INSERT INTO backfills AS old (binding_id, begun_at, made_since, stage, next_invoice, next_creditmemo, misses, looked_at,
                                       found, queued, next_at)
         SELECT b.id, $2, b.created_at, $3,
                (SELECT max(r.magento_id) + 1 FROM runs r
                  WHERE r.binding_id = b.id AND r.event IN ('invoice.created', 'invoice.paid')),
                (SELECT max(r.magento_id) + 1 FROM runs r
                  WHERE r.binding_id = b.id AND r.event = 'creditmemo.created'),
                0, 0, 0, 0, $2
           FROM bindings b WHERE b.id = $1
         ON CONFLICT (binding_id) DO UPDATE
            SET begun_at = excluded.begun_at, stage = excluded.stage, below_invoice = NULL, misses = 0, looked_at = 0,
                next_invoice = CASE WHEN old.ended_at IS NOT NULL THEN excluded.next_invoice
                                    WHEN old.next_invoice < excluded.next_invoice THEN old.next_invoice
                                    WHEN old.next_invoice IS NOT NULL THEN excluded.next_invoice END,
                next_creditmemo = CASE WHEN old.ended_at IS NOT NULL THEN excluded.next_creditmemo
                                       WHEN old.next_creditmemo < excluded.next_creditmemo THEN old.next_creditmemo
                                       WHEN old.next_creditmemo IS NOT NULL THEN excluded.next_creditmemo END,
                found = CASE WHEN old.ended_at IS NULL THEN old.found ELSE 0 END,
                queued = CASE WHEN old.ended_at IS NULL THEN old.queued ELSE 0 END,
                code = NULL, next_at = excluded.next_at, ended_at = NULL",
    )
    .bind(Id(binding))
    .bind(Instant(now))
    .bind(BackfillStage::Invoices.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

#[async_trait]
impl Backfills for Driver {
    async fn backfill(&self, binding: BindingId) -> Result<Option<Backfill>> {
        let found = sqlx::query("SELECT * FROM backfills WHERE binding_id = $1").bind(Id(binding));
        Ok(rows::optional::<BackfillRow>(found, self.reader()).await?)
    }

    async fn due_backfills(&self, now: DateTime<Utc>) -> Result<Vec<Backfill>> {
        let found = sqlx::query(
            "SELECT f.* FROM backfills f JOIN bindings b ON b.id = f.binding_id
             WHERE f.ended_at IS NULL AND f.next_at <= $1 AND b.status = 'active' ORDER BY f.next_at",
        )
        .bind(Instant(now));
        Ok(rows::all::<BackfillRow>(found, self.reader()).await?)
    }

    async fn save_backfill(&self, backfill: &Backfill) -> Result<bool> {
        let saved = self.execute(|| {
            sqlx::query(
                "UPDATE backfills
                    SET stage = $3, next_invoice = $4, next_creditmemo = $5, below_invoice = $6, misses = $7,
                        looked_at = $8, found = $9, queued = $10, code = $11, next_at = $12, ended_at = $13
                  WHERE binding_id = $1 AND begun_at = $2",
            )
            .bind(Id(backfill.binding_id))
            .bind(Instant(backfill.begun_at))
            .bind(backfill.stage.as_str())
            .bind(backfill.next_invoice)
            .bind(backfill.next_creditmemo)
            .bind(backfill.below_invoice)
            .bind(backfill.misses)
            .bind(backfill.looked_at)
            .bind(backfill.found)
            .bind(backfill.queued)
            .bind(backfill.code.map(Code::as_str))
            .bind(Instant(backfill.next_at))
            .bind(backfill.ended_at.map(Instant))
        });
        Ok(saved.await? == 1)
    }

    async fn highest_id(
        &self,
        binding: BindingId,
        entity: EntityKind,
        before: DateTime<Utc>,
    ) -> Result<Option<i64>> {
        let events: Vec<&str> = EventName::about(entity).map(EventName::as_str).collect();
        sqlx::query_scalar(
            "SELECT max(magento_id) FROM runs WHERE binding_id = $1 AND event IN ($2, $3) AND created_at < $4",
        )
        .bind(Id(binding))
        .bind(events.first())
        .bind(events.last())
        .bind(Instant(before))
        .fetch_one(self.reader())
        .await
        .map_err(translate)
    }

    async fn open_invoices(&self, binding: BindingId, below: Option<i64>, limit: u32) -> Result<Vec<i64>> {
        sqlx::query_scalar(
            "SELECT DISTINCT c.magento_id FROM runs c
             WHERE c.binding_id = $1 AND c.event = 'invoice.created' AND c.magento_id < $2
               AND NOT EXISTS (SELECT 1 FROM runs p
                               WHERE p.binding_id = c.binding_id AND p.magento_id = c.magento_id
                                 AND p.event = 'invoice.paid')
             ORDER BY c.magento_id DESC LIMIT $3",
        )
        .bind(Id(binding))
        .bind(below.unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await
        .map_err(translate)
    }

    async fn count_queued_runs(&self, binding: BindingId, most: i64) -> Result<i64> {
        sqlx::query_scalar(concat!(
            "SELECT count(*) FROM (SELECT 1 FROM runs",
            indexed!("runs_status"),
            " WHERE binding_id = $1 AND status = 'queued' LIMIT $2) AS ready"
        ))
        .bind(Id(binding))
        .bind(most)
        .fetch_one(self.reader())
        .await
        .map_err(translate)
    }
}
