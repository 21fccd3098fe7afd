//! Checks the settings while somebody types.

use leptos::prelude::*;

/// Watches the form of the settings ([`crate::typing`]); shows nothing itself.
#[island(lazy)]
pub fn SettingsWatcher() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(|_| crate::typing::watch());
}
