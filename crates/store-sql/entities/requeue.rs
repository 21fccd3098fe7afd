//! Queueing a run again.

use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{AttemptId, BindingId, OrganisationId, RunId},
    run::RunStatus,
};
use store::{Error, Requeued, RunState, waiting_code};
use store_sql::{Id, Instant, Word};

use super::{
    Tried, ensure_affected,
    taken_back::{EndRow, take_back},
};
use crate::{
    ahead,
    db::Connection,
    dialect::{freed, held},
    driver::Transaction,
    locks::{free_business, hold_binding},
};

/// What the audit says of an attempt whose worker died.
const LOST: &str = "The worker that held this run stopped answering; another took over.";

/// Ends the attempt of a worker that died.
pub(crate) async fn close_lost(
    connection: &mut Connection,
    (binding, run): (BindingId, RunId),
    attempt: AttemptId,
    now: DateTime<Utc>,
) -> Tried<()> {
    sqlx::query(
        "UPDATE attempts SET ended_at = $4, outcome = 'lost', message = $5
          WHERE binding_id = $1 AND run_id = $2 AND id = $3 AND ended_at IS NULL",
    )
    .bind(Id(binding))
    .bind(Id(run))
    .bind(Id(attempt))
    .bind(Instant(now))
    .bind(LOST)
    .execute(&mut *connection)
    .await?;
    // Its lease is still there when the binding has moved to another business since.
    free_business(connection, attempt).await
}

/// A run that is queued again, as it was found.
#[derive(sqlx::FromRow)]
struct AgainRow {
    binding_id: Id<BindingId>,
    /// The attempt of a worker that may have died.
    lost: Option<Id<AttemptId>>,
    is_held: bool,
    #[sqlx(flatten)]
    end: EndRow,
}

/// Puts a run in the queue as if it were new; `false` when it is held.
pub(crate) async fn queue_again(
    connection: &mut Connection,
    organisation: OrganisationId,
    run: RunId,
    now: DateTime<Utc>,
) -> Tried<bool> {
    hold_binding(connection, run).await?.ok_or(Error::NotFound("the run"))?;
    let found: Option<AgainRow> = sqlx::query_as(held!(
        "SELECT binding_id, CASE WHEN status = 'running' THEN attempt_id END AS lost,
                coalesce(status = 'running' AND lease_until > $3, false) AS is_held, status, finished_at
         FROM runs WHERE id = $2 AND organisation_id = $1",
        "FOR UPDATE"
    ))
    .bind(Id(organisation))
    .bind(Id(run))
    .bind(Instant(now))
    .fetch_optional(&mut *connection)
    .await?;
    let found = found.ok_or(Error::NotFound("the run"))?;
    if found.is_held {
        return Ok(false);
    }
    if let Some(Id(lost)) = found.lost {
        close_lost(connection, (found.binding_id.0, run), lost, now).await?;
    }
    take_back(connection, found.binding_id.0, &[found.end]).await?;
    let onward = RunState::onward(now);
    sqlx::query(concat!(
        "UPDATE runs
            SET status = $3, code = $4, message = NULL, cause = NULL, attempts = 0, next_at = $2, updated_at = $2,
                finished_at = NULL, resolved_by = NULL, waits_for_invoice = NULL,
                settings_version = (SELECT coalesce(max(p.version), 0) FROM settings_versions p
                                   WHERE p.binding_id = runs.binding_id), ",
        freed!(),
        " WHERE id = $1"
    ))
    .bind(Id(run))
    .bind(Instant(now))
    .bind(onward.status.as_str())
    .bind(onward.code.map(Code::as_str))
    .execute(connection)
    .await?;
    Ok(true)
}

/// A run as it was found.
#[derive(sqlx::FromRow)]
struct RequeueRow {
    binding_id: Id<BindingId>,
    status: Word<RunStatus>,
    attempt_id: Option<Id<AttemptId>>,
    lease_until: Option<Instant>,
}

/// Makes a run due at once, as it is: an operator's word. One that is held is left alone, unless that is forced.
pub(crate) async fn requeue(
    mut transaction: Transaction,
    organisation: OrganisationId,
    (run, force): (RunId, bool),
    now: DateTime<Utc>,
) -> Tried<Requeued> {
    ahead::end_leases(&mut transaction, now).await?;
    let binding = hold_binding(&mut transaction, run).await?.ok_or(Error::NotFound("the run"))?;
    let found: Option<RequeueRow> = sqlx::query_as(held!(
        "SELECT r.binding_id, r.status, r.attempt_id, r.lease_until FROM runs r JOIN bindings b ON b.id = r.binding_id
          WHERE r.id = $2 AND b.organisation_id = $1",
        "FOR UPDATE OF r"
    ))
    .bind(Id(organisation))
    .bind(Id(run))
    .fetch_optional(&mut *transaction)
    .await?;
    let found = found.ok_or(Error::NotFound("the run"))?;
    if found.status.0.is_terminal() {
        return Ok(Requeued::Ended);
    }
    if found.status.0 == RunStatus::Running {
        if let Some(Instant(until)) = found.lease_until.filter(|until| until.0 > now && !force) {
            return Ok(Requeued::Held(until));
        }
        if let Some(Id(attempt)) = found.attempt_id {
            close_lost(&mut transaction, (found.binding_id.0, run), attempt, now).await?;
        }
    }
    let onward = RunState::onward(now);
    let changed = sqlx::query(concat!(
        "UPDATE runs
            SET status = $4, code = $5, message = NULL, waits_for_invoice = NULL, next_at = $3, updated_at = $3, ",
        freed!(),
        " WHERE binding_id = $1 AND id = $2"
    ))
    .bind(found.binding_id)
    .bind(Id(run))
    .bind(Instant(now))
    .bind(onward.status.as_str())
    .bind(onward.code.map(Code::as_str))
    .execute(&mut *transaction)
    .await?;
    ensure_affected(changed.rows_affected(), 1)?;
    transaction.announce(organisation).await?;
    let requeued = if waiting_code(binding).is_some() { Requeued::WaitsForBinding } else { Requeued::Due };
    transaction.commit(requeued).await
}
