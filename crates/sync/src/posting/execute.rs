//! Performs a Plan: call by call, outside any transaction, each intent stored before its call and each answer after it.

use domain::{
    code::Code,
    money,
    plan::{Adopt, Call, Method, Plan},
    xref::{XrefKey, XrefKind},
};
use messages::message;
use store::{Intent, IntentKey};

use crate::{
    attempt::{
        disposition::{AttemptError, Disposition},
        known::Known,
        log::AttemptLog,
        work::Work,
    },
    connection::tokens::StoredTokens,
    posting::{
        execution::{PlanExecution, is_of_run},
        posted_record::{Origin, PostedRecord},
        sealed_call,
        sums::difference,
    },
};

/// Performs a plan's calls; what was made is in `log` also when a later call fails.
pub async fn perform(
    work: &Work<'_>,
    log: &mut AttemptLog,
    plan: &Plan,
    known: &Known,
) -> Result<(), AttemptError> {
    let tokens = StoredTokens::new(work.engine, work.binding.id);
    let mut execution = PlanExecution::new(work, &tokens, known);
    if let Some(predicted) = &plan.predicted {
        log.facts.sage_amount_minor = money::to_minor(predicted.total);
        log.facts.sage_tax_minor = money::to_minor(predicted.tax);
    }
    already_there(work, log, known);
    let mut calls = plan.calls.iter().peekable();
    while let Some(call) = calls.next() {
        let release = calls.next_if(|next| next.releases_draft);
        match call.method {
            Method::Post => execution.make(log, call, release).await?,
            Method::Put | Method::Delete => execution.change(log, call).await?,
        }
    }
    Ok(())
}

/// Finishes the create of a key that an earlier attempt began, as it was begun: whatever the settings say by now, Sage has the record
/// or may have it. Nothing to do where none was begun, or its call was not kept. What Sage refuses for good is left to the plan.
pub async fn finish_begun(
    work: &Work<'_>,
    log: &mut AttemptLog,
    key: &XrefKey,
    known: &Known,
) -> Result<bool, AttemptError> {
    let tokens = StoredTokens::new(work.engine, work.binding.id);
    let mut execution = PlanExecution::new(work, &tokens, known);
    let key = execution.key(key);
    let begun = execution.intent(&key).await?.filter(Intent::may_be_made);
    let Some(call) = begun.and_then(|intent| sealed_call::open(work.engine, &key, &intent)) else {
        return Ok(false);
    };
    match execution.make(log, &call, None).await {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.code, Code::SageValidation | Code::SageNotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What Sage holds of the run's document already is shown; what the plan makes takes its place.
fn already_there(work: &Work<'_>, log: &mut AttemptLog, known: &Known) {
    if let Some((_, record)) = known.xrefs.iter().find(|(key, _)| is_of_run(work.claimed.run.event, key.kind))
    {
        log.facts.sage_id = Some(record.sage_id.clone());
        log.facts.sage_reference.clone_from(&record.displayed_as);
    }
}

impl PlanExecution<'_> {
    /// Makes a record, compares its sums, and releases it where it was made as a draft.
    async fn make(
        &mut self,
        log: &mut AttemptLog,
        call: &Call,
        release: Option<&Call>,
    ) -> Result<(), AttemptError> {
        let Some(xref) = &call.xref else {
            return Err(AttemptError::new(
                Code::Internal,
                message!(run_detail.call_creates_nothing, call = call.name),
            ));
        };
        let key = self.key(xref);
        let mut posted_record = self.create(log, call, &key).await?;
        self.ids.note(&call.name, &posted_record.answer.sage_id);
        let expected = call.expect.as_ref();
        if let Some(sums) =
            expected.and_then(|expect| difference(expect, &posted_record.answer, posted_record.base_total))
        {
            return Err(self.refuse_sums(log, call, &key, &posted_record, release.is_some(), sums).await?);
        }
        match release {
            Some(release) => {
                let path = self.ids.fill_text(&release.path);
                posted_record.answer = self.release(log, call, &path, &key, &posted_record).await?;
            }
            // What an earlier attempt sent may have been a draft, whatever today's plan says.
            None if posted_record.origin != Origin::Fresh
                && matches!(xref.kind, XrefKind::Invoice | XrefKind::Creditmemo) =>
            {
                let path = format!("{}/{}/release", call.path, posted_record.answer.sage_id);
                posted_record.answer = self.release(log, call, &path, &key, &posted_record).await?;
            }
            None => {}
        }
        self.note(log, &key.xref, &posted_record.answer);
        // It may say something else than Magento does: a new plan knows it, and brings it up to date.
        let is_updated = matches!(call.adopt, Some(Adopt::Contact { .. } | Adopt::Item { .. }));
        if posted_record.origin == Origin::Adopted && is_updated {
            return Err(AttemptError {
                disposition: Disposition::PlanAgain,
                ..AttemptError::plain(Code::Internal)
            });
        }
        Ok(())
    }

    /// Sage shows other sums than Magento: a draft is taken back, and what is in the books is shown. It gets no cross-reference, so
    /// that the next try looks at it again instead of taking it for done.
    async fn refuse_sums(
        &self,
        log: &mut AttemptLog,
        call: &Call,
        key: &IntentKey,
        posted_record: &PostedRecord,
        is_made_as_draft: bool,
        sums: String,
    ) -> Result<AttemptError, AttemptError> {
        let is_draft = if posted_record.origin == Origin::Fresh {
            is_made_as_draft
        } else {
            self.released_already(log, call, posted_record).await?.is_none()
        };
        if is_draft {
            self.take_back_draft(log, call, key, &posted_record.answer).await?;
            // What Sage made of the draft, in place of what was expected of it.
            log.facts.sage_amount_minor = posted_record.answer.total_minor;
            log.facts.sage_tax_minor = posted_record.answer.tax_minor;
            return Ok(AttemptError::new(Code::TotalsMismatch, sums));
        }
        self.show(log, &key.xref, &posted_record.answer);
        Ok(AttemptError::new(Code::TotalsMismatchAfterPost, sums))
    }
}
