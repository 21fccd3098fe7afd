//! How bindings fare: counted within the transaction in which a run ends or a status changes.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    alert::AlertKind,
    code::Code,
    health::{Ended, Health},
    ids::RunId,
    run::{BindingStatus, RunStatus},
};
use sqlx::{SqliteConnection, SqliteExecutor};
use store::{Action, FinishRun, Result, Standing};

use crate::{
    actions,
    alerts::{Raised, raise},
    bindings,
    columns::{Place, instant},
    error::translate,
};

#[derive(sqlx::FromRow)]
struct HealthRow {
    failed_in_a_row: i64,
    stage: String,
}

/// How a binding fares.
pub(crate) async fn read(executor: impl SqliteExecutor<'_>, binding: &str) -> Result<Health> {
    let row = sqlx::query_as::<_, HealthRow>(
        "SELECT failed_in_a_row, stage FROM binding_health WHERE binding_id = ?1",
    )
    .bind(binding)
    .fetch_optional(executor)
    .await
    .map_err(translate)?;
    let Some(row) = row else { return Ok(Health::default()) };
    let place = Place { table: "binding_health", row: binding };
    Ok(Health {
        failed_in_a_row: u32::try_from(row.failed_in_a_row).unwrap_or(u32::MAX),
        stage: place.word("stage", &row.stage)?,
    })
}

/// What the end of an attempt does to its binding, where Sage or the shop rests after it for how long it has been silent; where too many
/// documents have failed, it is paused.
pub(crate) async fn note_run(
    connection: &mut SqliteConnection,
    binding: &str,
    finish: &FinishRun,
    standing: &Standing<'_>,
    silent_for: Option<TimeDelta>,
) -> Result<()> {
    let (run, seed) = (finish.fence.run_id, finish.fence.attempt_id.0);
    let raised = |kind, failed| Raised { kind, seed, run: Some(run), code: standing.code, failed };
    if let Some(kind) = standing.held() {
        let is_told =
            kind == AlertKind::MappingMissing && others_miss_one(connection, binding, finish).await?;
        return if is_told {
            Ok(())
        } else {
            raise(connection, binding, raised(kind, None), finish.now).await
        };
    }
    if let Some(silent_for) = silent_for {
        let before = read(&mut *connection, binding).await?;
        let (after, kind) = before.after_rest(silent_for);
        write(connection, binding, before, after, finish.now).await?;
        return match kind {
            Some(kind) => raise(connection, binding, raised(kind, None), finish.now).await,
            None => Ok(()),
        };
    }
    let is_counted = standing.status == RunStatus::Failed && is_counted(connection, binding, finish).await?;
    let Some(ended) = standing.ended(is_counted) else { return Ok(()) };
    let before = read(&mut *connection, binding).await?;
    let (after, kind) = before.after_run(ended, finish.thresholds);
    write(connection, binding, before, after, finish.now).await?;
    let Some(kind) = kind else { return Ok(()) };
    let failed = (ended == Ended::Failed).then_some(after.failed_in_a_row);
    raise(connection, binding, raised(kind, failed), finish.now).await?;
    if kind == AlertKind::BindingPaused
        && bindings::status_of(connection, binding).await? == BindingStatus::Active
    {
        bindings::move_to(connection, binding, BindingStatus::Paused, finish.now).await?;
        let place = Place { table: "bindings", row: binding };
        let organisation: String = sqlx::query_scalar("SELECT organisation_id FROM bindings WHERE id = ?1")
            .bind(binding)
            .fetch_one(&mut *connection)
            .await
            .map_err(translate)?;
        let organisation = place.word("organisation_id", &organisation)?;
        let binding = place.word("id", binding)?;
        let action = Action::paused_by_ledger(finish, organisation, binding, after.failed_in_a_row);
        actions::record(connection, &action).await?;
    }
    Ok(())
}

/// What a new status does to its binding.
pub(crate) async fn note_status(
    connection: &mut SqliteConnection,
    binding: &str,
    status: BindingStatus,
    now: DateTime<Utc>,
) -> Result<()> {
    let before = read(&mut *connection, binding).await?;
    let (after, kind) = before.after_status(status);
    write(connection, binding, before, after, now).await?;
    let Some(kind) = kind else { return Ok(()) };
    let seed = Place { table: "bindings", row: binding }.word("id", binding)?;
    raise(connection, binding, Raised { kind, seed, run: None, code: None, failed: None }, now).await
}

/// A run that cannot be read says nothing of its binding's other documents, but it needs a person.
pub(crate) async fn note_unreadable(
    connection: &mut SqliteConnection,
    run: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let binding: String = sqlx::query_scalar("SELECT binding_id FROM runs WHERE id = ?1")
        .bind(run)
        .fetch_one(&mut *connection)
        .await
        .map_err(translate)?;
    let run: RunId = Place { table: "runs", row: run }.word("id", run)?;
    let kind = AlertKind::DocumentFailed;
    let raised = Raised { kind, seed: run.0, run: Some(run), code: Some(Code::Internal), failed: None };
    raise(connection, &binding, raised, now).await
}

/// Whether the run has failed already since the binding's failures are counted.
async fn is_counted(connection: &mut SqliteConnection, binding: &str, finish: &FinishRun) -> Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM attempts
          WHERE binding_id = ?1 AND run_id = ?2 AND id <> ?3 AND outcome = 'failed'
            AND ended_at > coalesce((SELECT counted_from FROM binding_health WHERE binding_id = ?1), ''))",
    )
    .bind(binding)
    .bind(finish.fence.run_id.to_string())
    .bind(finish.fence.attempt_id.to_string())
    .fetch_one(connection)
    .await
    .map_err(translate)
}

/// Whether other documents wait for a setting already, so that members have been told of it.
async fn others_miss_one(
    connection: &mut SqliteConnection,
    binding: &str,
    finish: &FinishRun,
) -> Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM runs
          WHERE binding_id = ?1 AND status = 'waiting' AND id <> ?2 AND code = ?3)",
    )
    .bind(binding)
    .bind(finish.fence.run_id.to_string())
    .bind(Code::NeedsMapping.as_str())
    .fetch_one(connection)
    .await
    .map_err(translate)
}

async fn write(
    connection: &mut SqliteConnection,
    binding: &str,
    before: Health,
    after: Health,
    now: DateTime<Utc>,
) -> Result<()> {
    if before == after {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO binding_health (binding_id, failed_in_a_row, counted_from, stage, since) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (binding_id) DO UPDATE
            SET failed_in_a_row = excluded.failed_in_a_row,
                counted_from = coalesce(excluded.counted_from, counted_from),
                since = iif(stage = excluded.stage, since, excluded.since), stage = excluded.stage",
    )
    .bind(binding)
    .bind(after.failed_in_a_row)
    .bind((after.failed_in_a_row == 0).then(|| instant(now)))
    .bind(after.stage.as_str())
    .bind(instant(now))
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}
