//! The loops: runs, deliveries, upkeep; and their end.

mod bulk_retries;
mod resume;
mod runs;
mod upkeep;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

pub use self::upkeep::keep_up;
use self::{
    bulk_retries::work_bulk_retries,
    runs::{claim, work_one, work_runs},
    upkeep::work_upkeep,
};
use crate::{
    Engine,
    alerts::{self, AlertOutbox},
    connection::backfill,
    delivery::{
        outbox::{self, Outbox},
        sync_states::SyncStates,
    },
};

/// Before a loop that has ended by a panic begins again.
const BREATH: Duration = Duration::from_millis(300);

/// The worker of one process.
pub struct Worker {
    engine: Arc<Engine>,
    /// Names this process in attempts.
    name: String,
    /// How many runs are worked at once, besides those that wait for a slow answer.
    parallel: usize,
}

impl Worker {
    /// A worker with this name, working so many runs at once (each of another Sage business).
    pub fn new(engine: Arc<Engine>, name: impl Into<String>, parallel: usize) -> Self {
        Self { engine, name: name.into(), parallel }
    }

    /// Works until `shutdown`, then finishes what it holds and returns.
    pub async fn run(self, shutdown: CancellationToken) {
        resume::start_up(&self.engine).await;
        let mut tasks = JoinSet::new();
        for number in 0..self.parallel {
            let (engine, stop) = (Arc::clone(&self.engine), shutdown.clone());
            let name = format!("{}/{number}", self.name);
            tasks.spawn(async move { kept_up(&stop, || work_runs(&engine, &name, &stop)).await });
        }
        self.spawn_outbox(&mut tasks, SyncStates, &shutdown);
        self.spawn_outbox(&mut tasks, AlertOutbox::WEBHOOKS, &shutdown);
        self.spawn_outbox(&mut tasks, AlertOutbox::LETTERS, &shutdown);
        let (engine, stop) = (Arc::clone(&self.engine), shutdown.clone());
        tasks.spawn(async move { kept_up(&stop, || work_bulk_retries(&engine, &stop)).await });
        let (engine, stop) = (Arc::clone(&self.engine), shutdown.clone());
        tasks.spawn(async move { kept_up(&stop, || work_backfills(&engine, &stop)).await });
        let (engine, stop) = (Arc::clone(&self.engine), shutdown.clone());
        tasks.spawn(async move { kept_up(&stop, || resume::work(&engine, &stop)).await });
        let (engine, stop) = (Arc::clone(&self.engine), shutdown);
        tasks.spawn(async move { kept_up(&stop, || work_upkeep(&engine, &stop)).await });
        tasks.join_all().await;
        info!("the worker has stopped, holding nothing");
    }

    fn spawn_outbox(&self, tasks: &mut JoinSet<()>, outbox: impl Outbox, shutdown: &CancellationToken) {
        let (engine, stop) = (Arc::clone(&self.engine), shutdown.clone());
        tasks.spawn(async move { kept_up(&stop, || outbox::work(&engine, outbox, &stop)).await });
    }
}

/// Keeps a loop up: one that ends by a panic begins again after a breath.
async fn kept_up<Work: Future<Output = ()>>(shutdown: &CancellationToken, begin: impl Fn() -> Work) {
    while AssertUnwindSafe(begin()).catch_unwind().await.is_err() {
        error!(
            "a loop of the worker ended by a panic and begins again; what it held comes back when its lease ends"
        );
        if shutdown.is_cancelled() {
            return;
        }
        sleep(BREATH).await;
    }
}

/// Claims and works runs, deliveries and alerts until nothing is due now (for tests and the command line); returns how many.
pub async fn run_until_idle(engine: &Engine) -> usize {
    let mut worked = 0;
    loop {
        if let Some((claimed, lease)) = claim(engine, "until-idle").await {
            work_one(engine, &claimed, &lease).await;
            worked += 1;
            continue;
        }
        match outbox::send_next(engine, SyncStates).await + alerts::deliver_due(engine).await {
            0 => return worked,
            delivered => worked += delivered,
        }
    }
}

/// Carries on the searches for what shops did while they were not paired.
async fn work_backfills(engine: &Engine, shutdown: &CancellationToken) {
    while !shutdown.is_cancelled() {
        backfill::advance_backfills(engine).await;
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = sleep(engine.timing.poll) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_panics_begins_again() {
        let (begun, shutdown) = (AtomicU32::new(0), CancellationToken::new());
        kept_up(&shutdown, || async {
            assert!(begun.fetch_add(1, Ordering::Relaxed) >= 2, "a fault");
        })
        .await;
        assert_eq!(begun.into_inner(), 3);
    }
}
