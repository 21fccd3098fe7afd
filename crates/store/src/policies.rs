//! Policy versions: every save is kept.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{BindingId, MemberId},
    policy::Policy,
};

use crate::{Action, Result};

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

/// A saved policy in the list of all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedPolicy {
    /// The version.
    pub version: PolicyVersion,
    /// The author's name, or their e-mail address where they have none.
    pub author_name: Option<String>,
    /// How many runs stand under it.
    pub runs: i64,
}

/// So many runs are let go on in one transaction, so that none is long, however many wait.
pub const RELEASED_AT_ONCE: u32 = 200;

/// Policies.
#[async_trait]
pub trait Policies {
    /// Saves the next version (`version` must be the current one plus one, else [`crate::Error::Conflict`]), sets the binding's
    /// `trusted_since`, and lets the first [`RELEASED_AT_ONCE`] of the runs that wait with a code that settings mend
    /// (`needs_mapping` ...) go on under the new version, all in one transaction; the rest follow with [`Self::release_held`].
    async fn save_policy(
        &self,
        binding: BindingId,
        version: &PolicyVersion,
        action: Option<&Action>,
    ) -> Result<()>;

    /// Lets [`RELEASED_AT_ONCE`] more runs go on that waited for settings saved since; `false` when none is left.
    async fn release_held(&self, now: DateTime<Utc>) -> Result<bool>;

    /// The newest version.
    async fn current_policy(&self, binding: BindingId) -> Result<Option<PolicyVersion>>;

    /// One version.
    async fn policy(&self, binding: BindingId, version: i64) -> Result<Option<PolicyVersion>>;

    /// The versions below `before` (none = from the newest on), newest first, `limit` at most.
    async fn policy_history(
        &self,
        binding: BindingId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<SavedPolicy>>;
}
