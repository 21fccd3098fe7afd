//! Open runs, grouped by what would fix them, as their page shows them.

use domain::run::RunStatus;
use serde::{Deserialize, Serialize};

/// All groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CausesView {
    /// The groups, most runs first.
    pub groups: Vec<CauseView>,
    /// Whether the one who looks may retry.
    pub may_retry: bool,
    /// The store's change number when they were read.
    pub version: u64,
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
    /// Currencies and sums of their totals, where they have any.
    pub value: Option<String>,
    /// The query of the address of the list of them.
    pub query: String,
    /// The list of them.
    pub href: String,
    /// The page that asks before all of them are retried.
    pub retry: String,
}
