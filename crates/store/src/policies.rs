//! Policy versions: every save is kept.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{BindingId, MemberId},
    policy::Policy,
};

use crate::Result;

/// A saved policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyVersion {
    /// 1, 2, 3 ... within a binding.
    pub version: i64,
    /// The settings.
    pub policy: Policy,
    /// Who saved it; none for Ledger itself.
    pub author: Option<MemberId>,
    /// Why, in the author's words.
    pub reason: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Policies.
#[async_trait]
pub trait Policies {
    /// Saves the next version (`version` must be the current one plus one, else [`crate::Error::Conflict`]), sets the binding's
    /// `trusted_since`, and lets the runs that wait with a code that settings mend (`needs_mapping` ...) go on under the new version (as [`crate::Runs::retry_run`] does while the
    /// binding is not active), all in one transaction.
    async fn save_policy(&self, binding: BindingId, version: &PolicyVersion) -> Result<()>;

    /// The newest version.
    async fn current_policy(&self, binding: BindingId) -> Result<Option<PolicyVersion>>;

    /// One version.
    async fn policy(&self, binding: BindingId, version: i64) -> Result<Option<PolicyVersion>>;
}
