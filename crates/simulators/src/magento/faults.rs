//! What can be made to go wrong with the shop.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// What a maintenance page or a broken proxy says instead of JSON, with a 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvalidResponse {
    /// A page of HTML.
    Html,
    /// A text that claims to be JSON and is none.
    Text,
}

/// An answer that claims to be JSON, byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spoilt {
    /// Where: the path ends with this.
    pub path: String,
    /// What is answered, with a 200.
    pub body: Vec<u8>,
}

/// All faults at once; the default is a shop in good health.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultSettings {
    /// Every call to the web API is answered 503, with a page.
    pub down: bool,
    /// This many more connections are closed without a word.
    pub refused: u32,
    /// Every answer comes this much later than the work behind it: a caller that hangs up has still been heard.
    pub latency_ms: u64,
    /// This many more calls with a token are answered 401.
    pub unauthorized: u32,
    /// This many more look-ups of a document are answered 404.
    pub not_found: u32,
    /// Every call is answered 200 with something that is no JSON.
    pub garbage: Option<InvalidResponse>,
    /// Calls whose path ends so are answered 200 with these bytes.
    pub spoilt: Vec<Spoilt>,
    /// The module is removed: no route matches.
    pub route_missing: bool,
    /// Calls whose path contains this are answered 500 with a sentence, and all others well.
    pub broken: Option<String>,
    /// Production mode: tokens are taken over HTTPS only, which a proxy must say in `X-Forwarded-Proto`.
    pub https_required: bool,
}

/// The switchboard of the faults; clones are the same board.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<FaultSettings>>);

impl Faults {
    /// All settings as they stand.
    pub fn get(&self) -> FaultSettings {
        self.locked(|settings| settings.clone())
    }

    /// Replaces all settings.
    pub fn set(&self, settings: FaultSettings) {
        self.change(|current| *current = settings);
    }

    /// Changes some settings.
    pub fn change(&self, change: impl FnOnce(&mut FaultSettings)) {
        self.locked(change);
    }

    /// A shop in good health.
    pub fn clear(&self) {
        self.set(FaultSettings::default());
    }

    /// Takes one of a counted fault, if any is left.
    pub(crate) fn take(&self, counter: impl FnOnce(&mut FaultSettings) -> &mut u32) -> bool {
        self.locked(|settings| {
            let left = counter(settings);
            let any = *left > 0;
            *left = left.saturating_sub(1);
            any
        })
    }

    fn locked<T>(&self, act: impl FnOnce(&mut FaultSettings) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
