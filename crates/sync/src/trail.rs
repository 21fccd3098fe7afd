//! Calls to Sage as steps of the audit trail: ids, sums and states, never names, never addresses.

use chrono::{DateTime, Utc};
use store::Step;

use crate::{adopt, process::Gathered};

/// A step, before its answer.
pub fn step(name: &str, method: &str, path: &str, begun: DateTime<Utc>) -> Step {
    Step {
        target: "sage".to_owned(),
        name: name.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        status: None,
        request_id: None,
        idempotency_id: None,
        summary: String::new(),
        started_at: begun,
        duration_ms: 0,
    }
}

/// Keeps a step with its answer.
pub fn recorded(
    gathered: &mut Gathered,
    mut step: Step,
    answered: Result<sage::Answer, sage::Error>,
) -> Result<sage::Answer, sage::Error> {
    match &answered {
        Ok(answer) => {
            step.status = Some(i32::from(answer.status));
            step.request_id.clone_from(&answer.request_id);
            step.duration_ms = i64::try_from(answer.duration.as_millis()).unwrap_or(i64::MAX);
            step.summary = adopt::summary_of(&answer.body);
        }
        Err(error) => {
            step.status = error.status().map(i32::from);
            step.request_id = error.request_id().map(str::to_owned);
            step.summary = error.to_string();
        }
    }
    gathered.steps.push(step);
    answered
}
