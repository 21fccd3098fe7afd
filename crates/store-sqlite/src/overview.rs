//! What the overview shows, and the counts that it is read from.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::OrganisationId;
use sqlx::SqliteConnection;
use store::{Error, Load, Overviews, Result, Span, Step, Tally, Times, Volume};

use crate::{
    columns::{Place, instant},
    error::translate,
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct VolumeRow {
    starts_at: String,
    tally: String,
    runs: i64,
}

impl TryFrom<VolumeRow> for Volume {
    type Error = Error;

    fn try_from(row: VolumeRow) -> Result<Self> {
        let place = Place { table: "run_counts", row: &row.starts_at };
        let starts_at = place.time("starts_at", &row.starts_at)?;
        Ok(Self { starts_at, tally: place.word("tally", &row.tally)?, runs: row.runs })
    }
}

#[derive(sqlx::FromRow)]
struct LoadRow {
    id: String,
    queued: i64,
    retrying: i64,
    oldest_queued: Option<String>,
    oldest_retrying: Option<String>,
    ended: i64,
    calls: i64,
    last_success: Option<String>,
    untold: i64,
    failed_in_a_row: i64,
    stage: String,
}

impl TryFrom<LoadRow> for Load {
    type Error = Error;

    fn try_from(row: LoadRow) -> Result<Self> {
        let place = Place { table: "runs", row: &row.id };
        let oldest_due = [row.oldest_queued, row.oldest_retrying].into_iter().flatten().min();
        Ok(Self {
            binding_id: place.word("binding_id", &row.id)?,
            backlog: row.queued + row.retrying,
            oldest_due: place.optional_time("next_at", oldest_due.as_deref())?,
            ended: row.ended,
            calls: row.calls,
            last_success: place.optional_time("finished_at", row.last_success.as_deref())?,
            untold: row.untold,
            failed_in_a_row: u32::try_from(row.failed_in_a_row).unwrap_or(u32::MAX),
            stage: place.word("stage", &row.stage)?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct TimesRow {
    id: String,
    occurred_at: String,
    created_at: String,
    started_at: String,
    finished_at: String,
}

impl TryFrom<TimesRow> for Times {
    type Error = Error;

    fn try_from(row: TimesRow) -> Result<Self> {
        let place = Place { table: "runs", row: &row.id };
        Ok(Self {
            occurred_at: place.time("occurred_at", &row.occurred_at)?,
            created_at: place.time("created_at", &row.created_at)?,
            started_at: place.time("started_at", &row.started_at)?,
            finished_at: place.time("finished_at", &row.finished_at)?,
        })
    }
}

#[async_trait]
impl Overviews for SqliteStore {
    async fn volume(
        &self,
        organisation: OrganisationId,
        span: Span,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<Volume>> {
        // CROSS JOIN keeps the order: a look into the index for each binding, and not one over all bindings there are.
        sqlx::query_as::<_, VolumeRow>(
            "SELECT c.starts_at, c.tally, sum(c.runs) AS runs FROM bindings b CROSS JOIN run_counts c
              WHERE b.organisation_id = ?1 AND c.binding_id = b.id AND c.span = ?2 AND c.starts_at >= ?3 AND c.starts_at < ?4
              GROUP BY c.starts_at, c.tally ORDER BY c.starts_at, c.tally",
        )
        .bind(organisation.to_string())
        .bind(span.as_str())
        .bind(instant(from))
        .bind(instant(until))
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?
        .into_iter()
        .map(Volume::try_from)
        .collect()
    }

    async fn loads(&self, organisation: OrganisationId, now: DateTime<Utc>) -> Result<Vec<Load>> {
        sqlx::query_as::<_, LoadRow>(
            "SELECT b.id,
                    (SELECT count(*) FROM runs r WHERE r.binding_id = b.id AND r.status = 'queued') AS queued,
                    (SELECT min(r.next_at) FROM runs r WHERE r.binding_id = b.id AND r.status = 'queued') AS oldest_queued,
                    (SELECT count(*) FROM runs r
                      WHERE r.binding_id = b.id AND r.status = 'retrying' AND r.next_at <= ?2) AS retrying,
                    (SELECT min(r.next_at) FROM runs r
                      WHERE r.binding_id = b.id AND r.status = 'retrying' AND r.next_at <= ?2) AS oldest_retrying,
                    (SELECT count(*) FROM runs r WHERE r.binding_id = b.id AND r.finished_at > ?3) AS ended,
                    coalesce((SELECT d.calls FROM call_days d WHERE d.binding_id = b.id AND d.day = ?4), 0) AS calls,
                    (SELECT r.finished_at FROM runs r
                      WHERE r.binding_id = b.id AND r.status = 'succeeded' ORDER BY r.id DESC LIMIT 1) AS last_success,
                    (SELECT count(*) FROM sync_state_deliveries s
                      WHERE s.binding_id = b.id AND s.next_at IS NULL AND s.delivered_at IS NULL) AS untold,
                    coalesce(h.failed_in_a_row, 0) AS failed_in_a_row, coalesce(h.stage, 'healthy') AS stage
               FROM bindings b LEFT JOIN binding_health h ON h.binding_id = b.id
              WHERE b.organisation_id = ?1 ORDER BY b.created_at, b.id",
        )
        .bind(organisation.to_string())
        .bind(instant(now))
        .bind(instant(now - TimeDelta::hours(1)))
        .bind(instant(Span::Day.start(now)))
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?
        .into_iter()
        .map(Load::try_from)
        .collect()
    }

    async fn times(
        &self,
        organisation: OrganisationId,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Times>> {
        sqlx::query_as::<_, TimesRow>(
            "SELECT id, occurred_at, created_at, coalesce(started_at, finished_at) AS started_at, finished_at
               FROM runs INDEXED BY runs_succeeded
              WHERE organisation_id = ?1 AND status = 'succeeded' AND finished_at >= ?2
              ORDER BY finished_at DESC LIMIT ?3",
        )
        .bind(organisation.to_string())
        .bind(instant(since))
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?
        .into_iter()
        .map(Times::try_from)
        .collect()
    }

    async fn forget_hours(&self, before: DateTime<Utc>) -> Result<u64> {
        let result = sqlx::query("DELETE FROM run_counts WHERE span = 'hour' AND starts_at < ?1")
            .bind(instant(before))
            .execute(self.writer.pool())
            .await
            .map_err(translate)?;
        Ok(result.rows_affected())
    }
}

/// Counts runs of a binding, in the transaction of what is counted.
pub(crate) async fn count(
    connection: &mut SqliteConnection,
    binding: &str,
    tally: Tally,
    runs: u64,
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO run_counts (binding_id, span, starts_at, tally, runs)
         VALUES (?1, 'hour', ?2, ?4, ?5), (?1, 'day', ?3, ?4, ?5)
         ON CONFLICT (binding_id, span, starts_at, tally) DO UPDATE SET runs = run_counts.runs + excluded.runs",
    )
    .bind(binding)
    .bind(instant(Span::Hour.start(at)))
    .bind(instant(Span::Day.start(at)))
    .bind(tally.as_str())
    .bind(i64::try_from(runs).unwrap_or(i64::MAX))
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}

/// Counts the calls to Sage among these steps, on the day of the last one.
pub(crate) async fn count_calls(
    connection: &mut SqliteConnection,
    binding: &str,
    steps: &[Step],
) -> Result<()> {
    let Some((day, calls)) = store::calls_of(steps) else { return Ok(()) };
    sqlx::query(
        "INSERT INTO call_days (binding_id, day, calls) VALUES (?1, ?2, ?3)
         ON CONFLICT (binding_id, day) DO UPDATE SET calls = call_days.calls + excluded.calls",
    )
    .bind(binding)
    .bind(instant(day))
    .bind(calls)
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}
