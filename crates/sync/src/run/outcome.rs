//! From an error to what becomes of the run.

use chrono::TimeDelta;
use domain::{
    code::{Code, Effect},
    retry,
};
use store::{Outcome, Run};

use crate::{
    Engine,
    attempt::disposition::{AttemptError, Disposition},
};

/// How long a run rests at least whose shop or Sage refuses us; then it goes on as soon as that is connected again.
const REFUSED_FOR: TimeDelta = TimeDelta::seconds(5);

/// What is known beside the error.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// The rests in a row of the side that does not answer.
    pub rests: u32,
    /// Whether it is proved that the document is at fault, and not a side that does not answer.
    pub is_to_blame: bool,
}

/// What becomes of the run: skipped, held, tried again, or failed.
pub fn outcome(engine: &Engine, run: &Run, error: AttemptError, circumstances: Circumstances) -> Outcome {
    let AttemptError { code, message, disposition } = error;
    let now = engine.environment.now();
    match (disposition, code.effect()) {
        (Disposition::RestUntil(until), _) => {
            Outcome::Resting { code, message, until, side: None, by_turns: false }
        }
        (Disposition::Rests { side, after, until, by_turns }, _) => {
            // Each bad document holds the others up once, and there may be many: these rests do not grow.
            let rests = if by_turns { circumstances.rests.min(1) } else { circumstances.rests };
            let next = retry::outage(&engine.timing.outage_schedule, rests, after, engine.jitter(), now);
            let until = until.map_or(next, |until| until.max(next));
            Outcome::Resting { code, message, until, side: Some(side), by_turns }
        }
        (Disposition::Reauthorise, _) => {
            let (code, until) = (Code::BindingNeedsReauth, now + REFUSED_FOR);
            Outcome::Resting { code, message, until, side: None, by_turns: false }
        }
        (Disposition::WaitForInvoice(id), Effect::Skips) => {
            Outcome::Skipped { code, message, waits_for_invoice: Some(id) }
        }
        (Disposition::WaitForInvoice(id), _) => {
            Outcome::Waiting { code, message, waits_for_invoice: Some(id) }
        }
        (Disposition::Retry { after } | Disposition::Silent { after, .. }, _) => {
            tried_again(engine, run, (code, message), after, circumstances.is_to_blame)
        }
        (Disposition::ByCode | Disposition::PlanAgain, Effect::Skips) => {
            Outcome::Skipped { code, message, waits_for_invoice: None }
        }
        // The shop's own status says the rest.
        (Disposition::ByCode, _) if code == Code::BindingPending => {
            Outcome::Resting { code, message, until: now + REFUSED_FOR, side: None, by_turns: false }
        }
        (Disposition::ByCode | Disposition::PlanAgain, Effect::Holds) => {
            Outcome::Waiting { code, message, waits_for_invoice: None }
        }
        (Disposition::ByCode | Disposition::PlanAgain, Effect::Fails(_)) if code.is_retryable() => {
            tried_again(engine, run, (code, message), None, true)
        }
        (
            Disposition::ByCode | Disposition::PlanAgain | Disposition::Refused { .. } | Disposition::Final,
            _,
        ) => Outcome::Failed { code, message },
    }
}

/// The next try by the schedule, or failure at its end. A document that nothing is proved of is tried at a low pace before.
fn tried_again(
    engine: &Engine,
    run: &Run,
    (code, message): (Code, Option<String>),
    after: Option<i64>,
    is_to_blame: bool,
) -> Outcome {
    let attempts = u32::try_from(run.attempts).unwrap_or(u32::MAX);
    let (now, jitter) = (engine.environment.now(), engine.jitter());
    let (schedule, low) = (&engine.timing.run_schedule, &engine.timing.low_schedule);
    let beyond = attempts.saturating_sub(u32::try_from(schedule.len()).unwrap_or(u32::MAX));
    let next = match beyond {
        0 => retry::next(schedule, attempts, after, jitter, now),
        _ if is_to_blame => None,
        _ => retry::next(low, beyond, after, jitter, now),
    };
    match next {
        Some(next_at) => Outcome::Retrying { code, message, next_at },
        None => Outcome::Failed { code, message },
    }
}
