//! A circuit per business: when Sage as a whole fails several times in a row, calls rest for a moment.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

/// When a circuit opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitSettings {
    /// So many failures in a row open it.
    pub opens_after: u32,
    /// For so long nothing is sent. Then calls go on, and the first failure opens it again.
    pub rests_for: TimeDelta,
}

impl Default for CircuitSettings {
    fn default() -> Self {
        Self { opens_after: 5, rests_for: TimeDelta::seconds(60) }
    }
}

#[derive(Debug, Default)]
struct CircuitState {
    failures: u32,
    open_until: Option<DateTime<Utc>>,
}

/// The circuits of all businesses that failed lately.
#[derive(Debug)]
pub(crate) struct Circuits {
    settings: CircuitSettings,
    states: Mutex<HashMap<String, CircuitState>>,
}

impl Circuits {
    pub(crate) fn new(settings: CircuitSettings) -> Self {
        Self { settings, states: Mutex::default() }
    }

    /// Until when nothing may be sent for the business.
    pub(crate) fn open_until(&self, business: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.get(business)?.open_until.filter(|until| *until > now)
    }

    /// Notes how a call went.
    pub(crate) fn note(&self, business: &str, failed: bool, now: DateTime<Utc>) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if !failed {
            states.remove(business);
            return;
        }
        let state = states.entry(business.to_owned()).or_default();
        state.failures = state.failures.saturating_add(1);
        if state.failures >= self.settings.opens_after {
            state.open_until = Some(now + self.settings.rests_for);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_for_one_business_only() {
        let circuits = Circuits::new(CircuitSettings { opens_after: 3, rests_for: TimeDelta::seconds(60) });
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        circuits.note("a", true, at(0));
        circuits.note("a", true, at(1));
        circuits.note("a", false, at(2));
        for second in 3..5 {
            circuits.note("a", true, at(second));
            assert_eq!(circuits.open_until("a", at(second)), None);
        }
        circuits.note("a", true, at(5));
        assert_eq!(circuits.open_until("a", at(6)), Some(at(65)));
        assert_eq!(circuits.open_until("b", at(6)), None);
        assert_eq!(circuits.open_until("a", at(65)), None, "it rests for a minute");
        circuits.note("a", true, at(66));
        assert_eq!(circuits.open_until("a", at(67)), Some(at(126)), "one more failure opens it again");
        circuits.note("a", false, at(127));
        circuits.note("a", true, at(128));
        assert_eq!(circuits.open_until("a", at(129)), None, "a success forgives");
    }
}
