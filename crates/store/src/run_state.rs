//! Where a run stands after a change: decided once for all drivers, who write it into the run's row.

use chrono::{DateTime, Utc};
use domain::{cause::cause, code::Code, run::RunStatus};

use crate::Outcome;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunState<'a> {
    /// The status.
    pub status: RunStatus,
    /// Why.
    pub code: Option<Code>,
    /// The same with the document's figures.
    pub message: Option<&'a str>,
    /// The invoice (its Magento id) whose run wakes this one.
    pub waits_for_invoice: Option<i64>,
    /// When it is due; `None` leaves what was.
    pub next_at: Option<DateTime<Utc>>,
    /// The settings version that it goes on under; `None` leaves what was.
    pub settings_version: Option<i64>,
}

/// What has happened while an attempt was under way: the run must not wait for what has come already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meanwhile {
    /// The current settings version, where it is newer than the run's.
    pub newer_settings: Option<i64>,
    /// The status of the latest run of the invoice that the outcome waits for; none when it waits for none.
    pub invoice: Option<RunStatus>,
}

impl<'a> RunState<'a> {
    /// What a run that failed or waits has in common with others ([`domain::cause`]).
    pub fn cause(&self) -> Option<String> {
        let is_open = matches!(self.status, RunStatus::Failed | RunStatus::Waiting);
        self.code.filter(|_| is_open).map(|code| cause(code, self.message))
    }

    /// As the worker tells it.
    pub fn told(outcome: &'a Outcome) -> Self {
        let (code, message, waits_for_invoice, next_at) = match outcome {
            Outcome::Succeeded => (None, None, None, None),
            Outcome::Failed { code, message } => (Some(*code), message.as_deref(), None, None),
            Outcome::Skipped { code, message, waits_for_invoice }
            | Outcome::Waiting { code, message, waits_for_invoice } => {
                (Some(*code), message.as_deref(), *waits_for_invoice, None)
            }
            Outcome::Retrying { code, message, next_at }
            | Outcome::Resting { code, message, until: next_at, .. } => {
                (Some(*code), message.as_deref(), None, Some(*next_at))
            }
        };
        Self { status: outcome.status(), code, message, waits_for_invoice, next_at, settings_version: None }
    }

    /// What nothing of its own holds up: queued and due now.
    pub const fn onward(now: DateTime<Utc>) -> Self {
        Self {
            status: RunStatus::Queued,
            code: None,
            message: None,
            waits_for_invoice: None,
            next_at: Some(now),
            settings_version: None,
        }
    }

    /// After an attempt: as the worker tells it, unless what the run waits for has come meanwhile.
    pub fn after(outcome: &'a Outcome, meanwhile: &Meanwhile, now: DateTime<Utc>) -> Self {
        let onward = Self::onward(now);
        match outcome {
            Outcome::Waiting { .. } | Outcome::Skipped { .. }
                if meanwhile.invoice == Some(RunStatus::Succeeded) =>
            {
                onward
            }
            Outcome::Waiting { .. } if meanwhile.invoice == Some(RunStatus::SkippedByPolicy) => onward,
            Outcome::Waiting { code, .. }
                if Code::FIXED_BY_SETTINGS.contains(code) && meanwhile.newer_settings.is_some() =>
            {
                Self { settings_version: meanwhile.newer_settings, ..onward }
            }
            _ => Self::told(outcome),
        }
    }
}

impl Outcome {
    /// What the audit calls it.
    pub fn word(&self, run_state: RunStatus) -> &'static str {
        match self {
            Self::Resting { .. } => "resting",
            _ => run_state.as_str(),
        }
    }

    /// Tries that do not count.
    pub const fn uncounted(&self) -> i32 {
        matches!(self, Self::Resting { .. }) as i32
    }
}
