//! The history at an address: its rows, and every way from there to other parts of it. Each way is an address, so that a browser
//! without JavaScript follows the same ones.

use domain::run::RunStatus;
use serde::{Deserialize, Serialize};

use super::runs::{RunsPage, SortLink};

/// The history at an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryView {
    /// The rows.
    pub page: RunsPage,
    /// What stands around them.
    pub frame: HistoryFrame,
}

/// What stands around the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryFrame {
    /// The address.
    pub href: String,
    /// The address's query without the place in the list: what files, saved views and bulk retries are about.
    pub query: String,
    /// The search box, as it was typed.
    pub search: String,
    /// Name and value of each part of the query.
    pub parts: Vec<(String, String)>,
    /// One list for each status.
    pub statuses: Vec<StatusLink>,
    /// The filters that apply, besides the status and the search.
    pub chips: Vec<FilterChip>,
    /// The ways to other orders, column by column.
    pub sorts: Vec<Option<SortLink>>,
    /// Where the list begins, when this is another part of it.
    pub first: Option<String>,
    /// What the first, the previous and the next page are called.
    pub names: Vec<String>,
    /// What is said of a key in the search box that is none.
    pub unknown_key: Option<String>,
    /// What is said of skipped runs that the list leaves out, and the list with them.
    #[serde(default)]
    pub left_out: Option<(String, String)>,
    /// Whether only some of the runs are asked for.
    pub is_filtered: bool,
    /// The page that asks before all of them are retried, for whoever may.
    pub retry_all: Option<String>,
}

/// The list of one status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusLink {
    /// What it is called.
    pub label: String,
    /// Where it is.
    pub href: String,
    /// How many there are, such as `34` or `2,000+`.
    pub count: String,
    /// The status; none for all runs, and for what needs attention.
    pub status: Option<RunStatus>,
    /// Whether it is the one that is shown.
    pub is_current: bool,
}

/// A filter that applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterChip {
    /// What it asks for, such as `Event: Invoice paid`.
    pub label: String,
    /// The same list without it.
    pub href: String,
}

impl HistoryFrame {
    /// The value of a part of the query; empty without it.
    pub fn value(&self, name: &str) -> String {
        self.parts.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The address of the same runs as a file.
    pub fn export(&self, kind: &str) -> String {
        let path = format!("{}/export.{kind}", super::links::HISTORY);
        if self.query.is_empty() { path } else { format!("{path}?{}", self.query) }
    }
}
