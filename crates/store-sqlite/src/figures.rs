//! How everything stands, in figures.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use store::{BindingFigures, Error, Figures, Result};

use crate::{
    columns::{Place, instant},
    error::translate,
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct FiguresRow {
    id: String,
    status: String,
    queued: i64,
    running: i64,
    lost: i64,
    waiting: i64,
    retrying: i64,
    due_since: Option<String>,
    deliveries_due: i64,
    deliveries_given_up: i64,
    tokens_at: Option<String>,
    reference_at: Option<String>,
}

impl TryFrom<FiguresRow> for BindingFigures {
    type Error = Error;

    fn try_from(row: FiguresRow) -> Result<Self> {
        let place = Place { table: "bindings", row: &row.id };
        Ok(Self {
            binding_id: place.word("id", &row.id)?,
            status: place.word("status", &row.status)?,
            queued: row.queued,
            running: row.running,
            lost: row.lost,
            waiting: row.waiting,
            retrying: row.retrying,
            due_since: place.optional_time("next_at", row.due_since.as_deref())?,
            deliveries_due: row.deliveries_due,
            deliveries_given_up: row.deliveries_given_up,
            tokens_at: place.optional_time("updated_at", row.tokens_at.as_deref())?,
            reference_at: place.optional_time("fetched_at", row.reference_at.as_deref())?,
        })
    }
}

/// Each figure is a look into an index that holds only what it counts.
const FIGURES: &str = "
    WITH due AS (SELECT binding_id, count(*) AS number FROM sync_state_deliveries
                  WHERE next_at IS NOT NULL AND next_at <= ?1 GROUP BY binding_id),
         given_up AS (SELECT binding_id, count(*) AS number FROM sync_state_deliveries
                       WHERE next_at IS NULL AND last_error IS NOT NULL GROUP BY binding_id)
    SELECT b.id, b.status,
           (SELECT count(*) FROM runs r WHERE r.binding_id = b.id AND r.status = 'queued') AS queued,
           (SELECT count(*) FROM runs r WHERE r.binding_id = b.id AND r.status = 'running') AS running,
           (SELECT count(*) FROM runs r
             WHERE r.binding_id = b.id AND r.status = 'running' AND r.lease_until <= ?1) AS lost,
           (SELECT count(*) FROM runs r WHERE r.binding_id = b.id AND r.status = 'waiting') AS waiting,
           (SELECT count(*) FROM runs r WHERE r.binding_id = b.id AND r.status = 'retrying') AS retrying,
           (SELECT min(at) FROM (
                SELECT min(r.next_at) AS at FROM runs r INDEXED BY runs_queued
                 WHERE r.binding_id = b.id AND r.status = 'queued' AND r.next_at <= ?1
                UNION ALL
                SELECT min(r.next_at) FROM runs r INDEXED BY runs_retrying
                 WHERE r.binding_id = b.id AND r.status = 'retrying' AND r.next_at <= ?1)
             WHERE b.status = 'active') AS due_since,
           coalesce(due.number, 0) AS deliveries_due,
           coalesce(given_up.number, 0) AS deliveries_given_up,
           (SELECT c.updated_at FROM credentials c
             WHERE c.binding_id = b.id AND c.kind = 'sage_tokens' AND c.envelope IS NOT NULL) AS tokens_at,
           (SELECT s.fetched_at FROM reference_sets s WHERE s.binding_id = b.id) AS reference_at
      FROM bindings b LEFT JOIN due ON due.binding_id = b.id LEFT JOIN given_up ON given_up.binding_id = b.id
     ORDER BY b.created_at, b.id";

#[async_trait]
impl Figures for SqliteStore {
    async fn figures(&self, now: DateTime<Utc>) -> Result<Vec<BindingFigures>> {
        sqlx::query_as::<_, FiguresRow>(FIGURES)
            .bind(instant(now))
            .fetch_all(&self.readers)
            .await
            .map_err(translate)?
            .into_iter()
            .map(BindingFigures::try_from)
            .collect()
    }
}
