//! Why a call to Magento failed, and what to do about it. Each error's text is a sentence for a person.

use std::fmt;

use domain::{bounds::LARGEST_DOCUMENT, code::Code};
use messages::message;

use crate::{UrlError, address::RefusedAddress};

/// What the caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Try again later, no sooner than after so many seconds where Magento said so.
    Retry {
        /// Seconds.
        after: Option<i64>,
    },
    /// Magento refuses us: the shop must be paired again.
    Reauthorise,
    /// A repeat would fail the same way.
    Rejected,
}

/// How far a call came that brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportFailure {
    /// No connection: name, network or TLS.
    NotConnected,
    /// It took too long.
    TimedOut,
    /// The line was cut.
    Cut,
}

/// Why a call to Magento failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The shop's address is not one that is called.
    Url(UrlError),
    /// What was typed cannot be a pairing code.
    PairingCode,
    /// Magento does not know the pairing code: wrong, used or older than 30 minutes, which it does not tell apart.
    PairingRefused,
    /// Two fresh tokens were refused.
    Auth {
        /// Seconds by which Magento's clock is ahead of ours (negative: behind), where that explains it.
        clock_ahead: Option<i64>,
    },
    /// The document does not exist.
    NotFound {
        /// Magento's sentence.
        message: String,
    },
    /// The module's routes do not exist.
    ModuleMissing,
    /// Magento refuses what was sent.
    Refused {
        /// HTTP status, 4xx.
        status: u16,
        /// Magento's sentence.
        message: String,
    },
    /// Magento, or something in front of it, failed to answer properly.
    Unavailable {
        /// HTTP status.
        status: u16,
        /// Magento's sentence, where it gave one.
        message: Option<String>,
        /// `Retry-After`, in seconds.
        retry_after: Option<i64>,
    },
    /// The address leads elsewhere; redirects are not followed.
    Redirected {
        /// HTTP status, 3xx.
        status: u16,
        /// Where to: scheme, host and port.
        to: Option<String>,
    },
    /// No answer.
    Unreachable(TransportFailure),
    /// An answer that is not what the module sends.
    InvalidResponse {
        /// HTTP status.
        status: u16,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A document whose JSON cannot be read.
    Unreadable {
        /// HTTP status.
        status: u16,
        /// What is wrong and where, for a person.
        what: String,
    },
    /// An answer that is larger than any document.
    TooLarge {
        /// HTTP status.
        status: u16,
    },
    /// The time in which it might be said was over before it was.
    Late,
    /// The HTTP client could not be made.
    Setup,
}

impl Error {
    /// The code in the catalogue.
    pub const fn code(&self) -> Code {
        match self {
            Self::PairingCode | Self::PairingRefused | Self::Auth { .. } => Code::MagentoAuth,
            Self::NotFound { .. } => Code::MagentoNotFound,
            Self::ModuleMissing => Code::MagentoModuleMissing,
            Self::Unavailable { .. } | Self::Redirected { .. } => Code::MagentoUnavailable,
            Self::Url(_) | Self::Unreachable(_) => Code::MagentoUnreachable,
            Self::InvalidResponse { .. } => Code::MagentoInvalidResponse,
            Self::Unreadable { .. } | Self::TooLarge { .. } => Code::UnreadableDocument,
            Self::Late => Code::LeaseLost,
            Self::Refused { .. } | Self::Setup => Code::Internal,
        }
    }

    /// What the caller can do about it.
    pub const fn class(&self) -> Class {
        match self {
            Self::Auth { .. } => Class::Reauthorise,
            Self::Unavailable { retry_after, .. } => Class::Retry { after: *retry_after },
            // Without its module a whole shop is missing, not a document: for as long as a deployment takes, or for good.
            Self::ModuleMissing
            | Self::Redirected { .. }
            | Self::Unreachable(_)
            | Self::InvalidResponse { .. }
            | Self::Late => Class::Retry { after: None },
            Self::Url(_)
            | Self::PairingCode
            | Self::PairingRefused
            | Self::NotFound { .. }
            | Self::Refused { .. }
            | Self::Unreadable { .. }
            | Self::TooLarge { .. }
            | Self::Setup => Class::Rejected,
        }
    }

    /// The HTTP status of the answer; `None` without one.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::PairingRefused | Self::Auth { .. } => Some(401),
            Self::NotFound { .. } | Self::ModuleMissing => Some(404),
            Self::Refused { status, .. }
            | Self::Unavailable { status, .. }
            | Self::Redirected { status, .. }
            | Self::Unreadable { status, .. }
            | Self::TooLarge { status }
            | Self::InvalidResponse { status, .. } => Some(*status),
            Self::Url(_) | Self::PairingCode | Self::Unreachable(_) | Self::Late | Self::Setup => None,
        }
    }

    /// Whether Magento may still act on what was sent: it was not answered, or only by something in front of it.
    pub const fn may_arrive(&self) -> bool {
        match self {
            Self::Unreachable(lost) => !matches!(lost, TransportFailure::NotConnected),
            Self::Unavailable { status, .. } => *status >= 500,
            Self::Late => true,
            _ => false,
        }
    }

    /// Sorts a failure of the HTTP client. Its own text is not kept: it may hold the URL.
    pub(crate) fn of_transport(error: &reqwest::Error) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(error) = cause {
            if error.is::<RefusedAddress>() {
                return Self::Url(UrlError::Private);
            }
            cause = error.source();
        }
        Self::Unreachable(if error.is_timeout() {
            TransportFailure::TimedOut
        } else if error.is_connect() {
            TransportFailure::NotConnected
        } else {
            TransportFailure::Cut
        })
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => write!(f, "{error}"),
            Self::PairingCode => f.write_str(message!(magento.pairing_code)),
            Self::PairingRefused => f.write_str(message!(magento.pairing_refused)),
            Self::Auth { clock_ahead: Some(seconds) } => f.write_str(&match seconds {
                1.. => message!(magento.clock_ahead, seconds = seconds),
                _ => message!(magento.clock_behind, seconds = seconds.unsigned_abs()),
            }),
            Self::Auth { clock_ahead: None } => f.write_str(message!(magento.access_refused)),
            Self::NotFound { message } => f.write_str(&message!(magento.says, message = message)),
            Self::ModuleMissing => f.write_str(message!(magento.module_missing)),
            Self::Refused { status, message } => {
                f.write_str(&message!(magento.request_refused, status = status, message = message))
            }
            Self::Unavailable { status, message: Some(message), .. } => {
                f.write_str(&message!(magento.error, status = status, message = message))
            }
            Self::Unavailable { status: 401, message: None, .. } => f.write_str(message!(magento.password)),
            Self::Unavailable { status, message: None, .. } => {
                f.write_str(&message!(magento.error_of_proxy, status = status))
            }
            Self::Redirected { to: Some(to), .. } => f.write_str(&message!(magento.redirects_to, to = to)),
            Self::Redirected { status, to: None } => {
                f.write_str(&message!(magento.redirects, status = status))
            }
            Self::Unreachable(TransportFailure::NotConnected) => f.write_str(message!(magento.unreachable)),
            Self::Unreachable(TransportFailure::TimedOut) => f.write_str(message!(magento.timed_out)),
            Self::Unreachable(TransportFailure::Cut) => f.write_str(message!(magento.cut)),
            Self::InvalidResponse { what, .. } => {
                f.write_str(&message!(magento.invalid_response, reason = what))
            }
            Self::Unreadable { what, .. } => f.write_str(what),
            Self::TooLarge { .. } => {
                f.write_str(&message!(magento.too_large, limit = LARGEST_DOCUMENT / 1024 / 1024))
            }
            Self::Late => f.write_str(message!(magento.late)),
            Self::Setup => f.write_str(message!(magento.no_client)),
        }
    }
}
