//! How much each binding has to do.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    health::Stage,
    ids::{BindingId, OrganisationId},
};
use store::{Load, Result, Span};
use store_sql::{Count, Id, Instant, Word};

use crate::{
    driver::Driver,
    entities::rows::{self, Record},
};

#[derive(sqlx::FromRow)]
struct LoadRow {
    id: Id<BindingId>,
    backlog: i64,
    oldest_due: Option<Instant>,
    ended: i64,
    calls: i64,
    last_success: Option<Instant>,
    untold: i64,
    failed_in_a_row: Count,
    stage: Word<Stage>,
}

impl Record for LoadRow {
    type Value = Load;
    const TABLE: &'static str = "bindings";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Load> {
        Ok(Load {
            binding_id: self.id.0,
            backlog: self.backlog,
            oldest_due: self.oldest_due.map(|at| at.0),
            ended: self.ended,
            calls: self.calls,
            last_success: self.last_success.map(|at| at.0),
            untold: self.untold,
            failed_in_a_row: self.failed_in_a_row.0,
            stage: self.stage.0,
        })
    }
}

/// Of each of an organisation's.
pub(crate) async fn of(
    store: &Driver,
    organisation: OrganisationId,
    now: DateTime<Utc>,
) -> Result<Vec<Load>> {
    // Ordered by status as well, which only the index by status gives: another one leads past every run of a binding that
    // has never succeeded, and Postgres, which believes that most runs of any binding have, holds both for as good.
    let found = sqlx::query(
        "SELECT b.id, due.backlog, due.oldest_due,
                    (SELECT count(*) FROM runs r WHERE r.binding_id = b.id AND r.finished_at > $3) AS ended,
                    coalesce((SELECT d.calls FROM call_days d WHERE d.binding_id = b.id AND d.day = $4), 0) AS calls,
                    (SELECT r.finished_at FROM runs r
                      WHERE r.binding_id = b.id AND r.status BETWEEN 'succeeded' AND 'succeeded'
                      ORDER BY r.status DESC, r.id DESC LIMIT 1) AS last_success,
                    (SELECT count(*) FROM sync_state_deliveries s
                      WHERE s.binding_id = b.id AND s.next_at IS NULL AND s.delivered_at IS NULL) AS untold,
                    coalesce(h.failed_in_a_row, 0) AS failed_in_a_row, coalesce(h.stage, 'healthy') AS stage
               FROM bindings b
               LEFT JOIN binding_health h ON h.binding_id = b.id
              CROSS JOIN LATERAL (SELECT count(*) AS backlog, min(r.next_at) AS oldest_due FROM runs r
                                   WHERE r.binding_id = b.id AND r.status IN ('queued', 'retrying') AND r.next_at <= $2) AS due
              WHERE b.organisation_id = $1 ORDER BY b.created_at, b.id",
    )
    .bind(Id(organisation))
    .bind(Instant(now))
    .bind(Instant(now - TimeDelta::hours(1)))
    .bind(Instant(Span::Day.start(now)));
    Ok(rows::all::<LoadRow>(found, store.reader()).await?)
}
