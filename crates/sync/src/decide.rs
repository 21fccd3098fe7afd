//! From an error to what becomes of the run.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    code::{Code, Effect},
    retry,
    run::Side,
};
use store::{Outcome, Run};

use crate::{Engine, credentials::CredentialError};

/// What is to follow, where the code alone does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// What the code says: skip, hold, retry or fail.
    ByCode,
    /// Tried again, no sooner than after so many seconds where the other side asked for it.
    Retry {
        /// Seconds.
        after: Option<i64>,
    },
    /// Rests until then, alone; the try does not count.
    RestUntil(DateTime<Utc>),
    /// A side failed to answer: whether it is down, or this document is too much for it, is still to be seen ([`crate::outage`]).
    Silent {
        /// Who.
        side: Side,
        /// Seconds that it asked for.
        after: Option<i64>,
    },
    /// A side is down or asks for a pause, whatever is sent to it: it rests, with all that needs it, and no try counts.
    Rests {
        /// Who.
        side: Side,
        /// Seconds that it asked for.
        after: Option<i64>,
        /// No sooner than then, where the instant is known.
        until: Option<DateTime<Utc>>,
    },
    /// The connection itself is refused: the binding needs a new one, and its runs wait for that.
    Reauthorise,
    /// A repeat would fail the same way.
    Final,
    /// What stopped it was put right, and a new plan takes it into account; at the last it is as the code says.
    PlanAgain,
    /// Goes on with the run of this invoice (its Magento id), and waits or is skipped until then.
    WaitForInvoice(i64),
}

/// Why an attempt cannot go on.
#[derive(Debug)]
pub struct Stop {
    /// The code.
    pub code: Code,
    /// For a person.
    pub message: Option<String>,
    /// What is to follow.
    pub course: Course,
}

impl Stop {
    /// Stops with a code and the document's own sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::plain(code) }
    }

    /// Stops with a code alone.
    pub const fn plain(code: Code) -> Self {
        Self { code, message: None, course: Course::ByCode }
    }
}

impl From<store::Error> for Stop {
    fn from(error: store::Error) -> Self {
        Self::new(Code::StoreFailed, error.to_string())
    }
}

impl From<CredentialError> for Stop {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Store(error) => error.into(),
            CredentialError::Vault(error) => Self::new(Code::Internal, error.to_string()),
        }
    }
}

impl From<magento::Error> for Stop {
    fn from(error: magento::Error) -> Self {
        let course = match error.class() {
            magento::Class::Retry { after } => Course::Silent { side: Side::Magento, after },
            magento::Class::Reauthorise => Course::Reauthorise,
            magento::Class::Rejected => Course::Final,
        };
        Self { course, ..Self::new(error.code(), error.to_string()) }
    }
}

impl From<sage::Error> for Stop {
    fn from(error: sage::Error) -> Self {
        let course = match error.class() {
            sage::Class::Retry { after } if matches!(error, sage::Error::RateLimited { .. }) => {
                Course::Rests { side: Side::Sage, after, until: None }
            }
            sage::Class::Retry { after } => Course::Silent { side: Side::Sage, after },
            sage::Class::Wait { until } => {
                Course::Rests { side: Side::Sage, after: None, until: Some(until) }
            }
            sage::Class::Reauthorise => Course::Reauthorise,
            sage::Class::Rejected => Course::Final,
        };
        Self { course, ..Self::new(error.code(), error.to_string()) }
    }
}

/// How long a run rests at least whose shop or Sage refuses us; then it goes on as soon as that is connected again.
const REFUSED_FOR: TimeDelta = TimeDelta::seconds(5);

/// What becomes of the run: skipped, held, tried again, or failed. `rests` are the rests in a row of the side that does not answer.
pub fn outcome(engine: &Engine, run: &Run, stop: Stop, rests: u32) -> Outcome {
    let Stop { code, message, course } = stop;
    let now = engine.outside.now();
    match (course, code.effect()) {
        (Course::RestUntil(until), _) => Outcome::Resting { code, message, until, side: None },
        (Course::Rests { side, after, until }, _) => {
            let next = retry::outage(&engine.timing.outage_schedule, rests, after, engine.jitter(), now);
            let until = until.map_or(next, |until| until.max(next));
            Outcome::Resting { code, message, until, side: Some(side) }
        }
        (Course::Reauthorise, _) => {
            let (code, until) = (Code::BindingNeedsReauth, now + REFUSED_FOR);
            Outcome::Resting { code, message, until, side: None }
        }
        (Course::WaitForInvoice(id), Effect::Skips) => {
            Outcome::Skipped { code, message, waits_for_invoice: Some(id) }
        }
        (Course::WaitForInvoice(id), _) => Outcome::Waiting { code, message, waits_for_invoice: Some(id) },
        (Course::Retry { after } | Course::Silent { after, .. }, _) => {
            tried_again(engine, run, code, message, after)
        }
        (Course::ByCode | Course::PlanAgain, Effect::Skips) => {
            Outcome::Skipped { code, message, waits_for_invoice: None }
        }
        // The shop's own status says the rest.
        (Course::ByCode, _) if code == Code::BindingPending => {
            Outcome::Resting { code, message, until: now + REFUSED_FOR, side: None }
        }
        (Course::ByCode | Course::PlanAgain, Effect::Holds) => {
            Outcome::Waiting { code, message, waits_for_invoice: None }
        }
        (Course::ByCode | Course::PlanAgain, Effect::Fails(_)) if code.is_retryable() => {
            tried_again(engine, run, code, message, None)
        }
        (Course::ByCode | Course::PlanAgain | Course::Final, _) => Outcome::Failed { code, message },
    }
}

/// The next try by the schedule, or failure at its end.
fn tried_again(
    engine: &Engine,
    run: &Run,
    code: Code,
    message: Option<String>,
    after: Option<i64>,
) -> Outcome {
    let attempts = u32::try_from(run.attempts).unwrap_or(u32::MAX);
    let schedule = &engine.timing.run_schedule;
    match retry::next(schedule, attempts, after, engine.jitter(), engine.outside.now()) {
        Some(next_at) => Outcome::Retrying { code, message, next_at },
        None => Outcome::Failed { code, message },
    }
}
