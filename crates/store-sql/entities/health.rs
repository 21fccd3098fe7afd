//! How bindings fare: counted within the transaction in which a run ends or a status changes.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    alert::AlertKind,
    code::Code,
    health::Health,
    ids::{BindingId, OrganisationId, RunId},
    run::{BindingStatus, RunStatus},
};
use sqlx::{FromRow, PgConnection};
use store::{Action, FinishRun, Result, Standing};
use uuid::Uuid;

use crate::{
    actions,
    alerts::{Raised, raise},
    bindings,
    error::{Place, Tried},
};

#[derive(FromRow)]
pub(crate) struct HealthRow {
    failed_in_a_row: i64,
    stage: String,
}

impl HealthRow {
    pub(crate) fn read(self, binding: Uuid) -> Result<Health> {
        Ok(Health {
            failed_in_a_row: u32::try_from(self.failed_in_a_row).unwrap_or(u32::MAX),
            stage: Place { table: "binding_health", row: &binding }.word("stage", &self.stage)?,
        })
    }
}

/// How a binding fares, which nobody else changes until the transaction ends.
async fn hold(connection: &mut PgConnection, binding: Uuid) -> Tried<Health> {
    let row: Option<HealthRow> =
        sqlx::query_as("SELECT failed_in_a_row, stage FROM binding_health WHERE binding_id = $1 FOR UPDATE")
            .bind(binding)
            .fetch_optional(connection)
            .await?;
    Ok(row.map(|row| row.read(binding)).transpose()?.unwrap_or_default())
}

/// Makes the row that [`hold`] locks: two failures at the same moment must not both find none.
async fn begin(connection: &mut PgConnection, binding: Uuid, now: DateTime<Utc>) -> Tried<()> {
    sqlx::query(
        "INSERT INTO binding_health (binding_id, failed_in_a_row, stage, since) VALUES ($1, 0, 'healthy', $2)
         ON CONFLICT (binding_id) DO NOTHING",
    )
    .bind(binding)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// What the end of an attempt does to its binding, where Sage or the shop rests after it for how long it has been silent; where too many
/// documents have failed, it is paused.
pub(crate) async fn note_run(
    connection: &mut PgConnection,
    (binding, status): (Uuid, BindingStatus),
    finish: &FinishRun,
    standing: &Standing<'_>,
    silent_for: Option<TimeDelta>,
) -> Tried<()> {
    let (run, seed) = (finish.fence.run_id, finish.fence.attempt_id.0);
    let raised = |kind, failed| Raised { kind, seed, run: Some(run), code: standing.code, failed };
    if let Some(kind) = standing.held() {
        let is_told = kind == AlertKind::MappingMissing && others_miss_one(connection, binding, run).await?;
        return if is_told {
            Ok(())
        } else {
            raise(connection, binding, raised(kind, None), finish.now).await
        };
    }
    if let Some(silent_for) = silent_for {
        let before = hold(connection, binding).await?;
        let (after, kind) = before.after_rest(silent_for);
        write(connection, binding, before, after, finish.now).await?;
        return match kind {
            Some(kind) => raise(connection, binding, raised(kind, None), finish.now).await,
            None => Ok(()),
        };
    }
    if standing.ended(false).is_none() {
        return Ok(());
    }
    let is_failure = standing.status == RunStatus::Failed;
    if is_failure {
        begin(connection, binding, finish.now).await?;
    }
    let before = hold(connection, binding).await?;
    let is_counted = is_failure && is_counted(connection, binding, finish).await?;
    let Some(ended) = standing.ended(is_counted) else { return Ok(()) };
    let (after, kind) = before.after_run(ended, finish.thresholds);
    write(connection, binding, before, after, finish.now).await?;
    let Some(kind) = kind else { return Ok(()) };
    let failed = is_failure.then_some(after.failed_in_a_row);
    raise(connection, binding, raised(kind, failed), finish.now).await?;
    if kind == AlertKind::BindingPaused && status == BindingStatus::Active {
        bindings::move_to(connection, BindingId(binding), BindingStatus::Paused, finish.now).await?;
        let organisation: Uuid = sqlx::query_scalar("SELECT organisation_id FROM bindings WHERE id = $1")
            .bind(binding)
            .fetch_one(&mut *connection)
            .await?;
        let (organisation, binding) = (OrganisationId(organisation), BindingId(binding));
        let action = Action::paused_by_ledger(finish, organisation, binding, after.failed_in_a_row);
        actions::record(connection, &action).await?;
    }
    Ok(())
}

/// What a new status does to its binding.
pub(crate) async fn note_status(
    connection: &mut PgConnection,
    binding: Uuid,
    status: BindingStatus,
    now: DateTime<Utc>,
) -> Tried<()> {
    let before = hold(connection, binding).await?;
    let (after, kind) = before.after_status(status);
    write(connection, binding, before, after, now).await?;
    let Some(kind) = kind else { return Ok(()) };
    let raised = Raised { kind, seed: binding, run: None, code: None, failed: None };
    raise(connection, binding, raised, now).await
}

/// A run that cannot be read says nothing of its binding's other documents, but it needs a person.
pub(crate) async fn note_unreadable(
    connection: &mut PgConnection,
    binding: Uuid,
    run: RunId,
    now: DateTime<Utc>,
) -> Tried<()> {
    let kind = AlertKind::DocumentFailed;
    let raised = Raised { kind, seed: run.0, run: Some(run), code: Some(Code::Internal), failed: None };
    raise(connection, binding, raised, now).await
}

/// Whether the run has failed already since the binding's failures are counted.
async fn is_counted(connection: &mut PgConnection, binding: Uuid, finish: &FinishRun) -> Tried<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM attempts
         WHERE binding_id = $1 AND run_id = $2 AND id <> $3 AND outcome = 'failed'
           AND ended_at > coalesce((SELECT counted_from FROM binding_health WHERE binding_id = $1), '-infinity'))",
    )
    .bind(binding)
    .bind(finish.fence.run_id.0)
    .bind(finish.fence.attempt_id.0)
    .fetch_one(connection)
    .await?)
}

/// Whether other documents wait for a setting already, so that members have been told of it.
async fn others_miss_one(connection: &mut PgConnection, binding: Uuid, run: RunId) -> Tried<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM runs
         WHERE binding_id = $1 AND status = 'waiting' AND id <> $2 AND code = $3)",
    )
    .bind(binding)
    .bind(run.0)
    .bind(Code::NeedsMapping.as_str())
    .fetch_one(connection)
    .await?)
}

async fn write(
    connection: &mut PgConnection,
    binding: Uuid,
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
    .bind(binding)
    .bind(i64::from(after.failed_in_a_row))
    .bind((after.failed_in_a_row == 0).then_some(now))
    .bind(after.stage.as_str())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
