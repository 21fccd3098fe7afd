//! Tries and their calls in words.

use chrono::TimeDelta;
use domain::fields;
use messages::message;
use serde_json::Value;
use store::{Attempt, Step};

use views::{
    run::{AttemptView, StepView},
    runs::status_label,
};

/// What a call is about, by its name in a Plan or in the trail.
const OBJECTS: &[(&str, &str)] = &[
    ("allocation", message!(run_calls.object.allocation)),
    ("contact", message!(run_calls.object.contact)),
    ("credit note", message!(run_calls.object.credit_note)),
    ("creditmemo", message!(run_calls.object.credit_note)),
    ("customer", message!(run_calls.object.customer)),
    ("delete draft", message!(run_calls.object.draft)),
    ("invoice", message!(run_calls.object.invoice)),
    ("original invoice", message!(run_calls.object.original_invoice)),
    ("original payment", message!(run_calls.object.original_payment)),
    ("payment", message!(run_calls.object.payment)),
    ("product", message!(run_calls.object.product)),
    ("refund", message!(run_calls.object.refund)),
    ("release", message!(run_calls.object.draft)),
    ("service", message!(run_calls.object.service)),
    ("stock item", message!(run_calls.object.stock_item)),
    ("stock_item", message!(run_calls.object.stock_item)),
    ("stock_movement", message!(run_calls.object.stock_movement)),
];

/// What a call is about. `contact:GBP` is a contact.
fn object(name: &str) -> &str {
    let bare = name.split(':').next().unwrap_or(name);
    OBJECTS.iter().find(|(own, _)| *own == bare).map_or(name, |(_, words)| words)
}

/// A call that is to be made, in words.
pub(super) fn to_do(method: &str, name: &str) -> String {
    match (method, name) {
        ("POST", "release") => message!(run_calls.to_do.release).to_owned(),
        ("POST", _) => message!(run_calls.to_do.create, object = object(name)),
        ("PUT", _) => message!(run_calls.to_do.change, object = object(name)),
        _ => message!(run_calls.to_do.delete, object = object(name)),
    }
}

/// A call that was made, in words.
pub(super) fn words(step: &Step) -> String {
    let what = object(&step.name);
    match (step.target.as_str(), step.method.as_str(), step.name.as_str()) {
        ("magento", _, "creditmemo") => message!(run_calls.to_do.fetch_credit_memo).to_owned(),
        ("magento", ..) => message!(run_calls.to_do.fetch, object = what),
        (_, "GET", "search") => message!(run_calls.to_do.search).to_owned(),
        (_, "GET", _) => message!(run_calls.to_do.check, object = what),
        (_, method, name) => to_do(method, name),
    }
}

/// What a call that was made is about, where it is sent and answered.
pub(super) fn subject(step: &Step) -> String {
    let what = object(&step.name);
    match (step.method.as_str(), step.name.as_str()) {
        ("GET", "creditmemo") if step.target == "magento" => {
            message!(run_calls.object.credit_memo).to_owned()
        }
        ("GET", _) if step.target == "magento" => what.to_owned(),
        ("GET", "search") => message!(run_calls.subject.search).to_owned(),
        ("POST", "release") => message!(run_calls.subject.release).to_owned(),
        ("GET", _) => message!(run_calls.subject.check, object = what),
        ("PUT", _) => message!(run_calls.subject.change, object = what),
        ("DELETE", _) => message!(run_calls.subject.delete, object = what),
        _ => what.to_owned(),
    }
}

/// Whether Sage did what was asked.
pub(super) fn is_good(step: &Step) -> bool {
    step.status.is_some_and(|status| (200..300).contains(&status))
}

/// A try, ready to be shown.
pub(super) fn attempt(attempt: &Attempt) -> AttemptView {
    let outcome = match attempt.outcome.as_deref() {
        None => message!(run_attempts.running).to_owned(),
        Some("resting") => message!(run_attempts.resting).to_owned(),
        Some("lost") => message!(run_attempts.lost).to_owned(),
        Some(word) => word.parse().map_or_else(|_| word.to_owned(), |status| status_label(status).to_owned()),
    };
    let said = [
        attempt.code.map(|code| code.sentence().to_owned()),
        attempt.message.as_deref().map(fields::message_in_words),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    AttemptView {
        number: attempt.number,
        outcome,
        started: attempt.started_at.into(),
        took: attempt.ended_at.map(|ended| duration(ended - attempt.started_at)),
        said: (!said.is_empty()).then(|| said.join(" ")),
        steps: attempt.steps.iter().map(view).collect(),
    }
}

fn view(step: &Step) -> StepView {
    let ids = [
        (message!(run_attempts.request_id), step.request_id.clone()),
        (message!(run_attempts.idempotency_id), step.idempotency_id.clone()),
    ];
    StepView {
        words: words(step),
        line: format!("{} {}", step.method, step.path),
        status: step
            .status
            .map_or_else(|| message!(run_attempts.no_answer).to_owned(), |status| status.to_string()),
        is_good: is_good(step),
        took: duration(TimeDelta::milliseconds(step.duration_ms)),
        summary: fields::message_in_words(&step.summary),
        ids: ids.into_iter().filter_map(|(name, id)| Some((name, id?))).collect(),
        request: step.request.as_deref().map(pretty),
        answer: step.answer.as_deref().map(pretty),
    }
}

/// JSON with a line a value.
fn pretty(json: &str) -> String {
    serde_json::from_str::<Value>(json)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| json.to_owned())
}

/// How long, to two units at most.
pub(super) fn duration(time: TimeDelta) -> String {
    let millis = time.num_milliseconds().max(0);
    let (seconds, minutes, hours, days) =
        (millis / 1000, millis / 60_000, millis / 3_600_000, millis / 86_400_000);
    match millis {
        0..1000 => format!("{millis} ms"),
        1000..60_000 => format!("{seconds}.{} s", millis % 1000 / 100),
        60_000..3_600_000 => format!("{minutes} min {} s", seconds % 60),
        3_600_000..86_400_000 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        for (millis, text) in [
            (-5, "0 ms"),
            (999, "999 ms"),
            (1250, "1.2 s"),
            (125_000, "2 min 5 s"),
            (11_040_000, "3 h 4 min"),
            (180_000_000, "2 d 2 h"),
        ] {
            assert_eq!(duration(TimeDelta::milliseconds(millis)), text);
        }
    }
}
