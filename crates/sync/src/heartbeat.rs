//! Signs of life of the worker's loops, for `/readyz`.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// How long a loop may be silent: one call with its time-outs, and a store that is waited for.
const SILENCE: TimeDelta = TimeDelta::seconds(150);

/// When each loop was last seen, in milliseconds since 1970.
#[derive(Debug)]
pub struct Heartbeat {
    runs: AtomicI64,
    deliveries: AtomicI64,
}

impl Heartbeat {
    /// A worker that is about to begin.
    pub(crate) const fn new(now: DateTime<Utc>) -> Self {
        let now = now.timestamp_millis();
        Self { runs: AtomicI64::new(now), deliveries: AtomicI64::new(now) }
    }

    pub(crate) fn of_runs(&self, now: DateTime<Utc>) {
        self.runs.fetch_max(now.timestamp_millis(), Ordering::Relaxed);
    }

    pub(crate) fn of_deliveries(&self, now: DateTime<Utc>) {
        self.deliveries.fetch_max(now.timestamp_millis(), Ordering::Relaxed);
    }

    /// The loops that have been silent for too long, each with its seconds of silence. A run's worker shows a sign of life three
    /// times a `lease`.
    pub fn silent(&self, now: DateTime<Utc>, lease: TimeDelta) -> Vec<(&'static str, i64)> {
        let seconds = |beat: &AtomicI64| (now.timestamp_millis() - beat.load(Ordering::Relaxed)) / 1_000;
        let loops = [("runs", seconds(&self.runs)), ("deliveries", seconds(&self.deliveries))];
        let longest = SILENCE.max(lease).num_seconds();
        loops.into_iter().filter(|(_, silent)| *silent > longest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_shows_no_sign_of_life_is_named() {
        let at = |seconds: i64| DateTime::from_timestamp(1_767_607_200 + seconds, 0).unwrap();
        let (heartbeat, lease) = (Heartbeat::new(at(0)), TimeDelta::seconds(90));
        assert!(heartbeat.silent(at(150), lease).is_empty());
        heartbeat.of_runs(at(100));
        assert_eq!(heartbeat.silent(at(200), lease), [("deliveries", 200)]);
        heartbeat.of_deliveries(at(200));
        assert_eq!(heartbeat.silent(at(300), lease), [("runs", 200)]);
        assert!(heartbeat.silent(at(300), TimeDelta::hours(1)).is_empty(), "a lease may be longer");
    }
}
