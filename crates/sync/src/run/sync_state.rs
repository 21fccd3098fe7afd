//! What Magento's grids show of a run that has ended.

use domain::run::EventName;
use store::{Claimed, Outcome, SyncState};

use crate::{Engine, attempt::log::AttemptLog};

/// What Magento is told: nothing before the run has ended, and nothing of a payment that was only skipped.
pub fn sync_state(
    engine: &Engine,
    claimed: &Claimed,
    outcome: &Outcome,
    log: &AttemptLog,
) -> Option<SyncState> {
    let run = &claimed.run;
    let is_payment = run.event == EventName::InvoicePaid;
    let (status, skip_reason, error_code) = match outcome {
        Outcome::Succeeded => ("synced", None, None),
        Outcome::Skipped { .. } if is_payment => return None,
        Outcome::Skipped { code, .. } => ("skipped", Some(code.as_str().to_owned()), None),
        Outcome::Failed { code, .. } => ("failed", None, code.class().map(|class| class.as_str().to_owned())),
        Outcome::Waiting { .. } | Outcome::Retrying { .. } | Outcome::Resting { .. } => return None,
    };
    let (sage_id, sage_reference) = if is_payment {
        let record = log.invoice_record.clone();
        (record.as_ref().map(|record| record.sage_id.clone()), record.and_then(|record| record.displayed_as))
    } else {
        (log.facts.sage_id.clone(), log.facts.sage_reference.clone())
    };
    Some(SyncState {
        entity: run.event.entity(),
        magento_id: run.magento_id,
        status: status.to_owned(),
        sage_id,
        sage_reference,
        skip_reason,
        error_code,
        at: engine.environment.now(),
    })
}
