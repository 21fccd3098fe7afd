//! How everything stands, in figures.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::BindingId;
use sqlx::FromRow;
use store::{BindingFigures, Error, Figures, Result};
use uuid::Uuid;

use crate::{
    PostgresStore,
    error::{Place, translate},
};

#[derive(FromRow)]
struct FiguresRow {
    id: Uuid,
    status: String,
    queued: i64,
    running: i64,
    lost: i64,
    waiting: i64,
    retrying: i64,
    due_since: Option<DateTime<Utc>>,
    deliveries_due: i64,
    deliveries_given_up: i64,
    tokens_at: Option<DateTime<Utc>>,
    reference_at: Option<DateTime<Utc>>,
}

impl TryFrom<FiguresRow> for BindingFigures {
    type Error = Error;

    fn try_from(row: FiguresRow) -> Result<Self> {
        Ok(Self {
            binding_id: BindingId(row.id),
            status: Place { table: "bindings", row: &row.id }.word("status", &row.status)?,
            queued: row.queued,
            running: row.running,
            lost: row.lost,
            waiting: row.waiting,
            retrying: row.retrying,
            due_since: row.due_since,
            deliveries_due: row.deliveries_due,
            deliveries_given_up: row.deliveries_given_up,
            tokens_at: row.tokens_at,
            reference_at: row.reference_at,
        })
    }
}

/// Each figure is a look into an index that holds only what it counts.
const FIGURES: &str = "
    WITH due AS (SELECT binding_id, count(*) AS number FROM sync_state_deliveries
                 WHERE next_at IS NOT NULL AND next_at <= $1 GROUP BY binding_id),
         given_up AS (SELECT binding_id, count(*) AS number FROM sync_state_deliveries
                      WHERE next_at IS NULL AND last_error IS NOT NULL GROUP BY binding_id)
    SELECT b.id, b.status,
           (SELECT count(*) FROM runs r WHERE r.binding_id = b.id AND r.status = 'queued') AS queued,
           (SELECT count(*) FROM runs r WHERE r.binding_id = b.id AND r.status = 'running') AS running,
           (SELECT count(*) FROM runs r
            WHERE r.binding_id = b.id AND r.status = 'running' AND r.lease_until <= $1) AS lost,
           (SELECT count(*) FROM runs r WHERE r.binding_id = b.id AND r.status = 'waiting') AS waiting,
           (SELECT count(*) FROM runs r WHERE r.binding_id = b.id AND r.status = 'retrying') AS retrying,
           (SELECT min(r.next_at) FROM runs r
            WHERE b.status = 'active' AND r.binding_id = b.id AND r.status IN ('queued', 'retrying')
              AND r.next_at <= $1) AS due_since,
           coalesce(due.number, 0) AS deliveries_due,
           coalesce(given_up.number, 0) AS deliveries_given_up,
           (SELECT c.updated_at FROM credentials c
            WHERE c.binding_id = b.id AND c.kind = 'sage_tokens' AND c.envelope IS NOT NULL) AS tokens_at,
           (SELECT s.fetched_at FROM reference_sets s WHERE s.binding_id = b.id) AS reference_at
    FROM bindings b LEFT JOIN due ON due.binding_id = b.id LEFT JOIN given_up ON given_up.binding_id = b.id
    ORDER BY b.created_at, b.id";

#[async_trait]
impl Figures for PostgresStore {
    async fn figures(&self, now: DateTime<Utc>) -> Result<Vec<BindingFigures>> {
        let rows: Vec<FiguresRow> =
            sqlx::query_as(FIGURES).bind(now).fetch_all(&self.pool).await.map_err(translate)?;
        rows.into_iter().map(BindingFigures::try_from).collect()
    }
}
