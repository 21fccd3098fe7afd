//! Sync states to Magento, from their own queue with their own retries.

use chrono::TimeDelta;
use domain::{code::Code, retry, run::BindingStatus};
use magento::{SyncStateBody, SyncStatus};
use store::Delivery;
use tracing::{Instrument, Span, debug, debug_span, warn};

use crate::{
    Engine,
    decide::{Course, Stop},
    fetch, trace,
};

/// How many deliveries are taken at once.
const BATCH: u32 = 20;

/// Delivers what is due, once; returns how many deliveries were tried.
pub async fn deliver_due(engine: &Engine) -> usize {
    let now = engine.outside.now();
    let deliveries = match engine.store.claim_deliveries(now, now + TimeDelta::seconds(120), BATCH).await {
        Ok(deliveries) => deliveries,
        Err(problem) => {
            warn!(error = %problem, "no sync state could be taken for delivery");
            return 0;
        }
    };
    for delivery in &deliveries {
        engine.pulse.of_deliveries(engine.outside.now());
        if let Err(problem) = deliver(engine, delivery).instrument(span(delivery)).await {
            warn!(error = %problem, "a delivery's end could not be recorded; it comes back when its lease ends");
        }
    }
    deliveries.len()
}

/// The span of a delivery, in the trace of the run that it speaks of.
fn span(delivery: &Delivery) -> Span {
    let (binding, state) = (delivery.binding_id, &delivery.state);
    let span = debug_span!("delivery", %binding, entity = %state.entity, magento_id = state.magento_id);
    trace::continue_trace(&span, delivery.trace_parent.as_deref());
    span
}

async fn deliver(engine: &Engine, delivery: &Delivery) -> store::Result<()> {
    match tell(engine, delivery).await {
        Ok(()) => {
            meters::delivery("delivered");
            debug!(binding = %delivery.binding_id, magento_id = delivery.state.magento_id, "sync state delivered");
            engine.store.delivery_arrived(delivery, engine.outside.now()).await
        }
        Err(stop) => {
            let message = stop.message.unwrap_or_else(|| stop.code.sentence().to_owned());
            if stop.course == Course::Reauthorise {
                let now = engine.outside.now();
                engine.store.note_refusal(delivery.binding_id, stop.code).await?;
                let (active, refused) = (BindingStatus::Active, BindingStatus::NeedsReauth);
                engine.store.change_binding_status(delivery.binding_id, active, refused, now).await?;
            }
            let attempts = u32::try_from(delivery.attempts).unwrap_or(u32::MAX);
            let schedule = &engine.timing.delivery_schedule;
            let (jitter, now) = (engine.jitter(), engine.outside.now());
            let next = match stop.course {
                // What the module refuses for good (a 400) stays refused however often it is said.
                Course::Final => None,
                Course::Retry { after } => retry::next(schedule, attempts, after, jitter, now),
                _ => retry::next(schedule, attempts, None, jitter, now),
            };
            meters::delivery(if next.is_some() { "retrying" } else { "given_up" });
            engine.store.delivery_failed(delivery, &message, next).await
        }
    }
}

async fn tell(engine: &Engine, delivery: &Delivery) -> Result<(), Stop> {
    let binding = engine
        .store
        .binding(delivery.binding_id)
        .await?
        .ok_or_else(|| Stop::new(Code::Internal, "the binding is gone"))?;
    let shop = fetch::shop(engine, &binding).await?;
    let state = &delivery.state;
    let status = SyncStatus::from_word(&state.status).ok_or_else(|| {
        Stop::new(Code::Internal, format!("{:?} is no state of Magento's grids", state.status))
    })?;
    let body = SyncStateBody::new(state.entity, state.magento_id, status, state.at)
        .sage(state.sage_id.as_deref(), state.sage_reference.as_deref())
        .skip_reason(state.skip_reason.as_deref())
        .error_code(state.error_code.as_deref());
    engine.magento.post_sync_state(&shop, &body).await?;
    Ok(())
}
