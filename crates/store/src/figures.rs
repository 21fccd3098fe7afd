//! How everything stands, in figures: for `/metrics` and the command line.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{ids::BindingId, run::BindingStatus};

use crate::Result;

/// How a binding stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingFigures {
    /// Which.
    pub binding_id: BindingId,
    /// Where it stands.
    pub status: BindingStatus,
    /// Runs that are ready to be claimed.
    pub queued: i64,
    /// Runs that a worker holds.
    pub running: i64,
    /// Of these, those whose lease has run out: their worker died, and none has taken over yet.
    pub lost: i64,
    /// Runs that wait for something else.
    pub waiting: i64,
    /// Runs that are tried again later.
    pub retrying: i64,
    /// Since when the longest due of the `queued` and `retrying` runs has been due; none when none is, or the binding is not active.
    pub due_since: Option<DateTime<Utc>>,
    /// Sync states that Magento should have been told by now.
    pub deliveries_due: i64,
    /// Sync states that were given up.
    pub deliveries_given_up: i64,
    /// When Sage's tokens were written last; none when there are none.
    pub tokens_at: Option<DateTime<Utc>>,
    /// When the reference set was fetched; none when there is none.
    pub reference_at: Option<DateTime<Utc>>,
}

/// Figures.
#[async_trait]
pub trait Figures {
    /// How each binding stands at this instant, oldest binding first. Cheap however long the history is: only what is open is
    /// counted.
    async fn figures(&self, now: DateTime<Utc>) -> Result<Vec<BindingFigures>>;
}
