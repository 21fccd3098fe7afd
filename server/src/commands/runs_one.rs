//! One run: shown, started again, made due.

use std::{fmt::Write, process::ExitCode, sync::Arc};

use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{AttemptId, RunId},
    run::ActionKind,
};
use messages::message;
use serde::Serialize;
use store::{Attempt, Error, Requeued, Step, Store};

use super::{
    output::{Output, dash, instant},
    run_line::RunLineJson,
};
use crate::{environment::now_of, lifecycle::Failure};

/// A run with all that was tried.
#[derive(Serialize)]
struct RunJson {
    #[serde(flatten)]
    run: RunLineJson,
    says: Option<&'static str>,
    to_do: Option<&'static str>,
    attempts_made: Vec<Tried>,
}

#[derive(Serialize)]
struct Tried {
    number: i32,
    id: AttemptId,
    worker: String,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    outcome: Option<String>,
    code: Option<Code>,
    message: Option<String>,
    steps: Vec<Called>,
}

#[derive(Serialize)]
struct Called {
    target: String,
    name: String,
    method: String,
    path: String,
    status: Option<i32>,
    request_id: Option<String>,
    idempotency_id: Option<String>,
    summary: String,
    started_at: DateTime<Utc>,
    duration_ms: i64,
}

impl From<Step> for Called {
    fn from(step: Step) -> Self {
        Self {
            target: step.target,
            name: step.name,
            method: step.method,
            path: step.path,
            status: step.status,
            request_id: step.request_id,
            idempotency_id: step.idempotency_id,
            summary: step.summary,
            started_at: step.started_at,
            duration_ms: step.duration_ms,
        }
    }
}

impl From<Attempt> for Tried {
    fn from(attempt: Attempt) -> Self {
        Self {
            number: attempt.number,
            id: attempt.id,
            worker: attempt.worker,
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            outcome: attempt.outcome,
            code: attempt.code,
            message: attempt.message,
            steps: attempt.steps.into_iter().map(Called::from).collect(),
        }
    }
}

/// Shows a run.
pub(super) async fn show(store: &Arc<dyn Store>, id: RunId, output: Output) -> Result<ExitCode, Failure> {
    let (organisation, run) =
        super::run(store, id).await?.ok_or_else(|| message!(command_line.no_run, id = id))?;
    let attempts = store.attempts(organisation, id).await?;
    let shown = RunJson {
        says: run.code.map(Code::sentence),
        to_do: run.code.map(Code::action),
        run: run.into(),
        attempts_made: attempts.into_iter().map(Tried::from).collect(),
    };
    output.print(&shown, || words(&shown))?;
    Ok(ExitCode::SUCCESS)
}

fn words(shown: &RunJson) -> String {
    let mut text = shown.run.in_words();
    for sentence in [shown.says, shown.run.message(), shown.to_do].into_iter().flatten() {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {sentence}");
    }
    for attempt in &shown.attempts_made {
        let outcome = attempt.outcome.as_deref().unwrap_or("running");
        let code = attempt.code.map(|code| format!(" ({code})")).unwrap_or_default();
        let (number, began, worker) = (attempt.number, instant(attempt.started_at), &attempt.worker);
        let _ = write!(text, "\n\nattempt {number}  {began}  {outcome}{code}  by {worker}");
        if let Some(message) = &attempt.message {
            let _ = write!(text, "\n  {message}");
        }
        for step in &attempt.steps {
            let status = step.status.map_or_else(dash, |status| status.to_string());
            let Called { target, method, path, duration_ms, summary, .. } = step;
            let _ = write!(
                text,
                "\n  {target:<7} {method:<6} {status:>3} {duration_ms:>6} ms  {path}  {summary}"
            );
        }
    }
    text
}

/// What became of a run that something was to be done with.
#[derive(Serialize)]
struct RunActionJson {
    id: RunId,
    /// `queued`, `waiting`, `running`, `ended` or `not_found`.
    result: &'static str,
    says: String,
}

impl RunActionJson {
    fn missing(id: RunId) -> Self {
        Self { id, result: "not_found", says: message!(command_line.run_missing).to_owned() }
    }

    fn due(id: RunId, is_due: bool) -> Self {
        let (result, says) = if is_due {
            ("queued", message!(command_line.run_due))
        } else {
            ("waiting", message!(command_line.run_waits))
        };
        Self { id, result, says: says.to_owned() }
    }
}

/// Tells what became of each; a failure where something was not done.
fn tell(done: &[RunActionJson], output: Output) -> Result<ExitCode, Failure> {
    output.print(&done, || {
        let lines = done.iter().map(|done| format!("{}  {}: {}", done.id, done.result, done.says));
        lines.collect::<Vec<_>>().join("\n")
    })?;
    let all = done.iter().all(|done| matches!(done.result, "queued" | "waiting"));
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Starts runs again.
pub(super) async fn retry(
    store: &Arc<dyn Store>,
    ids: &[RunId],
    output: Output,
) -> Result<ExitCode, Failure> {
    let mut done = Vec::new();
    for id in ids {
        done.push(retry_one(store, *id).await?);
    }
    tell(&done, output)
}

async fn retry_one(store: &Arc<dyn Store>, id: RunId) -> Result<RunActionJson, Failure> {
    let Some((organisation, _)) = super::run(store, id).await? else { return Ok(RunActionJson::missing(id)) };
    let action = super::action(organisation, ActionKind::Retried).with_run(id);
    let now = now_of(store.as_ref()).await?;
    match store.retry_run(organisation, id, now, Some(&action)).await {
        Ok(()) => {
            let binding = match store.run(organisation, id).await? {
                Some(run) => store.binding(run.binding_id).await?,
                None => None,
            };
            Ok(RunActionJson::due(
                id,
                binding.is_none_or(|binding| store::waiting_code(binding.status).is_none()),
            ))
        }
        Err(Error::Conflict(_)) => {
            let says = message!(command_line.run_running).to_owned();
            Ok(RunActionJson { id, result: "running", says })
        }
        Err(Error::NotFound(_)) => Ok(RunActionJson::missing(id)),
        Err(error) => Err(error.into()),
    }
}

/// Makes runs due.
pub(super) async fn requeue(
    store: &Arc<dyn Store>,
    ids: &[RunId],
    force: bool,
    output: Output,
) -> Result<ExitCode, Failure> {
    let mut done = Vec::new();
    for id in ids {
        done.push(requeue_one(store, *id, force).await?);
    }
    tell(&done, output)
}

async fn requeue_one(store: &Arc<dyn Store>, id: RunId, force: bool) -> Result<RunActionJson, Failure> {
    let Some((organisation, _)) = super::run(store, id).await? else { return Ok(RunActionJson::missing(id)) };
    let now = now_of(store.as_ref()).await?;
    let requeued = store.requeue_run(organisation, id, force, now).await?;
    if matches!(requeued, Requeued::Due | Requeued::WaitsForBinding) {
        let action = super::action(organisation, ActionKind::Requeued).with_run(id);
        store.record_action(&action).await?;
    }
    let done = match requeued {
        Requeued::Due => RunActionJson::due(id, true),
        Requeued::WaitsForBinding => RunActionJson::due(id, false),
        Requeued::Held(until) => RunActionJson {
            id,
            result: "running",
            says: message!(command_line.run_held, time = instant(until)),
        },
        Requeued::Ended => {
            RunActionJson { id, result: "ended", says: message!(command_line.run_ended).to_owned() }
        }
    };
    Ok(done)
}
