//! Why a message did not arrive.

use std::fmt;

/// Why a message did not arrive, in a sentence without its address.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It may arrive later, no sooner than after so many seconds where the receiver said so.
    Again {
        /// Why.
        sentence: String,
        /// Seconds.
        after: Option<i64>,
    },
    /// There was no answer in time: the receiver is left alone for a while.
    Silent(String),
    /// This message never will.
    Final(String),
    /// No message will: the receiver says that it is gone for good.
    Gone(String),
}

impl Refusal {
    /// It may arrive later.
    pub(super) fn again(sentence: impl Into<String>) -> Self {
        Self::Again { sentence: sentence.into(), after: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Again { sentence, .. }
        | Self::Silent(sentence)
        | Self::Final(sentence)
        | Self::Gone(sentence)) = self;
        f.write_str(sentence)
    }
}
