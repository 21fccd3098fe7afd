//! How bindings fare: counted within the transaction in which a run ends or a status changes.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    alert::AlertKind,
    code::Code,
    health::{Health, Stage},
    ids::{BindingId, RunId},
    run::{BindingStatus, RunStatus},
};
use sqlx::Executor;
use store::{FinishRun, Result, RunState};
use store_sql::{Count, Id, Instant, Word};

use super::{
    Tried,
    raising::{Raised, raise},
    rows::{self, Record},
};
use crate::{
    db::{Connection, Db},
    dialect::held,
};

#[derive(sqlx::FromRow)]
struct HealthRow {
    failed_in_a_row: Count,
    stage: Word<Stage>,
}

impl Record for HealthRow {
    type Value = Health;
    const TABLE: &'static str = "binding_health";
    const KEY: &'static str = "binding_id";

    fn value(self) -> Result<Health> {
        Ok(Health { failed_in_a_row: self.failed_in_a_row.0, stage: self.stage.0 })
    }
}

/// How a binding fares.
macro_rules! health {
    () => {
        "SELECT binding_id, failed_in_a_row, stage FROM binding_health WHERE binding_id = $1"
    };
}

/// How a binding fares.
pub(super) async fn read<'e>(
    executor: impl Executor<'e, Database = Db>,
    binding: BindingId,
) -> Tried<Health> {
    let found = sqlx::query(health!()).bind(Id(binding));
    Ok(rows::optional::<HealthRow>(found, executor).await?.unwrap_or_default())
}

/// How a binding fares, which nobody else changes until the transaction ends.
async fn hold(connection: &mut Connection, binding: BindingId) -> Tried<Health> {
    let found = sqlx::query(held!(health!(), "FOR UPDATE")).bind(Id(binding));
    Ok(rows::optional::<HealthRow>(found, connection).await?.unwrap_or_default())
}

/// Makes the row that [`hold`] locks: two failures at the same moment must not both find none.
async fn begin(connection: &mut Connection, binding: BindingId, now: DateTime<Utc>) -> Tried<()> {
    sqlx::query(
        "INSERT INTO binding_health (binding_id, failed_in_a_row, stage, since) VALUES ($1, 0, 'healthy', $2)
         ON CONFLICT (binding_id) DO NOTHING",
    )
    .bind(Id(binding))
    .bind(Instant(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// That a binding is to be paused, because so many documents have failed one after another.
pub(crate) struct Pause {
    /// How many.
    pub(crate) failed_in_a_row: u32,
}

/// What the end of an attempt does to its binding, where Sage or the shop rests after it for how long it has been silent. Whether the
/// binding is to be paused is for the caller to do.
pub(crate) async fn note_run(
    connection: &mut Connection,
    binding: BindingId,
    finish: &FinishRun,
    run_state: &RunState<'_>,
    silent_for: Option<TimeDelta>,
) -> Tried<Option<Pause>> {
    let (run, seed) = (finish.fence.run_id, finish.fence.attempt_id.0);
    let raised = |kind, failed| Raised { kind, seed, run: Some(run), code: run_state.code, failed };
    if let Some(kind) = run_state.held() {
        let is_told = kind == AlertKind::MappingMissing && others_miss_one(connection, binding, run).await?;
        if !is_told {
            raise(connection, binding, raised(kind, None), finish.now).await?;
        }
        return Ok(None);
    }
    if let Some(silent_for) = silent_for {
        let before = hold(connection, binding).await?;
        let (after, kind) = before.after_rest(silent_for);
        write(connection, binding, before, after, finish.now).await?;
        if let Some(kind) = kind {
            raise(connection, binding, raised(kind, None), finish.now).await?;
        }
        return Ok(None);
    }
    if run_state.ended(false).is_none() {
        return Ok(None);
    }
    let is_failure = run_state.status == RunStatus::Failed;
    if is_failure {
        begin(connection, binding, finish.now).await?;
    }
    let before = hold(connection, binding).await?;
    let is_counted = is_failure && is_counted(connection, binding, finish).await?;
    let Some(ended) = run_state.ended(is_counted) else { return Ok(None) };
    let (after, kind) = before.after_run(ended, finish.thresholds);
    write(connection, binding, before, after, finish.now).await?;
    let Some(kind) = kind else { return Ok(None) };
    let failed = is_failure.then_some(after.failed_in_a_row);
    raise(connection, binding, raised(kind, failed), finish.now).await?;
    Ok((kind == AlertKind::BindingPaused).then_some(Pause { failed_in_a_row: after.failed_in_a_row }))
}

/// What a new status does to its binding.
pub(crate) async fn note_status(
    connection: &mut Connection,
    binding: BindingId,
    status: BindingStatus,
    now: DateTime<Utc>,
) -> Tried<()> {
    let before = hold(connection, binding).await?;
    let (after, kind) = before.after_status(status);
    write(connection, binding, before, after, now).await?;
    let Some(kind) = kind else { return Ok(()) };
    let raised = Raised { kind, seed: binding.0, run: None, code: None, failed: None };
    raise(connection, binding, raised, now).await
}

/// A run that cannot be read says nothing of its binding's other documents, but it needs a person.
pub(crate) async fn note_unreadable(
    connection: &mut Connection,
    binding: BindingId,
    run: RunId,
    now: DateTime<Utc>,
) -> Tried<()> {
    let kind = AlertKind::DocumentFailed;
    let raised = Raised { kind, seed: run.0, run: Some(run), code: Some(Code::Internal), failed: None };
    raise(connection, binding, raised, now).await
}

/// Whether the run's failure is known: it has failed already since the binding's failures are counted, or before a retry of many that
/// put it in the queue. Whoever retries known failures together learns nothing new of the shop.
async fn is_counted(connection: &mut Connection, binding: BindingId, finish: &FinishRun) -> Tried<bool> {
    let counted = sqlx::query(
        "SELECT 1 FROM attempts a LEFT JOIN binding_health h ON h.binding_id = a.binding_id
          WHERE a.binding_id = $1 AND a.run_id = $2 AND a.id <> $3 AND a.outcome = 'failed'
            AND (h.counted_from IS NULL OR a.ended_at > h.counted_from
                 OR EXISTS (SELECT 1 FROM actions t WHERE t.run_id = a.run_id AND t.bulk_retry_id IS NOT NULL AND t.at >= a.ended_at))
          LIMIT 1",
    )
    .bind(Id(binding))
    .bind(Id(finish.fence.run_id))
    .bind(Id(finish.fence.attempt_id))
    .fetch_optional(connection)
    .await?;
    Ok(counted.is_some())
}

/// Whether other documents wait for a setting already, so that members have been told of it.
async fn others_miss_one(connection: &mut Connection, binding: BindingId, run: RunId) -> Tried<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM runs
         WHERE binding_id = $1 AND status = 'waiting' AND id <> $2 AND code = $3)",
    )
    .bind(Id(binding))
    .bind(Id(run))
    .bind(Code::NeedsMapping.as_str())
    .fetch_one(connection)
    .await?)
}

async fn write(
    connection: &mut Connection,
    binding: BindingId,
    before: Health,
    after: Health,
    now: DateTime<Utc>,
) -> Tried<()> {
    if before == after {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO binding_health AS h (binding_id, failed_in_a_row, counted_from, stage, since)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (binding_id) DO UPDATE
         SET failed_in_a_row = excluded.failed_in_a_row,
             counted_from = coalesce(excluded.counted_from, h.counted_from),
             since = CASE WHEN h.stage = excluded.stage THEN h.since ELSE excluded.since END, stage = excluded.stage",
    )
    .bind(Id(binding))
    .bind(Count(after.failed_in_a_row))
    .bind((after.failed_in_a_row == 0).then_some(Instant(now)))
    .bind(after.stage.as_str())
    .bind(Instant(now))
    .execute(connection)
    .await?;
    Ok(())
}
