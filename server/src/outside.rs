//! The outside world: the machine's clock and its randomness. The only place that reaches for either.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::outside::Outside;
use rand::TryRngCore;
use rustix::time::{ClockId, clock_gettime};

/// The clock that also counts while the machine sleeps.
#[cfg(target_os = "linux")]
const UPTIME: ClockId = ClockId::Boottime;
/// Elsewhere the monotonic clock does.
#[cfg(not(target_os = "linux"))]
const UPTIME: ClockId = ClockId::Monotonic;

/// The machine's clock and randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine;

impl Outside for Machine {
    #[expect(clippy::disallowed_methods, reason = "this is where time is handed out")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn uptime(&self) -> Duration {
        clock_gettime(UPTIME).try_into().unwrap_or_default()
    }

    #[expect(clippy::expect_used, reason = "without randomness no token and no key may be made")]
    fn random(&self, bytes: &mut [u8]) {
        rand::rngs::OsRng.try_fill_bytes(bytes).expect("the system gives random bytes");
    }
}
