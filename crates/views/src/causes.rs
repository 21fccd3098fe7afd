//! Open runs, grouped by what would fix them, as their page shows them.

use domain::run::RunStatus;
use serde::{Deserialize, Serialize};

use super::format::Moment;

/// All groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CausesView {
    /// The groups, the most pressing first.
    pub groups: Vec<CauseView>,
    /// Whether the one who looks may retry.
    pub may_retry: bool,
    /// The store's change number when they were read.
    pub version: u64,
}

/// How much a cause presses, the most first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pressure {
    /// Its documents failed, and stay so until somebody acts.
    #[default]
    Failed,
    /// Its documents are held until somebody acts.
    Held,
    /// It resumes automatically.
    Resumes,
}

/// Open runs of one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseView {
    /// Tells it from all others, for as long as it is open.
    pub id: String,
    /// Failed or waiting.
    pub status: RunStatus,
    /// The code.
    pub code: String,
    /// What happened.
    pub sentence: String,
    /// What to do.
    pub action: String,
    /// What was said of the newest of them.
    pub example: Option<String>,
    /// The shop.
    pub shop: String,
    /// The setting that fixes it, where one does.
    pub settings: Option<String>,
    /// How many runs.
    pub count: i64,
    /// What they come to, in the currency of the books as far as rates are known; none where they have no totals.
    pub value: Option<String>,
    /// How much it presses.
    #[serde(default)]
    pub pressure: Pressure,
    /// When the oldest of them was received.
    #[serde(default)]
    pub since: Option<Moment>,
    /// The query of the address of the list of them.
    pub query: String,
    /// The list of them.
    pub href: String,
    /// The page that asks before all of them are retried.
    pub retry: String,
}
