//! Why an attempt cannot go on, and what is to follow.

use chrono::{DateTime, Utc};
use domain::{code::Code, run::Side};

use crate::connection::credentials::CredentialError;

/// What is to follow, where the code alone does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
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
        /// Whether it may be what was sent, so that another document has the next turn.
        by_turns: bool,
    },
    /// A side refuses this document for good, unless all that it says at this moment is worth nothing ([`crate::outage`]).
    Refused {
        /// Who.
        side: Side,
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
pub struct AttemptError {
    /// The code.
    pub code: Code,
    /// For a person.
    pub message: Option<String>,
    /// What is to follow.
    pub disposition: Disposition,
}

impl AttemptError {
    /// Stops with a code and the document's own sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::plain(code) }
    }

    /// Stops with a code alone.
    pub const fn plain(code: Code) -> Self {
        Self { code, message: None, disposition: Disposition::ByCode }
    }
}

impl From<store::Error> for AttemptError {
    fn from(error: store::Error) -> Self {
        Self::new(Code::StoreFailed, error.to_string())
    }
}

impl From<CredentialError> for AttemptError {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Store(error) => error.into(),
            CredentialError::Vault(error) => Self::new(Code::Internal, error.to_string()),
        }
    }
}

impl From<magento::Error> for AttemptError {
    fn from(error: magento::Error) -> Self {
        let disposition = match error.class() {
            magento::Class::Retry { after } => Disposition::Silent { side: Side::Magento, after },
            magento::Class::Reauthorise => Disposition::Reauthorise,
            magento::Class::Rejected => Disposition::Refused { side: Side::Magento },
        };
        Self { disposition, ..Self::new(error.code(), error.to_string()) }
    }
}

impl From<sage::Error> for AttemptError {
    fn from(error: sage::Error) -> Self {
        let disposition = match error.class() {
            sage::Class::Retry { after } if matches!(error, sage::Error::RateLimited { .. }) => {
                Disposition::Rests { side: Side::Sage, after, until: None, by_turns: false }
            }
            sage::Class::Retry { after } => Disposition::Silent { side: Side::Sage, after },
            sage::Class::Wait { until } => {
                Disposition::Rests { side: Side::Sage, after: None, until: Some(until), by_turns: false }
            }
            sage::Class::Reauthorise => Disposition::Reauthorise,
            sage::Class::Rejected => Disposition::Final,
        };
        Self { disposition, ..Self::new(error.code(), error.to_string()) }
    }
}
