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
    queued: i64,
    retrying: i64,
    oldest_queued: Option<Instant>,
    oldest_retrying: Option<Instant>,
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
        let oldest_due = [self.oldest_queued, self.oldest_retrying].into_iter().flatten().min();
        Ok(Load {
            binding_id: self.id.0,
            backlog: self.queued + self.retrying,
            oldest_due: oldest_due.map(|at| at.0),
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
    let found = sqlx::query(
        "SELECT b.id,
                    (SELECT count(*) FROM runs r WHERE r.binding_id = b.id AND r.status = 'queued') AS queued,
                    (SELECT min(r.next_at) FROM runs r WHERE r.binding_id = b.id AND r.status = 'queued') AS oldest_queued,
                    (SELECT count(*) FROM runs r
                      WHERE r.binding_id = b.id AND r.status = 'retrying' AND r.next_at <= $2) AS retrying,
                    (SELECT min(r.next_at) FROM runs r
                      WHERE r.binding_id = b.id AND r.status = 'retrying' AND r.next_at <= $2) AS oldest_retrying,
                    (SELECT count(*) FROM runs r WHERE r.binding_id = b.id AND r.finished_at > $3) AS ended,
                    coalesce((SELECT d.calls FROM call_days d WHERE d.binding_id = b.id AND d.day = $4), 0) AS calls,
                    (SELECT r.finished_at FROM runs r
                      WHERE r.binding_id = b.id AND r.status = 'succeeded' ORDER BY r.id DESC LIMIT 1) AS last_success,
                    (SELECT count(*) FROM sync_state_deliveries s
                      WHERE s.binding_id = b.id AND s.next_at IS NULL AND s.delivered_at IS NULL) AS untold,
                    coalesce(h.failed_in_a_row, 0) AS failed_in_a_row, coalesce(h.stage, 'healthy') AS stage
               FROM bindings b LEFT JOIN binding_health h ON h.binding_id = b.id
              WHERE b.organisation_id = $1 ORDER BY b.created_at, b.id",
    )
    .bind(Id(organisation))
    .bind(Instant(now))
    .bind(Instant(now - TimeDelta::hours(1)))
    .bind(Instant(Span::Day.start(now)));
    Ok(rows::all::<LoadRow>(found, store.reader()).await?)
}
