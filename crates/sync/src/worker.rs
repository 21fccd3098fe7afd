//! The loops: runs, deliveries, upkeep; and their end.

use std::{collections::VecDeque, panic::AssertUnwindSafe, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{code::Code, ids::AttemptId, run::BindingStatus};
use futures::{FutureExt, StreamExt, stream};
use store::{Advance, Binding, Claimed, Fence, FinishRun, Outcome, Run};
use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle, JoinSet},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug_span, error, info, info_span, warn};

use crate::{
    Engine,
    alerts::{self, Alerts},
    backfill,
    deliver::SyncStates,
    lease::Lease,
    outbox::{self, Outbox},
    process, resume, trace,
    under_way::Work,
};

/// How often ended sessions and tokens are cleared away.
const UPKEEP_EVERY: std::time::Duration = std::time::Duration::from_mins(10);
/// How long the counts of single hours are kept: the overview shows a day of them.
const HOURS_ARE_KEPT: TimeDelta = TimeDelta::days(3);

/// How often it is asked whether a retry of many runs can go on.
const BREATH: std::time::Duration = std::time::Duration::from_millis(300);
/// How often a connection is checked that nothing else was heard of.
const CHECKED_EVERY: TimeDelta = TimeDelta::hours(1);
/// How many connections are checked at once.
const CHECKS: usize = 8;

/// A run that takes longer, because its shop or Sage is slow to answer, no longer holds its worker: another run is begun beside it.
const SLOW: std::time::Duration = std::time::Duration::from_secs(2);
/// So many slow runs go on beside a worker's next one; each is of another Sage business.
const SLOW_RUNS: usize = 32;

/// For how long invitations are kept that are used, withdrawn or past their time: they hold addresses.
const INVITATIONS_KEPT: TimeDelta = TimeDelta::days(90);

/// For how long alerts are kept.
const ALERTS_KEPT: TimeDelta = TimeDelta::days(90);

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
        self.spawn_outbox(&mut tasks, Alerts::WEBHOOKS, &shutdown);
        self.spawn_outbox(&mut tasks, Alerts::LETTERS, &shutdown);
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
            "a loop of the worker ended by a panic and begins anew; what it held comes back when its lease ends"
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

/// Takes the next run that is due, and begins to keep its lease.
async fn claim(engine: &Engine, worker: &str) -> Option<(Claimed, Lease)> {
    let (now, asked_at) = (engine.outside.now(), engine.outside.uptime());
    let attempt = AttemptId(engine.outside.id());
    match engine.store.claim_run(attempt, worker, now, now + engine.timing.lease).await {
        Ok(claimed) => claimed.map(|claimed| {
            let fence = Fence { run_id: claimed.run.id, attempt_id: claimed.attempt_id };
            (claimed, lease(engine, fence, asked_at))
        }),
        Err(problem) => {
            warn!(error = %problem, "no run could be claimed");
            None
        }
    }
}

/// The lease of a run, kept from now on; each extension is a sign of life as well.
fn lease(engine: &Engine, fence: Fence, asked_at: std::time::Duration) -> Lease {
    let (store, outside) = (Arc::clone(&engine.store), Arc::clone(&engine.outside));
    let (pulse, lease) = (Arc::clone(&engine.pulse), engine.timing.lease);
    Lease::keep(Arc::clone(&engine.outside), lease.to_std().unwrap_or_default(), asked_at, move || {
        let store = Arc::clone(&store);
        let now = outside.now();
        pulse.of_runs(now);
        async move { store.extend_lease(fence, now, now + lease).await }
    })
}

async fn work_runs(engine: &Arc<Engine>, name: &str, shutdown: &CancellationToken) {
    let mut changes = engine.store.changes();
    let mut slow = VecDeque::new();
    while !shutdown.is_cancelled() {
        changes.mark_unchanged();
        engine.pulse.of_runs(engine.outside.now());
        slow.retain(|run: &JoinHandle<()>| !run.is_finished());
        if slow.len() >= SLOW_RUNS
            && let Some(oldest) = slow.pop_front()
        {
            ended(oldest.await);
            continue;
        }
        if let Some((claimed, lease)) = claim(engine, name).await {
            let engine = Arc::clone(engine);
            let mut run = tokio::spawn(async move { work_one(&engine, &claimed, &lease).await });
            match timeout(SLOW, &mut run).await {
                Ok(done) => ended(done),
                Err(_) => slow.push_back(run),
            }
            continue;
        }
        let due = engine.store.next_due().await;
        rest(engine, due, &mut changes, shutdown).await;
    }
    for run in slow {
        ended(run.await);
    }
}

/// A run's task never fails: what goes wrong within an attempt is caught there.
fn ended(task: Result<(), JoinError>) {
    if let Err(problem) = task {
        error!(error = %problem, "a run's task ended by a panic; it comes back when its lease ends");
    }
}

/// Rests until something is due, a run changes, or the worker is to stop; between a blink and the poll's length.
pub(crate) async fn rest(
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

/// Works a run until it ends, or until another worker has taken it over.
async fn work_one(engine: &Engine, claimed: &Claimed, lease: &Lease) {
    let _under_way = engine.under_way.begin(Work::Run);
    let span = info_span!(
        "run",
        run = %claimed.run.id, binding = %claimed.run.binding_id, event = %claimed.run.event,
        magento_id = claimed.run.magento_id, attempt = claimed.attempt_number,
        trace = claimed.run.trace_parent.as_deref().and_then(trace::trace_id)
    );
    trace::continue_trace(&span, claimed.run.trace_parent.as_deref());
    let work = async {
        tokio::select! {
            finish = process::process(engine, claimed, lease) => record(engine, claimed, &finish).await,
            () = lease.taken_over() => warn!("another worker has taken the run over; this one lets it go"),
        }
    };
    work.instrument(span).await;
}

/// Records what came of an attempt.
async fn record(engine: &Engine, claimed: &Claimed, finish: &FinishRun) {
    let code = code_of(&finish.outcome);
    info!(
        status = %finish.outcome.status(), code, sage = finish.facts.sage_reference.as_deref(),
        "attempt ended"
    );
    count(&claimed.run, finish);
    if finish.outcome == Outcome::Succeeded {
        engine.unanswered.forget(claimed.run.binding_id);
    }
    if let Err(problem) = engine.store.finish_run(finish).instrument(debug_span!("finish")).await {
        error!(error = %problem, "the attempt's end could not be recorded; the run comes back when its lease ends");
    }
}

/// Why it did not succeed.
const fn code_of(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Succeeded => None,
        Outcome::Skipped { code, .. }
        | Outcome::Failed { code, .. }
        | Outcome::Waiting { code, .. }
        | Outcome::Retrying { code, .. }
        | Outcome::Resting { code, .. } => Some(code.as_str()),
    }
}

/// Counts an attempt by what came of it.
fn count(run: &Run, finish: &FinishRun) {
    let code = code_of(&finish.outcome).unwrap_or_default();
    meters::attempt(run.event.as_str(), finish.outcome.word(finish.outcome.status()), code);
    if finish.outcome == Outcome::Succeeded
        && let Ok(since_saved) = (finish.now - run.occurred_at).to_std()
    {
        meters::document(run.event.as_str(), since_saved);
    }
}

/// Carries on the retries of many runs that people have begun, here or in a process that is no more, and lets go on what waited for
/// settings that were saved.
async fn work_bulk_retries(engine: &Engine, shutdown: &CancellationToken) {
    while !shutdown.is_cancelled() {
        if !advance_bulk_retries(engine).await {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = sleep(BREATH) => {}
            }
        }
    }
}

/// One round of it; `false` when there is nothing to do now.
async fn advance_bulk_retries(engine: &Engine) -> bool {
    let running = engine.store.running_bulk_retries().await.unwrap_or_else(|problem| {
        warn!(error = %problem, "it could not be read which retries go on");
        Vec::new()
    });
    let mut has_moved = engine.store.release_held(engine.outside.now()).await.unwrap_or_else(|problem| {
        warn!(error = %problem, "runs that waited for the settings could not be let go on");
        false
    });
    for bulk in running {
        match engine.store.advance_bulk_retry(bulk, &*engine.outside).await {
            Ok(advance) => has_moved |= advance == Advance::Moved,
            Err(problem) => {
                warn!(bulk_retry = %bulk, error = %problem, "a retry of many could not be carried on");
            }
        }
    }
    has_moved
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

async fn work_upkeep(engine: &Engine, shutdown: &CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = sleep(UPKEEP_EVERY) => {}
        }
        keep_up(engine).await;
    }
}

/// Clears away what has ended, and fetches what is stale: one round of the upkeep that a worker does by itself.
pub async fn keep_up(engine: &Engine) {
    let now = engine.outside.now();
    if let Err(problem) = engine.store.purge_tokens(now).await {
        warn!(error = %problem, "used tokens could not be cleared away");
    }
    if let Err(problem) = engine.store.purge_sessions(now).await {
        warn!(error = %problem, "ended sessions could not be cleared away");
    }
    if let Err(problem) = engine.store.purge_sign_ins(now).await {
        warn!(error = %problem, "ended sign-ins could not be cleared away");
    }
    if let Err(problem) = engine.store.purge_invitations(now - INVITATIONS_KEPT).await {
        warn!(error = %problem, "old invitations could not be cleared away");
    }
    if let Err(problem) = engine.store.purge_alerts(now - ALERTS_KEPT).await {
        warn!(error = %problem, "old alerts could not be cleared away");
    }
    if let Err(problem) = engine.store.forget_hours(now - HOURS_ARE_KEPT).await {
        warn!(error = %problem, "old counts could not be cleared away");
    }
    if let Err(problem) = engine.give_up_old_consents().await {
        warn!(error = %problem, "abandoned consents could not be looked for");
    }
    let bindings = engine.store.list_all_bindings().await.unwrap_or_else(|problem| {
        warn!(error = %problem, "the bindings could not be read for their upkeep");
        Vec::new()
    });
    refresh_stale_references(engine, &bindings, now).await;
    check_connections(engine, &bindings, now).await;
}

/// Asks each shop once in a while whether it still takes our tokens, which is the only way to hear of a disconnection that was
/// announced to nobody, or of a proxy that was fixed; and Sage, where it refused, whether that was its last word.
async fn check_connections(engine: &Engine, bindings: &[Binding], now: DateTime<Utc>) {
    let checks = bindings
        .iter()
        .filter(|binding| matches!(binding.status, BindingStatus::Active | BindingStatus::NeedsReauth));
    stream::iter(checks).for_each_concurrent(CHECKS, |binding| check_connection(engine, binding, now)).await;
}

async fn check_connection(engine: &Engine, binding: &Binding, now: DateTime<Utc>) {
    let (name, holder) = (format!("check:{}", binding.id), engine.outside.uuid_v4().to_string());
    // Never given back: it keeps every process from the next check until it runs out.
    let is_due = engine.store.acquire_lease(&name, &holder, now, now + CHECKED_EVERY).await;
    if !is_due.unwrap_or(false) {
        return;
    }
    if binding.status == BindingStatus::Active {
        engine.ask_shop(binding).await;
        if let Err(problem) = backfill::search_on(engine, binding.id, now).await {
            warn!(binding = %binding.id, error = %problem, "it could not be seen whether the shop is to be searched on");
        }
        return;
    }
    match engine.store.refusal(binding.id).await {
        Ok(Some(Code::MagentoAuth)) => drop(engine.ask_shop(binding).await),
        Ok(Some(Code::SageAuth)) => {
            // What it finds is the answer; that Sage still refuses is no news.
            let _still_refused = engine.refresh_reference(binding, None).await;
        }
        _ => {}
    }
}

/// Fetches again the reference sets that are older than a day. The call also keeps idle connections alive, those of paused shops too: it
/// refreshes their tokens, which Sage lets die after 31 days.
async fn refresh_stale_references(engine: &Engine, bindings: &[Binding], now: DateTime<Utc>) {
    let is_connected =
        |binding: &&Binding| matches!(binding.status, BindingStatus::Active | BindingStatus::Paused);
    for binding in bindings.iter().filter(is_connected) {
        let is_stale = match engine.store.reference(binding.id).await {
            Ok(Some(cached)) => now - cached.fetched_at > TimeDelta::hours(24),
            Ok(None) => true,
            Err(_) => false,
        };
        if is_stale && let Err(problem) = engine.refresh_reference(binding, None).await {
            warn!(binding = %binding.id, error = %problem, "the reference set could not be refreshed");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_panics_begins_anew() {
        let (begun, shutdown) = (AtomicU32::new(0), CancellationToken::new());
        kept_up(&shutdown, || async {
            assert!(begun.fetch_add(1, Ordering::Relaxed) >= 2, "a fault");
        })
        .await;
        assert_eq!(begun.into_inner(), 3);
    }
}
