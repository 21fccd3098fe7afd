//! From an error to what becomes of the run.

use chrono::{DateTime, Utc};
use domain::{
    code::{Code, Effect},
    retry,
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
    /// Rests until then; the try does not count.
    RestUntil(DateTime<Utc>),
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
            magento::Class::Retry { after } => Course::Retry { after },
            magento::Class::Reauthorise => Course::Reauthorise,
            magento::Class::Rejected => Course::Final,
        };
        Self { course, ..Self::new(error.code(), error.to_string()) }
    }
}

impl From<sage::Error> for Stop {
    fn from(error: sage::Error) -> Self {
        let course = match error.class() {
            sage::Class::Retry { after } => Course::Retry { after },
            sage::Class::Wait { until } => Course::RestUntil(until),
            sage::Class::Reauthorise => Course::Reauthorise,
            sage::Class::Rejected => Course::Final,
        };
        Self { course, ..Self::new(error.code(), error.to_string()) }
    }
}

/// What becomes of the run: skipped, held, tried again, or failed.
pub fn outcome(engine: &Engine, run: &Run, stop: Stop) -> Outcome {
    let Stop { code, message, course } = stop;
    match (course, code.effect()) {
        (Course::RestUntil(next_at), _) => Outcome::Retrying { code, message, next_at },
        (Course::Reauthorise, _) => {
            Outcome::Waiting { code: Code::BindingNeedsReauth, message, waits_for_invoice: None }
        }
        (Course::WaitForInvoice(id), Effect::Skips) => {
            Outcome::Skipped { code, message, waits_for_invoice: Some(id) }
        }
        (Course::WaitForInvoice(id), _) => Outcome::Waiting { code, message, waits_for_invoice: Some(id) },
        (Course::Retry { after }, _) => tried_again(engine, run, code, message, after),
        (Course::ByCode | Course::PlanAgain, Effect::Skips) => {
            Outcome::Skipped { code, message, waits_for_invoice: None }
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
