//! One claimed run: fetch, plan, execute, and what is to be recorded.

use std::panic::AssertUnwindSafe;

use domain::{
    code::Code,
    run::{BindingStatus, EventName},
};
use futures::FutureExt;
use store::{Claimed, Fence, FinishRun, Outcome};
use tracing::{error, warn};

use crate::{
    Engine,
    attempt::{
        disposition::{AttemptError, Disposition},
        lease::Lease,
        log::AttemptLog,
        work::{self, Work},
    },
    connection::shop::{self, Shop},
    run::{
        catalogue, credit_memo, invoice, outage,
        outcome::{self, Circumstances},
        sync_state::sync_state,
    },
};

/// Works a run to the end of this attempt. Never fails: what goes wrong becomes the outcome.
pub async fn process(engine: &Engine, claimed: &Claimed, lease: &Lease) -> FinishRun {
    let mut log = AttemptLog::default();
    let attempted = AssertUnwindSafe(attempt(engine, claimed, lease, &mut log)).catch_unwind().await;
    // A run that makes Ledger panic is tried again and then fails, as any other: it is not claimed for ever.
    let attempted = attempted.unwrap_or_else(|_| {
        error!(run = %claimed.run.id, "an attempt ended by a panic");
        Err(AttemptError::plain(Code::Internal))
    });
    let outcome = match attempted {
        Ok(outcome) => outcome,
        Err(error) => {
            if error.disposition == Disposition::Reauthorise {
                needs_reauth(engine, claimed, error.code).await;
            }
            let error = outage::judged(engine, &claimed.run, error).await;
            let rests = outage::rests_before(engine, &claimed.run, &error).await;
            let is_to_blame = outage::is_to_blame(engine, &claimed.run, &error).await;
            let circumstances = Circumstances { rests, is_to_blame };
            let message = error.message.map(|message| log.redactor.text(&message));
            outcome::outcome(engine, &claimed.run, AttemptError { message, ..error }, circumstances)
        }
    };
    let sync_state = sync_state(engine, claimed, &outcome, &log);
    FinishRun {
        fence: Fence { run_id: claimed.run.id, attempt_id: claimed.attempt_id },
        now: engine.environment.now(),
        outcome,
        facts: log.facts,
        xrefs: log.xrefs,
        sync_state,
        steps: log.steps,
        plan: log.plan,
        thresholds: engine.alerts.thresholds,
    }
}

/// When Sage or Magento refuses us for good, the binding says so and its runs wait; one that somebody disconnected or paused
/// meanwhile stays as it is.
async fn needs_reauth(engine: &Engine, claimed: &Claimed, code: Code) {
    let now = engine.environment.now();
    let id = claimed.run.binding_id;
    let begun = claimed.run.started_at.unwrap_or(claimed.run.created_at);
    if code == Code::MagentoAuth && engine.was_paired_since(id, begun).await {
        return;
    }
    let noted = engine.store.note_refusal(id, code).await;
    let (active, refused) = (BindingStatus::Active, BindingStatus::NeedsReauth);
    if let Err(problem) = noted.and(engine.store.change_binding_status(id, active, refused, now, None).await)
    {
        warn!(binding = %id, error = %problem, "the binding could not be marked as needing a new connection");
    }
}

async fn attempt(
    engine: &Engine,
    claimed: &Claimed,
    lease: &Lease,
    log: &mut AttemptLog,
) -> Result<Outcome, AttemptError> {
    let run = &claimed.run;
    let work = work::prepare(engine, claimed, lease).await?;
    outage::ensure_up(engine, &work.binding).await?;
    if let Some(exclusion) =
        engine.store.exclusion(run.binding_id, run.event.entity(), run.magento_id).await?
    {
        return Err(AttemptError::new(Code::Excluded, exclusion.reason));
    }
    let shop = shop::shop(engine, &work.binding).await?;
    let mut planned = 1;
    loop {
        // The largest future of all is kept off whoever waits for it.
        match Box::pin(work_event(&work, &shop, log)).await {
            Err(AttemptError { disposition: Disposition::PlanAgain, .. }) if planned < PLANS => planned += 1,
            ended => return ended,
        }
    }
}

/// How often a document is planned in one attempt: again when performing the plan has found a record that was not known, or that one
/// is gone. There are fewer kinds of such records in a plan.
const PLANS: usize = 5;

async fn work_event(work: &Work<'_>, shop: &Shop, log: &mut AttemptLog) -> Result<Outcome, AttemptError> {
    match work.claimed.run.event {
        EventName::InvoiceCreated => invoice::created(work, shop, log).await,
        EventName::InvoicePaid => invoice::paid(work, shop, log).await,
        EventName::CreditmemoCreated => credit_memo::creditmemo(work, shop, log).await,
        EventName::CustomerUpserted => catalogue::customer(work, shop, log).await,
        // Nothing has to be fetched to know this, and a shop saves its products often.
        EventName::ProductUpserted if !work.settings.sync_products => {
            Err(AttemptError::plain(Code::ProductsDisabled))
        }
        EventName::ProductUpserted => catalogue::product(work, shop, log).await,
    }
}
