//! An invoice whose sums were edited in Magento after it was posted: what is set against it would be set against other sums.

use domain::{
    code::Code,
    documents::Invoice,
    money,
    plan::Expect,
    run::{EventName, RunStatus},
    xref::{XrefKey, XrefKind},
};

use super::originals;
use crate::{
    attempt::{disposition::AttemptError, log::AttemptLog, sage_answers, work::Work},
    posting::sums::difference,
};

/// Stops where Magento shows another total of an invoice than when it was posted, unless Sage shows the new one by now: somebody has
/// corrected it there.
pub async fn ensure_sums_stand(
    work: &Work<'_>,
    log: &mut AttemptLog,
    invoice: &Invoice,
) -> Result<(), AttemptError> {
    let (store, id) = (&work.engine.store, invoice.magento_id);
    let run = store.latest_run_of_event(work.binding.id, EventName::InvoiceCreated, id).await?;
    let posted = run.filter(|run| run.status == RunStatus::Succeeded).and_then(|run| run.facts.amount_minor);
    if posted.is_none() || posted == money::to_minor(invoice.grand_total) {
        return Ok(());
    }
    let key = XrefKey { kind: XrefKind::Invoice, magento_key: id.to_string() };
    let found = store.xrefs(work.binding.id, &work.business.id, &[key]).await?;
    let Some(record) = found.first() else { return Ok(()) };
    let shown = originals::invoice(work, log, &record.sage_id, Some(record.created_at)).await?;
    let Some(answer) = shown.as_ref().and_then(sage_answers::answer_of) else { return Ok(()) };
    let expect = Expect { total: invoice.grand_total, tax: None, base_total: None };
    match difference(&expect, &answer, None) {
        Some(sums) => Err(AttemptError::new(Code::TotalsMismatchAfterPost, sums)),
        None => Ok(()),
    }
}
