//! Sync states to Magento, from their own queue with their own retries: many shops at once, one state at a time to each, and always the
//! newest there is.

use chrono::{DateTime, Utc};
use domain::{code::Code, retry, run::BindingStatus};
use magento::{Class, Shop, SyncStateBody, SyncStatus, TransportFailure};
use messages::message;
use store::{Delivery, Failed, Targets};
use tokio::time::timeout;
use tracing::{Instrument, Span, debug, debug_span, warn};

use crate::{
    Engine,
    attempt::disposition::{AttemptError, Disposition},
    connection::shop,
    delivery::outbox::{DeliveryLease, Outbox},
    run::outage,
    trace,
    under_way::WorkKind,
};

/// How many shops are told something at once: a shop that hangs costs a connection, and no other shop waits for it.
const ROOM: usize = 64;

/// The sync states of all shops.
#[derive(Clone, Copy)]
pub struct SyncStates;

impl Outbox for SyncStates {
    type Message = Delivery;

    fn room(self) -> usize {
        ROOM
    }

    async fn claim(
        self,
        engine: &Engine,
        hold: DeliveryLease,
        targets: Targets,
    ) -> store::Result<Option<Delivery>> {
        engine.store.claim_delivery(hold.now, hold.until, targets).await
    }

    fn is_doubtful(delivery: &Delivery) -> bool {
        delivery.rests > 0
    }

    async fn send(self, engine: &Engine, delivery: Delivery, _: DeliveryLease) -> store::Result<()> {
        let _under_way = engine.under_way.begin(WorkKind::SyncState);
        let span = span(&delivery);
        deliver(engine, delivery).instrument(span).await
    }

    async fn next_due(self, engine: &Engine, targets: Targets) -> store::Result<Option<DateTime<Utc>>> {
        engine.store.next_delivery_due(targets).await
    }

    fn beat(self, engine: &Engine) {
        engine.heartbeat.of_deliveries(engine.environment.now());
    }
}

/// Why a state was not taken.
struct Refused {
    error: AttemptError,
    /// Whether Magento may still act on it.
    may_arrive: bool,
    /// Whether the shop is left alone for a while, and for how many seconds at least.
    rests: Option<i64>,
    /// Whether the module refuses this very state.
    is_final: bool,
}

impl From<AttemptError> for Refused {
    fn from(error: AttemptError) -> Self {
        Self { error, may_arrive: false, rests: None, is_final: false }
    }
}

impl From<magento::Error> for Refused {
    fn from(error: magento::Error) -> Self {
        let rests = match (&error, error.class()) {
            (magento::Error::Unreachable(_), _) => Some(0),
            (_, Class::Retry { after }) => after,
            _ => None,
        };
        let is_final = matches!(error, magento::Error::Refused { status: 400 | 422, .. });
        Self { may_arrive: error.may_arrive(), rests, is_final, error: error.into() }
    }
}

/// The span of a delivery, in the trace of the run that it speaks of.
fn span(delivery: &Delivery) -> Span {
    let (binding, state) = (delivery.binding_id, &delivery.state);
    let span = debug_span!("delivery", %binding, entity = %state.entity, magento_id = state.magento_id);
    trace::continue_trace(&span, delivery.trace_parent.as_deref());
    span
}

async fn deliver(engine: &Engine, claimed: Delivery) -> store::Result<()> {
    let shop = match shop(engine, &claimed).await {
        Ok(shop) => shop,
        Err(error) => return fail(engine, &claimed, error.into()).await,
    };
    // What was claimed may be old by now, and so may the claim.
    let hold = DeliveryLease::begin(engine);
    let Some(delivery) = engine.store.renew_delivery(&claimed, hold.now, hold.until).await? else {
        debug!(binding = %claimed.binding_id, "the shop is told by somebody else by now");
        return Ok(());
    };
    match tell(engine, &shop, &delivery, hold).await {
        Ok(()) => {
            metrics::delivery("delivered");
            debug!(binding = %delivery.binding_id, magento_id = delivery.state.magento_id, "sync state delivered");
            engine.store.delivery_arrived(&delivery, engine.environment.now()).await
        }
        Err(Refused { error: AttemptError { code: Code::LeaseLost, .. }, .. }) => {
            warn!(binding = %delivery.binding_id, "interrupted for too long: the state was not sent and is told again");
            Ok(())
        }
        Err(refused) => fail(engine, &delivery, refused).await,
    }
}

async fn fail(engine: &Engine, delivery: &Delivery, refused: Refused) -> store::Result<()> {
    let Refused { error, may_arrive, rests, is_final } = refused;
    let (disposition, code) = (error.disposition, error.code);
    let message = error.message.unwrap_or_else(|| code.sentence().to_owned());
    warn!(binding = %delivery.binding_id, attempt = delivery.attempts, error = message, "a sync state did not arrive");
    if disposition == Disposition::Reauthorise {
        let now = engine.environment.now();
        engine.store.note_refusal(delivery.binding_id, code).await?;
        let (active, refused) = (BindingStatus::Active, BindingStatus::NeedsReauth);
        engine.store.change_binding_status(delivery.binding_id, active, refused, now, None).await?;
    }
    let is_down = outage::is_shop_down(engine, delivery.binding_id, disposition).await;
    let after = match disposition {
        Disposition::Retry { after } | Disposition::Silent { after, .. } => after,
        _ => None,
    };
    let timing = &engine.timing;
    let (jitter, now) = (engine.jitter(), engine.environment.now());
    if is_down {
        // The shop rests, with all that it is to be told. No try counts, so that nothing is told later than its cause explains.
        let until = retry::outage(&timing.outage_schedule, delivery.rests, after, jitter, now);
        metrics::delivery("retrying");
        let uncounted = Delivery { attempts: delivery.attempts - 1, ..delivery.clone() };
        let failed = Failed { error: &message, next_at: Some(now), rests_until: Some(until), may_arrive };
        return engine.store.delivery_failed(&uncounted, failed).await;
    }
    let tries = u32::try_from(delivery.attempts.saturating_sub(1)).unwrap_or_default();
    // What the module refuses for good stays refused however often it is said; nothing else is given up.
    let next_at = (!is_final).then(|| retry::outage(&timing.delivery_schedule, tries, after, jitter, now));
    let rests_until =
        rests.and_then(|least| retry::rest(&timing.rest_schedule, delivery.rests, Some(least), jitter, now));
    metrics::delivery(if next_at.is_some() { "retrying" } else { "given_up" });
    engine.store.delivery_failed(delivery, Failed { error: &message, next_at, rests_until, may_arrive }).await
}

async fn shop(engine: &Engine, delivery: &Delivery) -> Result<Shop, AttemptError> {
    let binding = engine
        .store
        .binding(delivery.binding_id)
        .await?
        .ok_or_else(|| AttemptError::new(Code::Internal, message!(run_detail.shop_gone)))?;
    shop::shop(engine, &binding).await
}

async fn tell(engine: &Engine, shop: &Shop, delivery: &Delivery, hold: DeliveryLease) -> Result<(), Refused> {
    let state = &delivery.state;
    let status = SyncStatus::from_word(&state.status).ok_or_else(|| {
        AttemptError::new(Code::Internal, message!(run_detail.unknown_state, state = state.status))
    })?;
    let body = SyncStateBody::new(state.entity, state.magento_id, status, state.at)
        .sage(state.sage_id.as_deref(), state.sage_reference.as_deref())
        .skip_reason(state.skip_reason.as_deref())
        .error_code(state.error_code.as_deref());
    let posted = engine.magento.post_sync_state(shop, &body, hold.latest);
    match timeout(engine.timing.exchange, posted).await {
        Ok(answered) => answered.map(drop).map_err(Refused::from),
        Err(_) => Err(magento::Error::Unreachable(TransportFailure::TimedOut).into()),
    }
}
