//! The moments of a run, from the save in Magento to the chip in Magento's grid, with what each cost.

use chrono::{DateTime, TimeDelta, Utc};
use domain::run::RunStatus;
use messages::message;
use store::{Attempt, DeliveryState, Run, Step};

use super::{RunDetails, calls};
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
pub(super) fn of(kept: &RunDetails) -> Vec<MomentView> {
    let run = &kept.run;
    let mut moments = vec![
        happened(run.occurred_at, message!(run_timeline.saved)),
        happened(run.created_at, message!(run_timeline.received)),
    ];
    moments.extend(kept.deeds.iter().map(|(at, sentence)| happened(*at, sentence.clone())));
    let newest = kept.attempts.last().map(|attempt| attempt.id);
    for attempt in &kept.attempts {
        moments.push(happened(attempt.started_at, message!(run_timeline.begins, number = attempt.number)));
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
        moments
            .push(Happened { is_ahead: true, ..happened(run.next_at, message!(run_timeline.next_attempt)) });
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
        moments.push(happened(at, message!(run_timeline.planned)));
    }
    for step in &attempt.steps {
        let answered = step.started_at + TimeDelta::milliseconds(step.duration_ms);
        let detail =
            Some(step.summary.clone()).filter(|summary| !calls::is_good(step) && !summary.is_empty());
        if is_write(step) {
            moments.push(happened(step.started_at, message!(run_timeline.sent, call = calls::subject(step))));
        }
        let title = match (step.target.as_str(), calls::is_good(step)) {
            ("magento", true) => message!(run_timeline.fetched, call = calls::subject(step)),
            ("magento", false) => message!(run_timeline.not_fetched, call = calls::subject(step)),
            (_, true) => message!(run_timeline.answered, call = calls::subject(step)),
            (_, false) => message!(run_timeline.refused, call = calls::subject(step)),
        };
        moments.push(Happened { detail, ..happened(answered, title) });
    }
    moments
}

fn end(attempt: &Attempt) -> Option<Happened> {
    let outcome = attempt.outcome.as_deref()?;
    let word = match outcome {
        "resting" => message!(run_timeline.rests),
        word => word.parse::<RunStatus>().map_or(message!(run_timeline.lost), status_label),
    };
    let detail = attempt.code.map(|code| code.sentence().to_owned());
    Some(Happened {
        detail,
        ..happened(attempt.ended_at?, message!(run_timeline.ended, number = attempt.number, word = word))
    })
}

/// What Magento was told of this run. The row is the entity's: one of an older or a newer run is not told here.
fn in_magento(run: &Run, attempts: &[Attempt], delivery: &DeliveryState) -> Option<Happened> {
    let finished = run.finished_at?;
    let begun = attempts.last()?.started_at;
    if delivery.state.at < begun {
        return None;
    }
    if delivery.state.at > finished {
        return Some(happened(delivery.state.at, message!(run_timeline.later_run)));
    }
    let failed_call = delivery.last_error.clone();
    Some(match (delivery.delivered_at, delivery.next_at) {
        (Some(at), _) => happened(at, message!(run_timeline.shown)),
        (None, Some(next)) => Happened {
            detail: failed_call,
            is_ahead: true,
            ..happened(next, message!(run_timeline.to_be_shown))
        },
        (None, None) => {
            Happened { detail: failed_call, ..happened(finished, message!(run_timeline.not_shown)) }
        }
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
