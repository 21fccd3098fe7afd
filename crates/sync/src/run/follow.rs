//! From a plan to its end.

use domain::{
    code::Code,
    plan::{Plan, Verdict},
    xref::XrefKind,
};
use store::Outcome;

use crate::{
    attempt::{
        disposition::{AttemptError, Disposition},
        known::Known,
        log::AttemptLog,
        planning::keep_plan,
        work::Work,
    },
    posting::execute,
};

/// Does what a plan says. What is in Sage already or may be there is finished as it was begun, also where today's settings would not
/// have posted it: it cannot be skipped or held any more.
pub async fn follow(
    work: &Work<'_>,
    log: &mut AttemptLog,
    plan: &Plan,
    known: &Known,
) -> Result<Outcome, AttemptError> {
    keep_plan(work, log, plan).await?;
    match plan.verdict {
        Verdict::Post => {
            execute::perform(work, log, plan, known).await?;
            Ok(Outcome::Succeeded)
        }
        Verdict::Skip | Verdict::Hold | Verdict::Fail => {
            let made = XrefKind::made_by(work.claimed.run.event).and_then(|kind| known.begun(kind));
            if let Some(key) = made.filter(|key| !known.xrefs.contains_key(*key))
                && execute::finish_begun(work, log, key, known).await?
            {
                return Err(AttemptError {
                    disposition: Disposition::PlanAgain,
                    ..AttemptError::plain(Code::Internal)
                });
            }
            let code = plan.code.unwrap_or(Code::Internal);
            // The code's own sentence is shown beside it anyway.
            let message = plan.message.clone().filter(|message| message != code.sentence());
            Err(AttemptError { message, ..AttemptError::plain(code) })
        }
    }
}
