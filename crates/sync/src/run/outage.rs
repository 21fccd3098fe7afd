//! Whether Sage or a shop is down, or one document is too much for it.
//!
//! A document that Sage answers with 500 for ever must fail one day; a document that met an outage must not, however long that lasts. The
//! difference is what the same side says of something harmless: after a call that got no proper answer it is asked for next to nothing,
//! and when that fails as well the side rests, for all that need it. While it rests nothing is claimed; then one run goes first and asks
//! the same again, before it fetches anything.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::{
    code::Code,
    ids::{BindingId, RunId},
    run::Side,
};
use sage::Connection;
use store::{Binding, BindingRests, Run};
use tokio::time::timeout;

use crate::{
    Engine,
    attempt::disposition::{Course, Stop},
    connection::{shop, tokens::StoredTokens},
};

/// Who answers next to nothing no sooner is taken for one that hangs: its other calls would take as long, all of them a worker's time.
const PROBE: Duration = Duration::from_secs(5);
/// Before anything is fetched: stops while Sage's circuit is open, or where a side that has rested still does not answer.
pub async fn ensure_up(engine: &Engine, binding: &Binding) -> Result<(), Stop> {
    if let Some(business) = &binding.business {
        engine.sage.limits().ensure_open(&business.id)?;
    }
    let rests = engine.store.rests(binding.id).await?;
    for side in Side::ALL.iter().copied().filter(|side| rests.of(*side).is_some()) {
        if let Some(stop) = probe(engine, binding, side).await {
            return Err(stop);
        }
    }
    Ok(())
}

/// After a call that got no proper answer: the same stop, as one of the document or of the whole side.
pub async fn judged(engine: &Engine, run: &Run, stop: Stop) -> Stop {
    let Course::Silent { side, after } = stop.course else { return stop };
    let is_down = match engine.store.binding(run.binding_id).await {
        Ok(Some(binding)) => probe(engine, &binding, side).await.is_some(),
        // Not for this to say.
        _ => false,
    };
    let is_down = is_down || side == Side::Sage && engine.unanswered.is_outage(run.binding_id, run.id);
    let course = if is_down { Course::Rests { side, after, until: None } } else { Course::Retry { after } };
    Stop { course, ..stop }
}

/// Rests in a row of the side that a stop makes rest; none where they cannot be read.
pub async fn rests_before(engine: &Engine, run: &Run, stop: &Stop) -> u32 {
    let Course::Rests { side, .. } = stop.course else { return 0 };
    let rests: BindingRests = engine.store.rests(run.binding_id).await.unwrap_or_default();
    rests.of(side).map_or(0, |rest| rest.rests)
}

/// Asks a side for next to nothing. None when it answers, whatever it answers; else why it rests, or that it refuses us.
async fn probe(engine: &Engine, binding: &Binding, side: Side) -> Option<Stop> {
    let stop = match side {
        Side::Sage => probe_sage(engine, binding).await,
        Side::Magento => probe_shop(engine, binding).await,
    }
    .err()?;
    match stop.course {
        Course::Silent { side, after } => {
            Some(Stop { course: Course::Rests { side, after, until: None }, ..stop })
        }
        Course::Rests { .. } | Course::Reauthorise => Some(stop),
        _ => None,
    }
}

async fn probe_sage(engine: &Engine, binding: &Binding) -> Result<(), Stop> {
    let Some(business) = &binding.business else { return Ok(()) };
    let tokens = StoredTokens::new(engine, binding.id);
    let sage = Connection::new(&engine.sage, &business.id, &tokens);
    match timeout(PROBE, sage.get("/user", &[])).await {
        Ok(answered) => Ok(answered.map(drop)?),
        Err(_) => Err(Stop {
            course: Course::Silent { side: Side::Sage, after: None },
            ..Stop::plain(Code::SageUnreachable)
        }),
    }
}

async fn probe_shop(engine: &Engine, binding: &Binding) -> Result<(), Stop> {
    let shop = shop::shop(engine, binding).await?;
    match timeout(PROBE, engine.magento.ping(&shop)).await {
        Ok(pinged) => Ok(pinged.map(drop)?),
        Err(_) => Err(magento::Error::Unreachable(magento::Lost::TimedOut).into()),
    }
}
