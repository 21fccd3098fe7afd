//! What the overview shows, and the counts that it is read from.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{BindingId, OrganisationId},
    run::EventName,
};
use store::{Load, Overviews, Result, Span, Step, Takings, Tally, Times, Volume};
use store_sql::{Id, Instant, Word};

use super::{
    Tried,
    rows::{self, Record},
};
use crate::{db::Connection, dialect::indexed, driver::Driver, loads};

#[derive(sqlx::FromRow)]
struct VolumeRow {
    starts_at: Instant,
    tally: Word<Tally>,
    runs: i64,
}

impl Record for VolumeRow {
    type Value = Volume;
    const TABLE: &'static str = "run_counts";
    const KEY: &'static str = "starts_at";

    fn value(self) -> Result<Volume> {
        Ok(Volume { starts_at: self.starts_at.0, tally: self.tally.0, runs: self.runs })
    }
}

#[expect(clippy::struct_field_names, reason = "they are called like the columns")]
#[derive(sqlx::FromRow)]
struct TimesRow {
    occurred_at: Instant,
    created_at: Instant,
    started_at: Instant,
    finished_at: Instant,
}

impl Record for TimesRow {
    type Value = Times;
    const TABLE: &'static str = "runs";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Times> {
        Ok(Times {
            occurred_at: self.occurred_at.0,
            created_at: self.created_at.0,
            started_at: self.started_at.0,
            finished_at: self.finished_at.0,
        })
    }
}

#[derive(sqlx::FromRow)]
struct TakingsRow {
    binding_id: Id<BindingId>,
    event: Word<EventName>,
    currency: Option<String>,
    runs: i64,
    value_minor: i64,
}

impl Record for TakingsRow {
    type Value = Takings;
    const TABLE: &'static str = "runs";
    const KEY: &'static str = "binding_id";

    fn value(self) -> Result<Takings> {
        let Self { binding_id, event, currency, runs, value_minor } = self;
        Ok(Takings { binding_id: binding_id.0, event: event.0, currency, runs, value_minor })
    }
}

#[async_trait]
impl Overviews for Driver {
    async fn volume(
        &self,
        organisation: OrganisationId,
        span: Span,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<Volume>> {
        // CROSS JOIN keeps SQLite to the order: a look into the index for each binding, and not one over all bindings there are.
        let found = sqlx::query(
            "SELECT c.starts_at, c.tally, CAST(sum(c.runs) AS bigint) AS runs FROM bindings b CROSS JOIN run_counts c
              WHERE b.organisation_id = $1 AND c.binding_id = b.id AND c.span = $2 AND c.starts_at >= $3 AND c.starts_at < $4
              GROUP BY c.starts_at, c.tally ORDER BY c.starts_at, c.tally",
        )
        .bind(Id(organisation))
        .bind(span.as_str())
        .bind(Instant(from))
        .bind(Instant(until));
        Ok(rows::all::<VolumeRow>(found, self.reader()).await?)
    }

    async fn loads(&self, organisation: OrganisationId, now: DateTime<Utc>) -> Result<Vec<Load>> {
        loads::of(self, organisation, now).await
    }

    async fn times(
        &self,
        organisation: OrganisationId,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Times>> {
        let found = sqlx::query(concat!(
            "SELECT id, occurred_at, created_at, coalesce(started_at, finished_at) AS started_at, finished_at FROM runs",
            indexed!("runs_succeeded"),
            " WHERE organisation_id = $1 AND status = 'succeeded' AND finished_at >= $2
              ORDER BY finished_at DESC LIMIT $3"
        ))
        .bind(Id(organisation))
        .bind(Instant(since))
        .bind(i64::from(limit));
        Ok(rows::all::<TimesRow>(found, self.reader()).await?)
    }

    async fn takings(
        &self,
        organisation: OrganisationId,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Takings>> {
        let found = sqlx::query(concat!(
            "SELECT binding_id, event, currency, count(*) AS runs,
                    CAST(sum(coalesce(amount_minor, 0)) AS bigint) AS value_minor
               FROM (SELECT binding_id, event, currency, amount_minor FROM runs",
            indexed!("runs_succeeded"),
            " WHERE organisation_id = $1 AND status = 'succeeded' AND finished_at >= $2
                      ORDER BY finished_at DESC LIMIT $3) newest
              WHERE event IN ('invoice.created', 'creditmemo.created')
              GROUP BY binding_id, event, currency ORDER BY binding_id, event, currency"
        ))
        .bind(Id(organisation))
        .bind(Instant(since))
        .bind(i64::from(limit));
        Ok(rows::readable::<TakingsRow>(found, self.reader()).await?)
    }

    async fn forget_hours(&self, before: DateTime<Utc>) -> Result<u64> {
        Ok(self
            .execute(|| {
                sqlx::query("DELETE FROM run_counts WHERE span = 'hour' AND starts_at < $1")
                    .bind(Instant(before))
            })
            .await?)
    }
}

/// Counts the calls to Sage among these steps, on the day of the last one.
pub(crate) async fn count_calls(
    connection: &mut Connection,
    binding: BindingId,
    steps: &[Step],
) -> Tried<()> {
    let Some((day, calls)) = store::calls_of(steps) else { return Ok(()) };
    sqlx::query(
        "INSERT INTO call_days (binding_id, day, calls) VALUES ($1, $2, $3)
         ON CONFLICT (binding_id, day) DO UPDATE SET calls = call_days.calls + excluded.calls",
    )
    .bind(Id(binding))
    .bind(Instant(day))
    .bind(calls)
    .execute(connection)
    .await?;
    Ok(())
}
