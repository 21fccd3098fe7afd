//! A run as the command line shows it in a list.

use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{BindingId, RunId},
    run::{EventName, RunStatus},
};
use serde::Serialize;
use store::Run;

use super::output::{amount, dash, instant, table};

/// A run in the list.
#[derive(Serialize)]
pub(super) struct RunLineJson {
    pub(super) id: RunId,
    binding: BindingId,
    event: EventName,
    magento_id: i64,
    number: Option<String>,
    status: RunStatus,
    code: Option<Code>,
    message: Option<String>,
    attempts: i32,
    next_at: DateTime<Utc>,
    settings_version: i64,
    currency: Option<String>,
    total: Option<String>,
    sage_total: Option<String>,
    sage_id: Option<String>,
    sage_reference: Option<String>,
    occurred_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    trace: Option<String>,
}

impl From<Run> for RunLineJson {
    fn from(run: Run) -> Self {
        let trace = run.trace_parent.as_deref().and_then(::sync::trace_id).map(str::to_owned);
        let facts = run.facts;
        let (sage_total, _) = facts.in_sage();
        Self {
            id: run.id,
            binding: run.binding_id,
            event: run.event,
            magento_id: run.magento_id,
            number: facts.increment_id,
            status: run.status,
            code: run.code,
            message: run.message,
            attempts: run.attempts,
            next_at: run.next_at,
            settings_version: run.settings_version,
            currency: facts.currency,
            total: facts.amount_minor.map(|minor| amount(Some(minor))),
            sage_total: sage_total.map(|minor| amount(Some(minor))),
            sage_id: facts.sage_id,
            sage_reference: facts.sage_reference,
            occurred_at: run.occurred_at,
            created_at: run.created_at,
            finished_at: run.finished_at,
            trace,
        }
    }
}

impl RunLineJson {
    /// The row of the table.
    pub(super) fn row(&self) -> [String; 9] {
        [
            self.id.to_string(),
            instant(self.created_at),
            self.event.to_string(),
            self.magento_id.to_string(),
            self.number.clone().unwrap_or_else(dash),
            self.code.map_or_else(|| self.status.to_string(), |code| format!("{} ({code})", self.status)),
            self.sage_reference.clone().unwrap_or_else(dash),
            self.total.clone().unwrap_or_else(dash),
            self.sage_total.clone().unwrap_or_else(dash),
        ]
    }

    /// One run in words.
    pub(super) fn in_words(&self) -> String {
        let mut text = Self::table(std::slice::from_ref(self));
        if let Some(trace) = &self.trace {
            text.push_str("\n  trace ");
            text.push_str(trace);
        }
        text
    }

    /// What was told of it.
    pub(super) fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The lines as a table.
    pub(super) fn table(lines: &[Self]) -> String {
        let head = [
            "run",
            "received",
            "event",
            "magento id",
            "number",
            "status",
            "in sage",
            "total",
            "sage's total",
        ];
        table(head, &lines.iter().map(Self::row).collect::<Vec<_>>())
    }
}
