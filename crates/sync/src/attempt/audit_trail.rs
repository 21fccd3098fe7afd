//! Calls to Sage as steps of the audit trail: what was sent and answered, without what belongs to people.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use store::Step;

use super::{log::AttemptLog, sage_answers};

/// The largest answer of Sage's that is looked at for the trail, in bytes: it is redacted on an async thread, and nobody may wait for that.
pub const LARGEST_ANSWER: usize = 512 * 1024;

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
        request: None,
        answer: None,
        started_at: begun,
        duration_ms: 0,
    }
}

/// Keeps a step with its answer.
pub fn recorded(
    log: &mut AttemptLog,
    mut step: Step,
    answered: Result<sage::Answer, sage::Error>,
) -> Result<sage::Answer, sage::Error> {
    match &answered {
        Ok(answer) => {
            step.status = Some(i32::from(answer.status));
            step.request_id.clone_from(&answer.request_id);
            step.duration_ms = millis(answer.duration);
            step.summary = sage_answers::summary_of(&answer.body);
            step.answer = log.redactor.kept_within(&answer.body, LARGEST_ANSWER);
        }
        Err(error) => {
            step.status = error.status().map(i32::from);
            step.request_id = error.request_id().map(str::to_owned);
            step.duration_ms = error.failed_call().map_or(0, |failed_call| millis(failed_call.duration));
            step.summary = log.redactor.text(&error.to_string());
            step.answer = log.redactor.kept(&messages(error));
        }
    }
    log.steps.push(step);
    answered
}

/// A duration as steps have it.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// What Sage says is wrong, as it said it; null where it said nothing.
fn messages(error: &sage::Error) -> Value {
    let told: Vec<Value> = error
        .messages()
        .iter()
        .map(|message| json!({ "$dataCode": message.data_code, "$message": message.text, "$source": message.source }))
        .collect();
    if told.is_empty() { Value::Null } else { Value::Array(told) }
}
