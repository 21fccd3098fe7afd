//! Time and randomness, handed in: hours cost nothing, and the same cell gives the same ids.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::environment::Environment;
use rand::{RngCore, SeedableRng, rngs::StdRng};

/// Monday, 2 March 2026, 09:00 UTC.
const START: i64 = 1_772_442_000;

/// The true time. It moves by a millisecond with every look, so that what happens later is later, and as far as it is told to.
#[derive(Default)]
pub struct Clock(AtomicI64);

impl Clock {
    /// The instant it is now.
    pub fn now(&self) -> DateTime<Utc> {
        let millis = self.0.fetch_add(1, Ordering::SeqCst);
        DateTime::from_timestamp(START, 0).unwrap_or_default() + TimeDelta::milliseconds(millis)
    }

    /// Lets time pass.
    pub fn pass(&self, time: TimeDelta) {
        self.0.fetch_add(time.num_milliseconds().max(0), Ordering::SeqCst);
    }
}

/// The world of one process: the true time, off by as much as its machine's clock is, and randomness from a seed.
pub struct Machine {
    clock: Arc<Clock>,
    skew: TimeDelta,
    random: Mutex<StdRng>,
}

impl Machine {
    /// A machine whose clock is off by `skew`.
    pub fn new(clock: Arc<Clock>, skew: TimeDelta, seed: u64) -> Self {
        Self { clock, skew, random: Mutex::new(StdRng::seed_from_u64(seed)) }
    }
}

impl Environment for Machine {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now() + self.skew
    }

    fn random(&self, bytes: &mut [u8]) {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}
