//! The moments of a run, from the save in Magento to the chip in Magento's grid, with what each cost.

use chrono::{DateTime, TimeDelta, Utc};
use domain::run::RunStatus;
use store::{Attempt, DeliveryState, Run, Step};

use super::{Kept, calls};
use views::{run::MomentView, runs::status_label};

/// A moment, before its cost is known.
struct Happened {
    at: DateTime<Utc>,
    title: String,
    detail: Option<String>,
    is_ahead: bool,
}

fn happened(at: DateTime<Utc>, title: impl Into<String>) -> Happened {
    Happened { at, title: title.into(), detail: None, is_ahead: false }
}

/// The moments in their order. The calls are told of the newest try; of the others their beginnings and ends.
pub(super) fn of(kept: &Kept) -> Vec<MomentView> {
    let run = &kept.run;
    let mut moments =
        vec![happened(run.occurred_at, "Saved in Magento"), happened(run.created_at, "Received and queued")];
    moments.extend(kept.deeds.iter().map(|(at, sentence)| happened(*at, sentence.clone())));
    let newest = kept.attempts.last().map(|attempt| attempt.id);
    for attempt in &kept.attempts {
        moments.push(happened(attempt.started_at, format!("Try {} begins", attempt.number)));
        if Some(attempt.id) == newest {
            let is_planned = kept
                .plan
                .as_ref()
                .is_ok_and(|plan| plan.as_ref().is_some_and(|plan| plan.attempt_id == attempt.id));
            moments.extend(of_calls(attempt, is_planned));
        }
        moments.extend(end(attempt));
    }
    if run.status == RunStatus::Retrying {
        moments.push(Happened { is_ahead: true, ..happened(run.next_at, "Next try") });
    }
    moments.extend(kept.delivery.as_ref().and_then(|delivery| in_magento(run, &kept.attempts, delivery)));
    moments.sort_by_key(|moment| moment.at);
    with_costs(moments)
}

/// Fetched, planned, then each call to Sage as it went out and as it was answered.
fn of_calls(attempt: &Attempt, is_planned: bool) -> Vec<Happened> {
    let is_write = |step: &Step| step.target == "sage" && step.method != "GET";
    let first_write = attempt.steps.iter().find(|step| is_write(step)).map(|step| step.started_at);
    let mut moments = Vec::new();
    // A plan takes no time worth a row of its own: it is there when the first call goes out, or when the try ends.
    if let Some(at) = first_write.or(attempt.ended_at).filter(|_| is_planned) {
        moments.push(happened(at, "Planned"));
    }
    for step in &attempt.steps {
        let answered = step.started_at + TimeDelta::milliseconds(step.duration_ms);
        let detail =
            Some(step.summary.clone()).filter(|summary| !calls::is_good(step) && !summary.is_empty());
        if is_write(step) {
            moments.push(happened(step.started_at, format!("Sent to Sage: {}", calls::subject(step))));
        }
        let title = match (step.target.as_str(), calls::is_good(step)) {
            ("magento", true) => format!("Fetched from Magento: {}", calls::subject(step)),
            ("magento", false) => format!("Not fetched from Magento: {}", calls::subject(step)),
            (_, true) => format!("Answered by Sage: {}", calls::subject(step)),
            (_, false) => format!("Refused by Sage, or lost on the way: {}", calls::subject(step)),
        };
        moments.push(Happened { detail, ..happened(answered, title) });
    }
    moments
}

fn end(attempt: &Attempt) -> Option<Happened> {
    let outcome = attempt.outcome.as_deref()?;
    let word = match outcome {
        "resting" => "Resting",
        word => word.parse::<RunStatus>().map_or("Lost", status_label),
    };
    let detail = attempt.code.map(|code| code.sentence().to_owned());
    Some(Happened { detail, ..happened(attempt.ended_at?, format!("Try {} ended: {word}", attempt.number)) })
}

/// What Magento was told of this run. The row is the entity's: one of an older or a newer run is not told here.
fn in_magento(run: &Run, attempts: &[Attempt], delivery: &DeliveryState) -> Option<Happened> {
    let finished = run.finished_at?;
    let begun = attempts.last()?.started_at;
    if delivery.state.at < begun {
        return None;
    }
    if delivery.state.at > finished {
        return Some(happened(delivery.state.at, "A later run speaks for the document in Magento"));
    }
    let failed_call = delivery.last_error.clone();
    Some(match (delivery.delivered_at, delivery.next_at) {
        (Some(at), _) => happened(at, "Shown in Magento"),
        (None, Some(next)) => {
            Happened { detail: failed_call, is_ahead: true, ..happened(next, "To be shown in Magento") }
        }
        (None, None) => Happened { detail: failed_call, ..happened(finished, "Magento could not be told") },
    })
}

fn with_costs(moments: Vec<Happened>) -> Vec<MomentView> {
    let costs: Vec<Option<TimeDelta>> = std::iter::once(None)
        .chain(
            moments
                .iter()
                .zip(moments.iter().skip(1))
                .map(|(before, after)| (!after.is_ahead).then(|| after.at - before.at)),
        )
        .collect();
    // What is not worth a second glance is not marked.
    let longest = costs.iter().flatten().max().copied().filter(|cost| *cost >= TimeDelta::milliseconds(100));
    moments
        .into_iter()
        .zip(costs)
        .map(|(moment, cost)| MomentView {
            at: moment.at.into(),
            title: moment.title,
            detail: moment.detail,
            cost: cost.map(calls::duration),
            is_longest: cost.is_some() && cost == longest,
            is_ahead: moment.is_ahead,
        })
        .collect()
}
