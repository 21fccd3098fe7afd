//! The hold on a claimed run: a task of its own extends it, and whoever is about to write asks whether it still holds.
//!
//! The time that counts here is the machine's uptime, suspended time included: a process that was stopped, or whose clock was set,
//! still knows how long it has been silent. What it knows is the least: a lease runs from before it was asked for, and the store
//! counts it from when it was given.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{code::Code, environment::Environment};
use tokio::{task::JoinHandle, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::disposition::{AttemptError, Disposition};

/// A lease is extended so many times before it would end.
const EXTENSIONS: u32 = 3;
/// A failed extension is tried again after this part of the lease.
const HURRY: u32 = 12;
/// The last part of a lease in which nothing is begun any more: a request needs time to leave.
const MARGIN: u32 = 6;

/// The lease of a claimed run; dropped, it is no longer extended.
pub struct Lease {
    held: Arc<SharedLease>,
    keeper: JoinHandle<()>,
}

/// What the lease's holder and its keeper share.
struct SharedLease {
    environment: Arc<dyn Environment>,
    length: Duration,
    /// The uptime, in milliseconds, from which the lease certainly runs.
    since: AtomicU64,
    taken_over: CancellationToken,
}

impl Lease {
    /// Keeps a lease of this length that was asked for at the uptime `since`. `extend` asks the store for as long again.
    pub fn keep<Extend, Extended>(
        environment: Arc<dyn Environment>,
        length: Duration,
        since: Duration,
        extend: Extend,
    ) -> Self
    where
        Extend: Fn() -> Extended + Send + 'static,
        Extended: Future<Output = store::Result<()>> + Send + 'static,
    {
        let since = AtomicU64::new(millis(since));
        let held = Arc::new(SharedLease { environment, length, since, taken_over: CancellationToken::new() });
        let keeper = tokio::spawn(keep(Arc::clone(&held), extend));
        Self { held, keeper }
    }

    /// Nothing may be written any more once the lease may have ended: another worker may hold the run.
    pub fn ensure_held(&self) -> Result<(), AttemptError> {
        let silent = self.held.environment.uptime().saturating_sub(self.held.since());
        if self.held.taken_over.is_cancelled() || silent + self.held.length / MARGIN >= self.held.length {
            // Where nobody has taken over after all, the run goes on at once; where somebody has, the fence refuses this end.
            let disposition = Disposition::RestUntil(self.held.environment.now());
            return Err(AttemptError { disposition, ..AttemptError::plain(Code::LeaseLost) });
        }
        Ok(())
    }

    /// Returns when another worker has taken the run over, or its hold was ended from outside.
    pub async fn taken_over(&self) {
        self.held.taken_over.cancelled().await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl SharedLease {
    fn since(&self) -> Duration {
        Duration::from_millis(self.since.load(Ordering::Acquire))
    }
}

fn millis(uptime: Duration) -> u64 {
    u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX)
}

/// Extends the lease until it is refused.
async fn keep<Extend, Extended>(held: Arc<SharedLease>, extend: Extend)
where
    Extend: Fn() -> Extended,
    Extended: Future<Output = store::Result<()>>,
{
    let mut wait = held.length / EXTENSIONS;
    loop {
        sleep(wait).await;
        let asked_at = held.environment.uptime();
        wait = match extend().await {
            Ok(()) => {
                held.since.fetch_max(millis(asked_at), Ordering::Release);
                held.length / EXTENSIONS
            }
            Err(store::Error::RowsAffected { .. }) => {
                held.taken_over.cancel();
                return;
            }
            Err(problem) => {
                warn!(error = %problem, "a lease could not be extended");
                held.length / HURRY
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use tokio::{sync::Mutex, time::Instant};

    use super::*;

    const LENGTH: Duration = Duration::from_secs(90);

    /// A machine whose uptime is tokio's paused time, and what it slept through besides.
    struct SleepingMachine {
        begun: Instant,
        suspended: AtomicU64,
    }

    impl Environment for SleepingMachine {
        fn now(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH
        }

        fn uptime(&self) -> Duration {
            self.begun.elapsed() + Duration::from_secs(self.suspended.load(Ordering::Relaxed))
        }

        fn random(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn machine() -> Arc<SleepingMachine> {
        Arc::new(SleepingMachine { begun: Instant::now(), suspended: AtomicU64::default() })
    }

    fn gone() -> store::Error {
        store::Error::RowsAffected { expected: 1, actual: 0 }
    }

    fn busy() -> store::Error {
        store::Error::Unavailable("busy".into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_is_extended_is_held_for_hours() {
        let machine = machine();
        let lease = Lease::keep(machine.clone(), LENGTH, machine.uptime(), || async { Ok(()) });
        sleep(Duration::from_hours(3)).await;
        assert!(lease.ensure_held().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_slept_longer_than_its_lease_writes_nothing() {
        let machine = machine();
        let lease = Lease::keep(machine.clone(), LENGTH, machine.uptime(), || async { Ok(()) });
        sleep(Duration::from_secs(31)).await;
        machine.suspended.fetch_add(75, Ordering::Relaxed);
        assert_eq!(lease.ensure_held().unwrap_err().code, Code::LeaseLost);
        sleep(Duration::from_secs(30)).await;
        assert!(lease.ensure_held().is_ok(), "nobody had taken over: it was extended");
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_cannot_be_reached_ends_the_hold_before_the_lease() {
        let machine = machine();
        let lease = Lease::keep(machine.clone(), LENGTH, machine.uptime(), || async { Err(busy()) });
        sleep(Duration::from_secs(74)).await;
        assert!(lease.ensure_held().is_ok());
        sleep(Duration::from_secs(1)).await;
        assert!(lease.ensure_held().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_extension_that_is_long_under_way_counts_from_when_it_was_asked_for() {
        let machine = machine();
        let lease = Lease::keep(machine.clone(), LENGTH, machine.uptime(), || async {
            sleep(Duration::from_secs(50)).await;
            Ok(())
        });
        sleep(Duration::from_secs(81)).await;
        assert!(lease.ensure_held().is_ok(), "asked for at 30 s, given at 80 s");
        sleep(Duration::from_secs(25)).await;
        assert!(lease.ensure_held().is_err(), "it may have run from 30 s on");
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_another_took_over_is_let_go_at_once() {
        let machine = machine();
        let lease = Lease::keep(machine.clone(), LENGTH, machine.uptime(), || async { Err(gone()) });
        assert!(lease.ensure_held().is_ok());
        lease.taken_over().await;
        assert_eq!(machine.begun.elapsed(), Duration::from_secs(30));
        assert!(lease.ensure_held().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_holder_that_waits_for_the_store_does_not_stop_the_extensions() {
        let (machine, store) = (machine(), Arc::new(Mutex::new(0)));
        let counted = Arc::clone(&store);
        let lease = Lease::keep(machine.clone(), LENGTH, machine.uptime(), move || {
            let counted = Arc::clone(&counted);
            async move {
                *counted.lock().await += 1;
                Ok(())
            }
        });
        // The work holds the only connection while an extension is due, and gives it back by itself.
        let taken = store.lock().await;
        sleep(Duration::from_secs(40)).await;
        drop(taken);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(*store.lock().await, 1);
        drop(lease);
        sleep(Duration::from_hours(1)).await;
        assert_eq!(*store.lock().await, 1, "a lease that is dropped is not extended");
    }
}
