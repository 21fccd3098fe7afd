//! What is computed of a document, off the async threads and within a time limit: nobody else waits for it.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    thread,
    time::Duration,
};

use domain::{code::Code, plan::Plan};
use messages::message;
use posting::Context;
use tokio::{sync::oneshot, time::timeout};
use tracing::debug_span;

use super::{disposition::AttemptError, known::Known, log::AttemptLog, work::Work};

/// Plans with what is known, as a part of the trace.
pub async fn planned(
    work: &Work<'_>,
    known: &Arc<Known>,
    plan: impl FnOnce(&Context<'_>) -> Plan + Send + 'static,
) -> Result<Plan, AttemptError> {
    let (known, settings, reference) = (Arc::clone(known), work.settings.clone(), work.reference.clone());
    let (binding, business) = (work.binding.id, work.business.id.clone());
    let span = debug_span!("plan");
    let compute = move || span.in_scope(|| plan(&known.context(binding, &business, &settings, &reference)));
    computed(work.engine.timing.computing, compute).await
}

/// Keeps the plan as the audit trail has it: redacted.
pub async fn keep_plan(work: &Work<'_>, log: &mut AttemptLog, plan: &Plan) -> Result<(), AttemptError> {
    let (mut redactor, plan) = (std::mem::take(&mut log.redactor), plan.clone());
    let compute = move || (redactor.plan(&plan), redactor);
    let (plan, redactor) = computed(work.engine.timing.computing, compute).await?;
    (log.plan, log.redactor) = (Some(plan), redactor);
    Ok(())
}

/// By how much a computing thread stands back (nice(2)): where processors are scarce, the webhooks and pages of all go first.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Computes on a thread of its own. What takes longer than `limit` is left behind: it ends by itself, since what it computes with is
/// bounded.
pub async fn computed<T: Send + 'static>(
    limit: Duration,
    compute: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AttemptError> {
    let (done, result) = oneshot::channel();
    let work = move || {
        stand_back();
        // Nobody listens any more where the limit was exceeded.
        let _ = done.send(panic::catch_unwind(AssertUnwindSafe(compute)));
    };
    thread::Builder::new()
        .name("computing".to_owned())
        .spawn(work)
        .map_err(|error| AttemptError::new(Code::Internal, message!(run_detail.no_thread, error = error)))?;
    match timeout(limit, result).await {
        Ok(Ok(Ok(done))) => Ok(done),
        Ok(Ok(Err(fault))) => panic::resume_unwind(fault),
        Ok(Err(_)) => Err(AttemptError::plain(Code::Internal)),
        Err(_) => Err(AttemptError::plain(Code::PlanTooSlow)),
    }
}

/// Linux has a niceness for each thread; elsewhere it is the whole process's, and is left alone.
fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "a computing thread keeps its priority");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn what_takes_too_long_ends_its_own_attempt_and_holds_up_nothing() {
        let (release, released) = mpsc::channel::<()>();
        let error = computed(SOON, move || released.recv().is_ok()).await.unwrap_err();
        assert_eq!(error.code, Code::PlanTooSlow);
        assert!(!error.code.is_retryable());
        assert_eq!(computed(Duration::from_secs(30), || 7).await.unwrap(), 7);
        drop(release);
    }

    #[tokio::test]
    #[should_panic(expected = "a fault")]
    async fn a_panic_is_the_attempts_own() {
        drop(computed(Duration::from_secs(30), || panic!("a fault")).await);
    }
}
