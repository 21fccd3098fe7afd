//! The loop of runs: claimed one by one, each worked to the end of its attempt and recorded.

use std::{collections::VecDeque, sync::Arc};

use domain::ids::AttemptId;
use store::{Claimed, Fence, FinishRun, Outcome, Run};
use tokio::{
    task::{JoinError, JoinHandle},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug_span, error, info, info_span, warn};

use crate::{Engine, attempt::lease::Lease, delivery::pace::rest, run::process, trace, under_way::WorkKind};

/// A run that takes longer, because its shop or Sage is slow to answer, no longer holds its worker: another run is begun beside it.
const SLOW: std::time::Duration = std::time::Duration::from_secs(2);
/// So many slow runs go on beside a worker's next one; each is of another Sage business.
const SLOW_RUNS: usize = 32;

/// Takes the next run that is due, and begins to keep its lease.
pub async fn claim(engine: &Engine, worker: &str) -> Option<(Claimed, Lease)> {
    let (now, asked_at) = (engine.environment.now(), engine.environment.uptime());
    let attempt = AttemptId(engine.environment.id());
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
    let (store, environment) = (Arc::clone(&engine.store), Arc::clone(&engine.environment));
    let (heartbeat, lease) = (Arc::clone(&engine.heartbeat), engine.timing.lease);
    Lease::keep(Arc::clone(&engine.environment), lease.to_std().unwrap_or_default(), asked_at, move || {
        let store = Arc::clone(&store);
        let now = environment.now();
        heartbeat.of_runs(now);
        async move { store.extend_lease(fence, now, now + lease).await }
    })
}

/// Claims and works runs until `shutdown`; what is under way by then is waited for.
pub async fn work_runs(engine: &Arc<Engine>, name: &str, shutdown: &CancellationToken) {
    let mut changes = engine.store.changes();
    let mut slow = VecDeque::new();
    while !shutdown.is_cancelled() {
        changes.mark_unchanged();
        engine.heartbeat.of_runs(engine.environment.now());
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

/// Works a run until it ends, or until another worker has taken it over.
pub async fn work_one(engine: &Engine, claimed: &Claimed, lease: &Lease) {
    let _under_way = engine.under_way.begin(WorkKind::Run);
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
        engine.unanswered.got_through(claimed.run.binding_id, claimed.run.event);
    }
    if let Err(problem) = engine.store.finish_run(finish).instrument(debug_span!("finish")).await {
        error!(error = %problem, "the attempt's end could not be recorded; the run comes back when its lease ends");
    }
}

/// Why it did not succeed.
fn code_of(outcome: &Outcome) -> Option<&'static str> {
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
    metrics::attempt(run.event.as_str(), finish.outcome.word(finish.outcome.status()), code);
    if finish.outcome == Outcome::Succeeded
        && let Ok(since_saved) = (finish.now - run.occurred_at).to_std()
    {
        metrics::document(run.event.as_str(), since_saved);
    }
}
