//! Whether Sage or a shop is down, or one document is too much for it.
//!
//! A document that Sage answers with 500 for ever must fail one day; a document that met an outage must not, however long that lasts. The
//! difference is what the same side says of something harmless: after a call that got no proper answer it is asked for next to nothing,
//! and when that fails as well the side rests, for all that need it. While it rests nothing is claimed; then one run goes first and asks
//! the same again, before it fetches anything. Three documents in a row that are not answered are an outage as well; but where Sage
//! answers that question, the other documents have their turns before those have their next, so that three bad ones stop nobody. One or two,
//! and whatever failed before another one of its kind got through, are tried by the schedule, and then at a low pace for a week, unless
//! another one of the same kind gets through meanwhile.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{code::Code, ids::BindingId, retry, run::Side};
use sage::Connection;
use store::{Binding, BindingRests, Run};
use tokio::time::timeout;

use crate::{
    Engine,
    attempt::disposition::{AttemptError, Disposition},
    connection::{shop, tokens::StoredTokens},
};

/// Who answers next to nothing no sooner is taken for one that hangs: its other calls would take as long, all of them a worker's time.
const PROBE: Duration = Duration::from_secs(5);
/// Before anything is fetched: stops while Sage's circuit is open, or where a side that has rested still does not answer.
pub async fn ensure_up(engine: &Engine, binding: &Binding) -> Result<(), AttemptError> {
    if let Some(business) = &binding.business {
        engine.sage.limits().ensure_open(&business.id)?;
    }
    let rests = engine.store.rests(binding.id).await?;
    for side in Side::ALL.iter().copied().filter(|side| rests.of(*side).is_some()) {
        if let Some(error) = probe(engine, binding, side).await {
            return Err(error);
        }
    }
    Ok(())
}

/// After a call that got no proper answer, or a refusal of the shop's: the same error, as one of the document or of the whole side.
pub async fn judged(engine: &Engine, run: &Run, error: AttemptError) -> AttemptError {
    match error.disposition {
        Disposition::Silent { side, after } => silent(engine, run, error, (side, after)).await,
        // A shop that is being deployed knows neither its documents nor its routes.
        Disposition::Refused { side } => {
            down(engine, run, side).await.unwrap_or(AttemptError { disposition: Disposition::Final, ..error })
        }
        _ => error,
    }
}

async fn silent(
    engine: &Engine,
    run: &Run,
    error: AttemptError,
    (side, after): (Side, Option<i64>),
) -> AttemptError {
    let is_down = down(engine, run, side).await.is_some();
    let are_several = engine.unanswered.is_outage(run.binding_id, side, (run.id, run.event));
    let disposition = match side {
        _ if is_down => Disposition::Rests { side, after, until: None, by_turns: false },
        // Others may get through, and then it is known which ones do not.
        Side::Sage if are_several => Disposition::Rests { side, after, until: None, by_turns: true },
        // The shop answers a ping, and may answer for other documents: each of these rests alone, and holds up nobody.
        Side::Magento if are_several => Disposition::RestUntil(rest_alone(engine)),
        _ => Disposition::Retry { after },
    };
    AttemptError { disposition, ..error }
}

/// Why a side is down; none when it answers, or where that is not for this to say.
async fn down(engine: &Engine, run: &Run, side: Side) -> Option<AttemptError> {
    let binding = engine.store.binding(run.binding_id).await.ok()??;
    probe(engine, &binding, side).await
}

/// After a state that a shop did not take: whether it is the shop that is down, and not this state.
pub async fn is_shop_down(engine: &Engine, binding: BindingId, disposition: Disposition) -> bool {
    let is_the_shops = matches!(
        disposition,
        Disposition::Silent { .. } | Disposition::Refused { .. } | Disposition::Reauthorise
    );
    let binding = engine.store.binding(binding).await.ok().flatten().filter(|_| is_the_shops);
    match binding {
        Some(binding) => probe(engine, &binding, Side::Magento).await.is_some(),
        None => false,
    }
}

/// The longest wait between two looks at a side that is down.
fn rest_alone(engine: &Engine) -> DateTime<Utc> {
    retry::outage(&engine.timing.outage_schedule, u32::MAX, None, engine.jitter(), engine.environment.now())
}

/// Whether it is proved that this document is at fault, and not the side that does not answer: another one of its kind got through since
/// it was tried before.
pub async fn is_to_blame(engine: &Engine, run: &Run, error: &AttemptError) -> bool {
    match error.disposition {
        Disposition::Retry { .. } => {
            engine.store.others_succeeded(run.binding_id, run.event, run.id).await.unwrap_or(false)
        }
        _ => true,
    }
}

/// Rests in a row of the side that a error makes rest; none where they cannot be read.
pub async fn rests_before(engine: &Engine, run: &Run, error: &AttemptError) -> u32 {
    let Disposition::Rests { side, .. } = error.disposition else { return 0 };
    let rests: BindingRests = engine.store.rests(run.binding_id).await.unwrap_or_default();
    rests.of(side).map_or(0, |rest| rest.rests)
}

/// Asks a side for next to nothing. None when it answers, whatever it answers; else why it rests, or that it refuses us.
async fn probe(engine: &Engine, binding: &Binding, side: Side) -> Option<AttemptError> {
    let error = match side {
        Side::Sage => probe_sage(engine, binding).await,
        Side::Magento => probe_shop(engine, binding).await,
    }
    .err()?;
    match error.disposition {
        Disposition::Silent { side, after } => Some(AttemptError {
            disposition: Disposition::Rests { side, after, until: None, by_turns: false },
            ..error
        }),
        Disposition::Rests { .. } | Disposition::Reauthorise => Some(error),
        _ => None,
    }
}

async fn probe_sage(engine: &Engine, binding: &Binding) -> Result<(), AttemptError> {
    let Some(business) = &binding.business else { return Ok(()) };
    let tokens = StoredTokens::new(engine, binding.id);
    let sage = Connection::new(&engine.sage, &business.id, &tokens);
    match timeout(PROBE, sage.get("/user", &[])).await {
        Ok(answered) => Ok(answered.map(drop)?),
        Err(_) => Err(AttemptError {
            disposition: Disposition::Silent { side: Side::Sage, after: None },
            ..AttemptError::plain(Code::SageUnreachable)
        }),
    }
}

async fn probe_shop(engine: &Engine, binding: &Binding) -> Result<(), AttemptError> {
    let shop = shop::shop(engine, binding).await?;
    match timeout(PROBE.min(engine.timing.exchange), engine.magento.ping(&shop)).await {
        Ok(pinged) => Ok(pinged.map(drop)?),
        Err(_) => Err(magento::Error::Unreachable(magento::TransportFailure::TimedOut).into()),
    }
}
