//! Backfills and what they go by.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::BindingId,
    run::{BackfillStage, EntityKind, EventName},
};
use sqlx::SqliteConnection;
use store::{Backfill, Backfills, Error, Result};

use crate::{
    columns::{Place, instant},
    error::translate,
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct BackfillRow {
    binding_id: String,
    begun_at: String,
    made_since: String,
    stage: String,
    next_invoice: Option<i64>,
    next_creditmemo: Option<i64>,
    below_invoice: Option<i64>,
    misses: i64,
    looked_at: i64,
    found: i64,
    queued: i64,
    code: Option<String>,
    next_at: String,
    ended_at: Option<String>,
}

impl TryFrom<BackfillRow> for Backfill {
    type Error = Error;

    fn try_from(row: BackfillRow) -> Result<Self> {
        let place = Place { table: "backfills", row: &row.binding_id };
        Ok(Self {
            binding_id: place.word("binding_id", &row.binding_id)?,
            begun_at: place.time("begun_at", &row.begun_at)?,
            made_since: place.time("made_since", &row.made_since)?,
            stage: place.word("stage", &row.stage)?,
            next_invoice: row.next_invoice,
            next_creditmemo: row.next_creditmemo,
            below_invoice: row.below_invoice,
            misses: row.misses,
            looked_at: row.looked_at,
            found: row.found,
            queued: row.queued,
            code: place.optional_word("code", row.code.as_deref())?,
            next_at: place.time("next_at", &row.next_at)?,
            ended_at: place.optional_time("ended_at", row.ended_at.as_deref())?,
        })
    }
}

/// Begins a backfill behind the highest known ids. One that has not ended leaves what it has not looked at to this one.
pub(crate) async fn begin(
    connection: &mut SqliteConnection,
    binding: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO backfills (binding_id, begun_at, made_since, stage, next_invoice, next_creditmemo, misses, looked_at,
                                found, queued, next_at)
         SELECT b.id, ?2, b.created_at, ?3,
                (SELECT max(r.magento_id) + 1 FROM runs r
                  WHERE r.binding_id = b.id AND r.event IN ('invoice.created', 'invoice.paid')),
                (SELECT max(r.magento_id) + 1 FROM runs r
                  WHERE r.binding_id = b.id AND r.event = 'creditmemo.created'),
                0, 0, 0, 0, ?2
           FROM bindings b WHERE b.id = ?1
         ON CONFLICT (binding_id) DO UPDATE
            SET begun_at = excluded.begun_at, stage = excluded.stage, below_invoice = NULL, misses = 0, looked_at = 0,
                next_invoice = iif(ended_at IS NULL, min(next_invoice, excluded.next_invoice), excluded.next_invoice),
                next_creditmemo = iif(ended_at IS NULL, min(next_creditmemo, excluded.next_creditmemo), excluded.next_creditmemo),
                found = iif(ended_at IS NULL, found, 0), queued = iif(ended_at IS NULL, queued, 0),
                code = NULL, next_at = excluded.next_at, ended_at = NULL",
    )
    .bind(binding)
    .bind(instant(now))
    .bind(BackfillStage::Invoices.as_str())
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}

#[async_trait]
impl Backfills for SqliteStore {
    async fn backfill(&self, binding: BindingId) -> Result<Option<Backfill>> {
        sqlx::query_as::<_, BackfillRow>("SELECT * FROM backfills WHERE binding_id = ?1")
            .bind(binding.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(translate)?
            .map(Backfill::try_from)
            .transpose()
    }

    async fn due_backfills(&self, now: DateTime<Utc>) -> Result<Vec<Backfill>> {
        sqlx::query_as::<_, BackfillRow>(
            "SELECT f.* FROM backfills f JOIN bindings b ON b.id = f.binding_id
              WHERE f.ended_at IS NULL AND f.next_at <= ?1 AND b.status = 'active' ORDER BY f.next_at",
        )
        .bind(instant(now))
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?
        .into_iter()
        .map(Backfill::try_from)
        .collect()
    }

    async fn save_backfill(&self, backfill: &Backfill) -> Result<bool> {
        let saved = sqlx::query(
            "UPDATE backfills
                SET stage = ?3, next_invoice = ?4, next_creditmemo = ?5, below_invoice = ?6, misses = ?7, looked_at = ?8,
                    found = ?9, queued = ?10, code = ?11, next_at = ?12, ended_at = ?13
              WHERE binding_id = ?1 AND begun_at = ?2",
        )
        .bind(backfill.binding_id.to_string())
        .bind(instant(backfill.begun_at))
        .bind(backfill.stage.as_str())
        .bind(backfill.next_invoice)
        .bind(backfill.next_creditmemo)
        .bind(backfill.below_invoice)
        .bind(backfill.misses)
        .bind(backfill.looked_at)
        .bind(backfill.found)
        .bind(backfill.queued)
        .bind(backfill.code.map(Code::as_str))
        .bind(instant(backfill.next_at))
        .bind(backfill.ended_at.map(instant))
        .execute(self.writer.pool())
        .await
        .map_err(translate)?;
        Ok(saved.rows_affected() == 1)
    }

    async fn highest_id(
        &self,
        binding: BindingId,
        entity: EntityKind,
        before: DateTime<Utc>,
    ) -> Result<Option<i64>> {
        let events: Vec<&str> = EventName::about(entity).map(EventName::as_str).collect();
        sqlx::query_scalar(
            "SELECT max(magento_id) FROM runs WHERE binding_id = ?1 AND event IN (?2, ?3) AND created_at < ?4",
        )
            .bind(binding.to_string())
            .bind(events.first())
            .bind(events.last())
            .bind(instant(before))
            .fetch_one(&self.readers)
            .await
            .map_err(translate)
    }

    async fn open_invoices(&self, binding: BindingId, below: Option<i64>, limit: u32) -> Result<Vec<i64>> {
        sqlx::query_scalar(
            "SELECT DISTINCT c.magento_id FROM runs c
              WHERE c.binding_id = ?1 AND c.event = 'invoice.created' AND c.magento_id < ?2
                AND NOT EXISTS (SELECT 1 FROM runs p
                                 WHERE p.binding_id = c.binding_id AND p.magento_id = c.magento_id
                                   AND p.event = 'invoice.paid')
              ORDER BY c.magento_id DESC LIMIT ?3",
        )
        .bind(binding.to_string())
        .bind(below.unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(translate)
    }

    async fn count_queued_runs(&self, binding: BindingId, most: i64) -> Result<i64> {
        sqlx::query_scalar(
            "SELECT count(*) FROM (SELECT 1 FROM runs INDEXED BY runs_status
                                    WHERE binding_id = ?1 AND status = 'queued' LIMIT ?2)",
        )
        .bind(binding.to_string())
        .bind(most)
        .fetch_one(&self.readers)
        .await
        .map_err(translate)
    }
}
