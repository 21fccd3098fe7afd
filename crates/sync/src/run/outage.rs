//! Whether Sage or a shop is down, or one document is too much for it.
//!
//! A document that Sage answers with 500 for ever must fail one day; a document that met an outage must not, however long that lasts. The
//! difference is what the same side says of something harmless: after a call that got no proper answer it is asked for next to nothing,
//! and when that fails as well the side rests, for all that need it. While it rests nothing is claimed; then one run goes first and asks
//! the same again, before it fetches anything.

use std::time::Duration;

use domain::{code::Code, run::Side};
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

/// After a call that got no proper answer: the same error, as one of the document or of the whole side.
pub async fn judged(engine: &Engine, run: &Run, error: AttemptError) -> AttemptError {
    let Disposition::Silent { side, after } = error.disposition else { return error };
    let is_down = match engine.store.binding(run.binding_id).await {
        Ok(Some(binding)) => probe(engine, &binding, side).await.is_some(),
        // Not for this to say.
        _ => false,
    };
    let is_down = is_down || side == Side::Sage && engine.unanswered.is_outage(run.binding_id, run.id);
    let disposition =
        if is_down { Disposition::Rests { side, after, until: None } } else { Disposition::Retry { after } };
    AttemptError { disposition, ..error }
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
        Disposition::Silent { side, after } => {
            Some(AttemptError { disposition: Disposition::Rests { side, after, until: None }, ..error })
        }
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
    match timeout(PROBE, engine.magento.ping(&shop)).await {
        Ok(pinged) => Ok(pinged.map(drop)?),
        Err(_) => Err(magento::Error::Unreachable(magento::Lost::TimedOut).into()),
    }
}
