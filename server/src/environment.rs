//! The outside world: the machine's clock and its randomness, and the database's clock where processes share one. The only place that
//! reaches for any of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::environment::Environment;
use messages::message;
use rand::TryRngCore;
use rustix::time::{ClockId, clock_gettime};
use store::Store;
use tokio::time::sleep;
use tracing::warn;

/// The clock that also counts while the machine sleeps.
#[cfg(target_os = "linux")]
const UPTIME: ClockId = ClockId::Boottime;
/// Elsewhere the monotonic clock does.
#[cfg(not(target_os = "linux"))]
const UPTIME: ClockId = ClockId::Monotonic;

/// The machine's clock and randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine;

impl Environment for Machine {
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

/// How often the database is asked for its time: between two looks this machine's uptime counts on, which nobody sets.
const ASKED_EVERY: Duration = Duration::from_secs(15);
/// An answer that took longer says too little.
const PROMPT: Duration = Duration::from_secs(1);
/// Clocks of machines that are kept by time servers differ by less.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(5);

/// The time of a process on this machine: the database's where it has a clock of its own, so that processes whose machines' clocks differ
/// agree on who holds what until when. A SQLite file has its machine's.
///
/// # Errors
///
/// When the database cannot be asked.
pub async fn time_of(
    store: &Arc<dyn Store>,
    machine: Arc<dyn Environment>,
) -> store::Result<Arc<dyn Environment>> {
    let time = Arc::new(DatabaseTime { machine, ahead_of_uptime: AtomicI64::default() });
    let Some(difference) = time.ask(store.as_ref()).await? else { return Ok(Arc::clone(&time.machine)) };
    if let Some(problem) = clocks_differ(difference) {
        warn!("{problem}; Ledger goes by the database's");
    }
    let (asked, store) = (Arc::downgrade(&time), Arc::clone(store));
    tokio::spawn(async move {
        loop {
            sleep(ASKED_EVERY).await;
            let Some(time) = asked.upgrade() else { return };
            // What was heard last holds; that the database cannot be reached is told by everything else.
            let _unheard = time.ask(store.as_ref()).await;
        }
    });
    Ok(time)
}

/// The instant it is by the same time, for a command that is over at once.
///
/// # Errors
///
/// When the database cannot be asked.
pub async fn now_of(store: &dyn Store) -> store::Result<DateTime<Utc>> {
    Ok(store.clock().await?.unwrap_or_else(|| Machine.now()))
}

/// By how much this machine's clock is ahead of the database's (negative: behind); none where the database has none of its own.
///
/// # Errors
///
/// When the database cannot be asked.
pub async fn ahead_of_database(store: &dyn Store) -> store::Result<Option<TimeDelta>> {
    let before = Machine.now();
    let clock = store.clock().await?;
    Ok(clock.map(|clock| before + (Machine.now() - before) / 2 - clock))
}

/// The sentence for clocks that differ, and by how much; none where they agree.
pub fn clocks_differ(ahead: TimeDelta) -> Option<String> {
    let seconds = ahead.abs().num_seconds();
    (ahead.abs() > CLOCKS_DIFFER).then(|| {
        if ahead > TimeDelta::zero() {
            message!(readiness.clock_ahead, seconds = seconds)
        } else {
            message!(readiness.clock_behind, seconds = seconds)
        }
    })
}

/// The database's time, counted on by the machine's uptime: nobody who sets the machine's clock moves it.
struct DatabaseTime {
    machine: Arc<dyn Environment>,
    /// Microseconds from the uptime to the database's time.
    ahead_of_uptime: AtomicI64,
}

impl DatabaseTime {
    /// Asks the database, and tells by how much the machine's clock is ahead of it; none where it has no clock of its own.
    async fn ask(&self, store: &dyn Store) -> store::Result<Option<TimeDelta>> {
        let asked_at = self.machine.uptime();
        let Some(clock) = store.clock().await? else { return Ok(None) };
        let taken = self.machine.uptime().saturating_sub(asked_at);
        let answered_at = micros(asked_at + taken / 2);
        if taken < PROMPT || self.ahead_of_uptime.load(Ordering::Acquire) == 0 {
            self.ahead_of_uptime
                .store(clock.timestamp_micros().saturating_sub(answered_at), Ordering::Release);
        }
        Ok(Some(self.machine.now() - self.now()))
    }
}

fn micros(uptime: Duration) -> i64 {
    i64::try_from(uptime.as_micros()).unwrap_or(i64::MAX)
}

impl Environment for DatabaseTime {
    fn now(&self) -> DateTime<Utc> {
        let micros =
            micros(self.machine.uptime()).saturating_add(self.ahead_of_uptime.load(Ordering::Acquire));
        DateTime::from_timestamp_micros(micros).unwrap_or_else(|| self.machine.now())
    }

    fn uptime(&self) -> Duration {
        self.machine.uptime()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.machine.random(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_differ_by_seconds_are_told_and_which_way() {
        for fine in [0, 4, -4] {
            assert_eq!(clocks_differ(TimeDelta::seconds(fine)), None);
        }
        let told = |seconds| clocks_differ(TimeDelta::seconds(seconds)).unwrap();
        assert_eq!(told(100), "this machine’s clock is 100 s ahead of the database’s");
        assert_eq!(told(-7_200), "this machine’s clock is 7200 s behind the database’s");
    }
}
