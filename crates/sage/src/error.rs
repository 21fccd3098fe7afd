//! Why a call to Sage failed, and what to do about it.

use std::{fmt, time::Duration};

use chrono::{DateTime, Utc};
use domain::code::Code;
use messages::message;

use crate::Message;

/// What the caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Try again later, no sooner than after so many seconds where Sage asks for it.
    Retry {
        /// Seconds.
        after: Option<i64>,
    },
    /// Do not call before then; the try does not count.
    Wait {
        /// When calls may go on.
        until: DateTime<Utc>,
    },
    /// The merchant must connect Sage again.
    Reauthorise,
    /// A repeat would fail the same way: a person must act.
    Rejected,
}

/// How far a call came that brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportFailure {
    /// No connection, so nothing was sent.
    NotConnected,
    /// It took too long.
    TimedOut,
    /// The line was cut.
    Cut,
}

/// The call that failed, as far as the audit trail keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailedCall {
    /// HTTP method.
    pub method: &'static str,
    /// Path below the API's base, without the query.
    pub path: String,
    /// HTTP status; `None` without an answer.
    pub status: Option<u16>,
    /// `x_request_id`: Sage's support asks for it.
    pub request_id: Option<String>,
    /// Until the failure.
    pub duration: Duration,
    /// Whether the call would have changed something in Sage.
    pub writes: bool,
    /// What Sage says is wrong.
    pub messages: Vec<Message>,
}

/// Why a call to Sage failed.
#[derive(Debug)]
pub enum Error {
    /// Sage refuses what was sent (422 and other 4xx).
    Rejected(Box<FailedCall>),
    /// Something that the request names does not exist (404).
    NotFound(Box<FailedCall>),
    /// The user's rights do not reach this (403).
    Forbidden(Box<FailedCall>),
    /// The subscription has ended or lacks this (401 with a message of its own): no token helps.
    Plan(Box<FailedCall>),
    /// Sage refuses the access token; from a [`crate::Connection`]: the refreshed one as well.
    Unauthorised(Box<FailedCall>),
    /// The answer is another business's: the user no longer reaches the one that was named.
    OtherBusiness(Box<FailedCall>),
    /// Too many calls (429).
    RateLimited {
        /// Seconds to wait.
        after: i64,
        /// The call.
        failed_call: Box<FailedCall>,
    },
    /// An earlier request of the same record is still under way (409, 423, 425).
    InProgress {
        /// Seconds to wait, where Sage asks for it.
        after: Option<i64>,
        /// The call.
        failed_call: Box<FailedCall>,
    },
    /// Sage failed (5xx).
    Unavailable {
        /// Seconds to wait, where Sage asks for it.
        after: Option<i64>,
        /// The call.
        failed_call: Box<FailedCall>,
    },
    /// No answer.
    Unreachable {
        /// How far it came.
        lost: TransportFailure,
        /// The call.
        failed_call: Box<FailedCall>,
    },
    /// An answer that cannot be read.
    InvalidResponse {
        /// What is wrong with it.
        what: &'static str,
        /// The call.
        failed_call: Box<FailedCall>,
    },
    /// The refresh token is dead (`invalid_grant`), or there is none.
    Reauthorise {
        /// Why, for a log.
        reason: String,
    },
    /// The token host refuses the app itself: the operator's settings are wrong.
    App {
        /// OAuth's error, such as `invalid_client`.
        error: String,
    },
    /// Sage failed several times in a row; nothing was sent.
    CircuitOpen {
        /// When calls go on.
        until: DateTime<Utc>,
    },
    /// The day's calls are used up; nothing was sent.
    DayUsedUp {
        /// When the next day begins (UTC).
        until: DateTime<Utc>,
    },
    /// The tokens could not be had from where they are kept.
    TokenSource(Box<dyn std::error::Error + Send + Sync>),
    /// The HTTP client could not be made.
    Setup,
}

impl Error {
    /// The code in the catalogue.
    pub fn code(&self) -> Code {
        match self {
            Self::Rejected(_) => Code::SageValidation,
            Self::NotFound(_) => Code::SageNotFound,
            Self::Forbidden(_) => Code::SageForbidden,
            Self::Plan(_) => Code::SagePlan,
            Self::Unauthorised(_) | Self::OtherBusiness(_) | Self::Reauthorise { .. } | Self::App { .. } => {
                Code::SageAuth
            }
            Self::RateLimited { .. } | Self::DayUsedUp { .. } => Code::SageRateLimited,
            Self::InProgress { .. } => Code::SageInProgress,
            Self::Unavailable { .. } => Code::SageUnavailable,
            Self::Unreachable { .. } => Code::SageUnreachable,
            Self::InvalidResponse { .. } => Code::SageInvalidResponse,
            Self::CircuitOpen { .. } => Code::CircuitOpen,
            Self::TokenSource(_) => Code::StoreFailed,
            Self::Setup => Code::Internal,
        }
    }

    /// What the caller can do about it (Sage's guides on response codes and best practices).
    ///
    /// Where [`Error::may_have_committed`] holds, a repeat must carry the same idempotency id, or look first.
    pub fn class(&self) -> Class {
        match self {
            Self::Rejected(_) | Self::NotFound(_) | Self::Forbidden(_) | Self::Plan(_) | Self::Setup => {
                Class::Rejected
            }
            Self::Unauthorised(_) | Self::OtherBusiness(_) | Self::Reauthorise { .. } => Class::Reauthorise,
            Self::RateLimited { after, .. } => Class::Retry { after: Some(*after) },
            Self::Unavailable { after, .. } | Self::InProgress { after, .. } => {
                Class::Retry { after: *after }
            }
            // The app's settings are fixed by the operator, and the runs then go on.
            Self::Unreachable { .. }
            | Self::InvalidResponse { .. }
            | Self::TokenSource(_)
            | Self::App { .. } => Class::Retry { after: None },
            Self::CircuitOpen { until } | Self::DayUsedUp { until } => Class::Wait { until: *until },
        }
    }

    /// Whether Sage may have done what was asked although no good answer came: a write that ended in a 5xx, a time-out, a cut
    /// line, an unreadable answer, another business's, or beside an earlier one that is under way.
    pub fn may_have_committed(&self) -> bool {
        match self {
            Self::Unavailable { failed_call, .. }
            | Self::InProgress { failed_call, .. }
            | Self::InvalidResponse { failed_call, .. }
            | Self::OtherBusiness(failed_call) => failed_call.writes,
            Self::Unreachable { lost, failed_call } => {
                failed_call.writes && *lost != TransportFailure::NotConnected
            }
            _ => false,
        }
    }

    /// The call, where one was made.
    pub fn failed_call(&self) -> Option<&FailedCall> {
        match self {
            Self::Rejected(failed_call)
            | Self::NotFound(failed_call)
            | Self::Forbidden(failed_call)
            | Self::Plan(failed_call)
            | Self::Unauthorised(failed_call)
            | Self::OtherBusiness(failed_call)
            | Self::RateLimited { failed_call, .. }
            | Self::InProgress { failed_call, .. }
            | Self::Unavailable { failed_call, .. }
            | Self::Unreachable { failed_call, .. }
            | Self::InvalidResponse { failed_call, .. } => Some(failed_call),
            _ => None,
        }
    }

    /// HTTP status; `None` without an answer.
    pub fn status(&self) -> Option<u16> {
        self.failed_call()?.status
    }

    /// Sage's id of the request.
    pub fn request_id(&self) -> Option<&str> {
        self.failed_call()?.request_id.as_deref()
    }

    /// What Sage says is wrong, verbatim, with the fields under our names.
    pub fn messages(&self) -> &[Message] {
        self.failed_call().map_or(&[], |failed_call| failed_call.messages.as_slice())
    }

    /// Whether Sage as a whole seems to be failing, which the circuit counts.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Unreachable { .. })
    }

    /// Whether a read or a token call is worth another try at once. Where Sage names a wait, the wait is the caller's.
    pub(crate) fn is_worth_another_try(&self) -> bool {
        matches!(self, Self::Unavailable { after: None, .. } | Self::Unreachable { .. })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::TokenSource(source) => Some(source.as_ref()),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reauthorise { .. } => f.write_str(message!(sage.reauthorise)),
            Self::App { error } => f.write_str(&message!(sage.app_refused, error = error)),
            Self::CircuitOpen { until } => f.write_str(&message!(sage.circuit_open, until = shown(until))),
            Self::DayUsedUp { until } => f.write_str(&message!(sage.day_used_up, until = shown(until))),
            Self::OtherBusiness(_) => f.write_str(message!(sage.other_business)),
            Self::Unreachable { lost: TransportFailure::NotConnected, .. } => {
                f.write_str(message!(sage.unreachable))
            }
            Self::Unreachable { lost: TransportFailure::TimedOut, .. } => {
                f.write_str(message!(sage.timed_out))
            }
            Self::Unreachable { lost: TransportFailure::Cut, .. } => f.write_str(message!(sage.cut)),
            Self::InvalidResponse { what, .. } => {
                f.write_str(&message!(sage.invalid_response, reason = what))
            }
            Self::TokenSource(error) => f.write_str(&message!(sage.no_tokens, error = error)),
            Self::Setup => f.write_str(message!(sage.no_client)),
            other => match other.messages() {
                [] => f.write_str(other.code().sentence()),
                messages => {
                    let texts: Vec<String> = messages.iter().map(ToString::to_string).collect();
                    f.write_str(&message!(sage.says, text = texts.join(" · ")))
                }
            },
        }
    }
}

/// A moment as people write it.
fn shown(until: &DateTime<Utc>) -> impl fmt::Display + use<> {
    until.format("%-d %b %Y, %H:%M UTC")
}
