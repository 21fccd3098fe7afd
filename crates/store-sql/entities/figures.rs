//! How everything stands, in figures.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{ids::BindingId, run::BindingStatus};
use store::{BindingFigures, Figures, Result};
use store_sql::{Id, Instant, Word};

use super::rows::{self, Record};
use crate::{dialect::indexed, driver::Driver};

#[derive(sqlx::FromRow)]
struct FiguresRow {
    id: Id<BindingId>,
    status: Word<BindingStatus>,
    queued: i64,
    running: i64,
    lost: i64,
    waiting: i64,
    retrying: i64,
    due_since: Option<Instant>,
    deliveries_due: i64,
    deliveries_given_up: i64,
    tokens_at: Option<Instant>,
    reference_at: Option<Instant>,
}

impl Record for FiguresRow {
    type Value = BindingFigures;
    const TABLE: &'static str = "bindings";
    const KEY: &'static str = "id";

    fn value(self) -> Result<BindingFigures> {
        Ok(BindingFigures {
            binding_id: self.id.0,
            status: self.status.0,
            queued: self.queued,
            running: self.running,
            lost: self.lost,
            waiting: self.waiting,
            retrying: self.retrying,
            due_since: self.due_since.map(|at| at.0),
            deliveries_due: self.deliveries_due,
            deliveries_given_up: self.deliveries_given_up,
            tokens_at: self.tokens_at.map(|at| at.0),
            reference_at: self.reference_at.map(|at| at.0),
        })
    }
}

/// Each figure is a look into an index that holds only what it counts.
const FIGURES: &str = concat!(
    "    WITH due AS (SELECT binding_id, count(*) AS number FROM sync_state_deliveries
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
           (SELECT min(at) FROM (
                SELECT min(r.next_at) AS at FROM runs r",
    indexed!("runs_queued"),
    "            WHERE r.binding_id = b.id AND r.status = 'queued' AND r.next_at <= $1
                UNION ALL
                SELECT min(r.next_at) FROM runs r",
    indexed!("runs_retrying"),
    "            WHERE r.binding_id = b.id AND r.status = 'retrying' AND r.next_at <= $1) AS due
             WHERE b.status = 'active') AS due_since,
           coalesce(due.number, 0) AS deliveries_due,
           coalesce(given_up.number, 0) AS deliveries_given_up,
           (SELECT c.updated_at FROM credentials c
            WHERE c.binding_id = b.id AND c.kind = 'sage_tokens' AND c.envelope IS NOT NULL) AS tokens_at,
           (SELECT s.fetched_at FROM reference_sets s WHERE s.binding_id = b.id) AS reference_at
    FROM bindings b LEFT JOIN due ON due.binding_id = b.id LEFT JOIN given_up ON given_up.binding_id = b.id
    ORDER BY b.created_at, b.id"
);

#[async_trait]
impl Figures for Driver {
    async fn figures(&self, now: DateTime<Utc>) -> Result<Vec<BindingFigures>> {
        let found = sqlx::query(FIGURES).bind(Instant(now));
        Ok(rows::all::<FiguresRow>(found, self.reader()).await?)
    }
}
