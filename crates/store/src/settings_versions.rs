//! Settings versions: every save is kept.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{BindingId, MemberId},
    settings::Settings,
};

use crate::{Action, Result};

/// A saved settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsVersion {
    /// 1, 2, 3 ... within a binding.
    pub version: i64,
    /// The settings.
    pub settings: Settings,
    /// Who saved it; none for Ledger itself.
    pub author: Option<MemberId>,
    /// Why, in the author's words.
    pub reason: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A saved settings in the list of all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSettings {
    /// The version.
    pub version: SettingsVersion,
    /// The author's name, or their e-mail address where they have none.
    pub author_name: Option<String>,
    /// How many runs stand under it.
    pub runs: i64,
}

/// So many runs are let go on in one transaction, so that none is long, however many wait.
pub const RELEASED_AT_ONCE: u32 = 200;

/// Settings versions.
#[async_trait]
pub trait SettingsVersions {
    /// Saves the next version (`version` must be the current one plus one, else [`crate::Error::Conflict`]), sets the binding's
    /// `trusted_since`, and lets the first [`RELEASED_AT_ONCE`] of the runs that wait with a code that settings fix
    /// (`needs_mapping` ...) go on under the new version, all in one transaction; the rest follow with [`Self::release_held`].
    async fn save_settings(
        &self,
        binding: BindingId,
        version: &SettingsVersion,
        action: Option<&Action>,
    ) -> Result<()>;

    /// Lets [`RELEASED_AT_ONCE`] more runs go on that waited for settings saved since; `false` when none is left.
    async fn release_held(&self, now: DateTime<Utc>) -> Result<bool>;

    /// The newest version.
    async fn current_settings(&self, binding: BindingId) -> Result<Option<SettingsVersion>>;

    /// One version.
    async fn settings(&self, binding: BindingId, version: i64) -> Result<Option<SettingsVersion>>;

    /// The versions below `before` (none = from the newest on), newest first, `limit` at most.
    async fn settings_history(
        &self,
        binding: BindingId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<SavedSettings>>;
}
