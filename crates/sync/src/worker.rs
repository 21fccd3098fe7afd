//! The loops: runs, deliveries, upkeep; and their end.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::AttemptId;
use store::{Claimed, Fence};
use tokio::{sync::watch, task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info, info_span, warn};

use crate::{Engine, deliver, process};

/// How often ended sessions and tokens are cleared away.
const UPKEEP_EVERY: std::time::Duration = std::time::Duration::from_mins(10);

/// The worker of one process.
pub struct Worker {
    engine: Arc<Engine>,
    /// Names this process in attempts.
    name: String,
    /// How many runs are worked at once.
    parallel: usize,
}

impl Worker {
    /// A worker with this name, working so many runs at once (each of another Sage business).
    pub fn new(engine: Arc<Engine>, name: impl Into<String>, parallel: usize) -> Self {
        Self { engine, name: name.into(), parallel }
    }

    /// Works until `shutdown`, then finishes what it holds and returns.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut tasks = JoinSet::new();
        for number in 0..self.parallel {
            let (engine, shutdown) = (Arc::clone(&self.engine), shutdown.clone());
            let name = format!("{}/{number}", self.name);
            tasks.spawn(async move { work_runs(&engine, &name, &shutdown).await });
        }
        let (engine, stop) = (Arc::clone(&self.engine), shutdown.clone());
        tasks.spawn(async move { work_deliveries(&engine, &stop).await });
        let (engine, stop) = (Arc::clone(&self.engine), shutdown.clone());
        tasks.spawn(async move { work_upkeep(&engine, &stop).await });
        while let Some(ended) = tasks.join_next().await {
            if let Err(panic) = ended {
                error!(error = %panic, "a worker task ended by a panic; its run comes back when its lease ends");
                if !shutdown.is_cancelled() {
                    let (engine, stop, name) =
                        (Arc::clone(&self.engine), shutdown.clone(), self.name.clone());
                    tasks.spawn(async move { work_runs(&engine, &name, &stop).await });
                }
            }
        }
        info!("the worker has stopped, holding nothing");
    }
}

/// Claims and works runs and deliveries until nothing is due now (for tests and the command line); returns how many.
pub async fn run_until_idle(engine: &Engine) -> usize {
    let mut worked = 0;
    loop {
        if let Some(claimed) = claim(engine, "until-idle").await {
            work_one(engine, claimed).await;
            worked += 1;
            continue;
        }
        match deliver::deliver_due(engine).await {
            0 => return worked,
            delivered => worked += delivered,
        }
    }
}

async fn claim(engine: &Engine, worker: &str) -> Option<Claimed> {
    let now = engine.outside.now();
    let attempt = AttemptId(engine.outside.id());
    match engine.store.claim_run(attempt, worker, now, now + engine.timing.lease).await {
        Ok(claimed) => claimed,
        Err(problem) => {
            warn!(error = %problem, "no run could be claimed");
            None
        }
    }
}

async fn work_runs(engine: &Engine, name: &str, shutdown: &CancellationToken) {
    let mut changes = engine.store.changes();
    while !shutdown.is_cancelled() {
        changes.mark_unchanged();
        if let Some(claimed) = claim(engine, name).await {
            work_one(engine, claimed).await;
            continue;
        }
        let due = engine.store.next_due().await;
        rest(engine, due, &mut changes, shutdown).await;
    }
}

/// Rests until something is due, a run changes, or the worker is to stop; between a blink and the poll's length.
async fn rest(
    engine: &Engine,
    due: store::Result<Option<DateTime<Utc>>>,
    news: &mut watch::Receiver<u64>,
    shutdown: &CancellationToken,
) {
    let blink = std::time::Duration::from_millis(50);
    let wait = match due {
        Ok(Some(due)) => {
            (due - engine.outside.now()).to_std().unwrap_or(blink).clamp(blink, engine.timing.poll)
        }
        Ok(None) | Err(_) => engine.timing.poll,
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        changed = news.changed() => if changed.is_err() { sleep(wait).await },
        () = sleep(wait) => {}
    }
}

/// Works a run, showing signs of life meanwhile.
async fn work_one(engine: &Engine, claimed: Claimed) {
    let fence = Fence { run_id: claimed.run.id, attempt_id: claimed.attempt_id };
    let span = info_span!(
        "run",
        run = %claimed.run.id, binding = %claimed.run.binding_id, event = %claimed.run.event,
        magento_id = claimed.run.magento_id, attempt = claimed.attempt_number
    );
    let work = async {
        let finish = process::process(engine, &claimed).await;
        info!(status = %finish.outcome.status(), sage = finish.facts.sage_reference.as_deref(), "attempt ended");
        if let Err(problem) = engine.store.finish_run(&finish).await {
            error!(error = %problem, "the attempt's end could not be recorded; the run comes back when its lease ends");
        }
    }
    .instrument(span);
    tokio::pin!(work);
    let third = (engine.timing.lease / 3).to_std().unwrap_or(std::time::Duration::from_secs(20));
    loop {
        tokio::select! {
            () = &mut work => return,
            () = sleep(third) => {
                let until = engine.outside.now() + engine.timing.lease;
                if let Err(problem) = engine.store.extend_lease(fence, until).await {
                    warn!(run = %fence.run_id, error = %problem, "the lease could not be extended");
                }
            }
        }
    }
}

async fn work_deliveries(engine: &Engine, shutdown: &CancellationToken) {
    let mut changes = engine.store.changes();
    while !shutdown.is_cancelled() {
        changes.mark_unchanged();
        if deliver::deliver_due(engine).await > 0 {
            continue;
        }
        let due = engine.store.next_delivery_due().await;
        rest(engine, due, &mut changes, shutdown).await;
    }
}

async fn work_upkeep(engine: &Engine, shutdown: &CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = sleep(UPKEEP_EVERY) => {}
        }
        let now = engine.outside.now();
        if let Err(problem) = engine.store.purge_tokens(now).await {
            warn!(error = %problem, "used tokens could not be cleared away");
        }
        if let Err(problem) = engine.store.purge_sessions(now).await {
            warn!(error = %problem, "ended sessions could not be cleared away");
        }
        refresh_stale_references(engine, now).await;
    }
}

/// Fetches anew the reference sets that are older than a day. The call also keeps idle connections alive: it refreshes their tokens.
async fn refresh_stale_references(engine: &Engine, now: DateTime<Utc>) {
    let Ok(bindings) = engine.store.list_all_bindings().await else { return };
    for binding in bindings.iter().filter(|binding| binding.status == domain::run::BindingStatus::Active) {
        let is_stale = match engine.store.reference(binding.id).await {
            Ok(Some(cached)) => now - cached.fetched_at > TimeDelta::hours(24),
            Ok(None) => true,
            Err(_) => false,
        };
        if is_stale && let Err(problem) = engine.refresh_reference(binding).await {
            warn!(binding = %binding.id, error = %problem, "the reference set could not be refreshed");
        }
    }
}
