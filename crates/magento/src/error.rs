//! Why a call to Magento failed, and what to do about it. Each error's text is a sentence for a person.

use std::fmt;

use domain::{bounds::LARGEST_DOCUMENT, code::Code};

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
pub enum Lost {
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
    Unreachable(Lost),
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
            Self::Unreachable(lost) => !matches!(lost, Lost::NotConnected),
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
            Lost::TimedOut
        } else if error.is_connect() {
            Lost::NotConnected
        } else {
            Lost::Cut
        })
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => write!(f, "{error}"),
            Self::PairingCode => f.write_str("Enter the pairing code as Magento shows it: 8 to 64 characters."),
            Self::PairingRefused => f.write_str(
                "Magento does not accept the pairing code: it is wrong, already used, or older than 30 minutes. \
                 Generate a new one in Magento and enter it here.",
            ),
            Self::Auth { clock_ahead: Some(seconds) } => {
                let side = if *seconds > 0 { "ahead of" } else { "behind" };
                let seconds = seconds.unsigned_abs();
                write!(f, "Magento does not accept Ledger’s access. Its clock is {seconds} seconds {side} ours: set it right.")
            }
            Self::Auth { clock_ahead: None } => f.write_str(
                "Magento does not accept Ledger’s access. If the shop was disconnected in Magento, pair it again; otherwise the proxy in \
                 front of it must send “X-Forwarded-Proto: https”.",
            ),
            Self::NotFound { message } => write!(f, "Magento says: {message}"),
            Self::ModuleMissing => f.write_str("The Ledger module is not answering in Magento."),
            Self::Refused { status, message } => write!(f, "Magento refuses the request ({status}): {message}"),
            Self::Unavailable { status, message: Some(message), .. } => {
                write!(f, "Magento failed to answer properly ({status}): {message}")
            }
            Self::Unavailable { status: 401, message: None, .. } => f.write_str(
                "Something in front of Magento asks for a password (401). Let the module's calls through.",
            ),
            Self::Unavailable { status, message: None, .. } => {
                write!(f, "Magento, or something in front of it, failed to answer properly ({status}).")
            }
            Self::Redirected { to: Some(to), .. } => {
                write!(f, "The shop's address leads on to {to}. Pair the shop under that address.")
            }
            Self::Redirected { status, to: None } => {
                write!(f, "The shop's address leads on to another one ({status}). Pair the shop under that one.")
            }
            Self::Unreachable(Lost::NotConnected) => f.write_str("The shop could not be reached."),
            Self::Unreachable(Lost::TimedOut) => f.write_str("The shop took too long to answer."),
            Self::Unreachable(Lost::Cut) => f.write_str("The line to the shop was cut."),
            Self::InvalidResponse { what, .. } => write!(f, "Magento's answer could not be read: {what}."),
            Self::Unreadable { what, .. } => f.write_str(what),
            Self::TooLarge { .. } => {
                write!(f, "The document is larger than {} MiB.", LARGEST_DOCUMENT / 1024 / 1024)
            }
            Self::Late => f.write_str("Ledger was interrupted for so long that it sent nothing more."),
            Self::Setup => f.write_str("The HTTP client could not be made."),
        }
    }
}
