//! What the overview shows, and the counts that it is read from.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{BindingId, OrganisationId};
use sqlx::{FromRow, PgConnection};
use store::{Error, Load, Overviews, Result, Span, Step, Tally, Times, Volume};
use uuid::Uuid;

use crate::{
    PostgresStore,
    error::{Place, Tried, repeating, translate},
};

#[derive(FromRow)]
struct VolumeRow {
    starts_at: DateTime<Utc>,
    tally: String,
    runs: i64,
}

impl TryFrom<VolumeRow> for Volume {
    type Error = Error;

    fn try_from(row: VolumeRow) -> Result<Self> {
        let tally = Place { table: "run_counts", row: &row.starts_at }.word("tally", &row.tally)?;
        Ok(Self { starts_at: row.starts_at, tally, runs: row.runs })
    }
}

#[derive(FromRow)]
struct LoadRow {
    id: Uuid,
    backlog: i64,
    oldest_due: Option<DateTime<Utc>>,
    ended: i64,
    calls: i64,
    last_success: Option<DateTime<Utc>>,
    untold: i64,
    failed_in_a_row: i64,
    stage: String,
}

impl TryFrom<LoadRow> for Load {
    type Error = Error;

    fn try_from(row: LoadRow) -> Result<Self> {
        Ok(Self {
            binding_id: BindingId(row.id),
            backlog: row.backlog,
            oldest_due: row.oldest_due,
            ended: row.ended,
            calls: row.calls,
            last_success: row.last_success,
            untold: row.untold,
            failed_in_a_row: u32::try_from(row.failed_in_a_row).unwrap_or(u32::MAX),
            stage: Place { table: "binding_health", row: &row.id }.word("stage", &row.stage)?,
        })
    }
}

#[async_trait]
impl Overviews for PostgresStore {
    async fn volume(
        &self,
        organisation: OrganisationId,
        span: Span,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<Volume>> {
        sqlx::query_as::<_, VolumeRow>(
            "SELECT c.starts_at, c.tally, sum(c.runs)::bigint AS runs
               FROM bindings b JOIN run_counts c ON c.binding_id = b.id
              WHERE b.organisation_id = $1 AND c.span = $2 AND c.starts_at >= $3 AND c.starts_at < $4
              GROUP BY c.starts_at, c.tally ORDER BY c.starts_at, c.tally",
        )
        .bind(organisation.0)
        .bind(span.as_str())
        .bind(from)
        .bind(until)
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?
        .into_iter()
        .map(Volume::try_from)
        .collect()
    }

    async fn loads(&self, organisation: OrganisationId, now: DateTime<Utc>) -> Result<Vec<Load>> {
        // Ordered by status as well, which only the index by status gives: another one leads past every run of a binding that
        // has never succeeded, and Postgres, which believes that most runs of any binding have, holds both for as good.
        let rows = sqlx::query_as::<_, LoadRow>(
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
        .bind(organisation.0)
        .bind(now)
        .bind(now - TimeDelta::hours(1))
        .bind(Span::Day.start(now))
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        rows.into_iter().map(Load::try_from).collect()
    }

    async fn times(
        &self,
        organisation: OrganisationId,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Times>> {
        type Row = (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>, DateTime<Utc>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT occurred_at, created_at, coalesce(started_at, finished_at), finished_at FROM runs
              WHERE organisation_id = $1 AND status = 'succeeded' AND finished_at >= $2
              ORDER BY finished_at DESC LIMIT $3",
        )
        .bind(organisation.0)
        .bind(since)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        let times = |(occurred_at, created_at, started_at, finished_at): Row| Times {
            occurred_at,
            created_at,
            started_at,
            finished_at,
        };
        Ok(rows.into_iter().map(times).collect())
    }

    async fn forget_hours(&self, before: DateTime<Utc>) -> Result<u64> {
        repeating(move || async move {
            let deleted = sqlx::query("DELETE FROM run_counts WHERE span = 'hour' AND starts_at < $1")
                .bind(before)
                .execute(&self.pool)
                .await?;
            Ok(deleted.rows_affected())
        })
        .await
    }
}

/// Counts runs of a binding, in the transaction of what is counted; late in it, because others wait for the row.
pub(crate) async fn count(
    connection: &mut PgConnection,
    binding: Uuid,
    tally: Tally,
    runs: u64,
    at: DateTime<Utc>,
) -> Tried<()> {
    sqlx::query(
        "INSERT INTO run_counts (binding_id, span, starts_at, tally, part, runs)
         VALUES ($1, 'hour', $2, $4, pg_backend_pid() % 8, $5), ($1, 'day', $3, $4, pg_backend_pid() % 8, $5)
         ON CONFLICT (binding_id, span, starts_at, tally, part) DO UPDATE SET runs = run_counts.runs + excluded.runs",
    )
    .bind(binding)
    .bind(Span::Hour.start(at))
    .bind(Span::Day.start(at))
    .bind(tally.as_str())
    .bind(i64::try_from(runs).unwrap_or(i64::MAX))
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts the calls to Sage among these steps, on the day of the last one.
pub(crate) async fn count_calls(connection: &mut PgConnection, binding: Uuid, steps: &[Step]) -> Tried<()> {
    let Some((day, calls)) = store::calls_of(steps) else { return Ok(()) };
    sqlx::query(
        "INSERT INTO call_days (binding_id, day, calls) VALUES ($1, $2, $3)
         ON CONFLICT (binding_id, day) DO UPDATE SET calls = call_days.calls + excluded.calls",
    )
    .bind(binding)
    .bind(day)
    .bind(calls)
    .execute(connection)
    .await?;
    Ok(())
}
