//! Retries of many runs, as their pages show them.

use domain::run::BulkState;
use serde::{Deserialize, Serialize};

use super::format::Moment;

/// What a retry of all that match would mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewView {
    /// How many runs match.
    pub count: i64,
    /// Whether there are more than were counted.
    pub is_more: bool,
    /// How many seconds they may take.
    pub seconds: i64,
    /// Whether only some of the runs are meant.
    pub is_filtered: bool,
}

/// A retry of many runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkView {
    /// Its id.
    pub id: String,
    /// How it stands.
    pub state: BulkState,
    /// How many runs were counted when it began.
    pub expected: i64,
    /// How many were put in the queue.
    pub retried: i64,
    /// How many could not be.
    pub passed_over: i64,
    /// Who began it.
    pub actor: String,
    /// The list of the runs that it is about.
    pub runs: String,
    /// When it began.
    pub began: Moment,
    /// When it ended.
    pub ended: Option<Moment>,
    /// Whether the one who looks may cancel it.
    pub may_cancel: bool,
}
