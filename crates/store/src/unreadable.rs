//! Rows that cannot be read: by a hand in the database, a damaged disk, or an older or newer Ledger. Each is shown as such and
//! hides no other.

use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{BindingId, RunId},
    run::{ActionKind, BindingStatus, EntityKind, EventName, RunStatus},
};

use crate::{Error, Run, RunFacts};

/// A column whose words must be of a fixed set.
pub struct Words {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// What tells its rows apart.
    pub key: &'static str,
    /// Whether a word is of the set.
    pub is_known: fn(&str) -> bool,
}

const fn words(
    table: &'static str,
    column: &'static str,
    key: &'static str,
    is_known: fn(&str) -> bool,
) -> Words {
    Words { table, column, key, is_known }
}

/// The columns of words that lists are made of.
pub const WORDS: &[Words] = &[
    words("bindings", "status", "id", |word| word.parse::<BindingStatus>().is_ok()),
    words("runs", "event", "id", |word| word.parse::<EventName>().is_ok()),
    words("runs", "status", "id", |word| word.parse::<RunStatus>().is_ok()),
    words("runs", "code", "id", |word| word.parse::<Code>().is_ok()),
    words("attempts", "code", "id", |word| word.parse::<Code>().is_ok()),
    words("actions", "action", "id", |word| word.parse::<ActionKind>().is_ok()),
    words("sync_state_deliveries", "entity", "magento_id", |word| word.parse::<EntityKind>().is_ok()),
];

/// A value that cannot be read, and how many rows hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// One of the rows.
    pub row: String,
    /// What it holds.
    pub value: String,
    /// How many rows hold it.
    pub rows: i64,
}

impl Run {
    /// What is shown of a run that cannot be read: when it arrived (its id tells), and why nothing more is known of it.
    pub fn unreadable(id: RunId, binding_id: BindingId, problem: &Error) -> Self {
        let arrived = arrival(id);
        Self {
            id,
            binding_id,
            event: EventName::InvoiceCreated,
            magento_id: 0,
            status: RunStatus::Failed,
            code: Some(Code::UnreadableRecord),
            message: Some(format!("{problem}.")),
            attempts: 0,
            next_at: arrived,
            settings_version: 0,
            facts: RunFacts::default(),
            website_id: 0,
            store_id: 0,
            occurred_at: arrived,
            created_at: arrived,
            updated_at: arrived,
            finished_at: None,
            started_at: None,
            resolved_by: None,
            trace_parent: None,
        }
    }
}

/// The instant within an id of version 7.
fn arrival(id: RunId) -> DateTime<Utc> {
    let since = id.0.get_timestamp().map(|at| at.to_unix());
    since
        .and_then(|(seconds, nanos)| DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos))
        .unwrap_or_default()
}

/// The rows that can be read. Each other one is named in the log, as `ledger doctor` names it.
pub fn readable<T>(rows: impl Iterator<Item = Result<T, Error>>) -> Result<Vec<T>, Error> {
    let mut read = Vec::new();
    for row in rows {
        match row {
            Ok(row) => read.push(row),
            Err(error @ Error::Inconsistency { .. }) => {
                tracing::warn!(%error, "a row cannot be read and is left out; `ledger doctor` names all such rows");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
