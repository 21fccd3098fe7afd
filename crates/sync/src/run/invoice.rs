//! Invoices and their payments.

use std::sync::Arc;

use domain::{
    Decimal,
    code::Code,
    documents::Invoice,
    money::{self, round2},
    plan::Plan,
    run::{EventName, RunStatus},
    xref::{XrefKey, XrefKind},
};
use posting::{
    Context, plan_invoice, plan_payment, plan_payment_of_reduced, wanted_xrefs, with_contact_changes,
};
use store::Outcome;

use super::{edited::ensure_sums_stand, follow::follow, originals};
use crate::{
    attempt::{
        disposition::{AttemptError, Disposition},
        fetch,
        known::Known,
        log::AttemptLog,
        planning::planned,
        sage_answers,
        work::Work,
    },
    connection::shop::Shop,
};

/// An invoice is planned and posted.
pub async fn created(work: &Work<'_>, shop: &Shop, log: &mut AttemptLog) -> Result<Outcome, AttemptError> {
    let invoice = fetch::invoice(work, shop, log).await?;
    carry_out(work, log, invoice, plan_invoice).await
}

/// A payment waits for its invoice; when no run of the invoice exists it syncs the invoice itself.
pub async fn paid(work: &Work<'_>, shop: &Shop, log: &mut AttemptLog) -> Result<Outcome, AttemptError> {
    let run = &work.claimed.run;
    wait_for_invoice(work, run.magento_id).await?;
    let invoice = fetch::invoice(work, shop, log).await?;
    ensure_sums_stand(work, log, &invoice).await?;
    let payment = fetch::payment(work, shop, log).await?;
    let outstanding = outstanding(work, log, &invoice).await?;
    let plan = move |invoice: &Invoice, context: &Context<'_>| match outstanding {
        Some(outstanding) => plan_payment_of_reduced(invoice, &payment, outstanding, context),
        None => plan_payment(invoice, &payment, context),
    };
    carry_out(work, log, invoice, plan).await
}

/// What credit notes have left of an invoice; none where nothing was credited to its customer. Only as much as was credited may be
/// missing: an invoice that somebody has paid in Sage by hand is not paid again on account.
async fn outstanding(
    work: &Work<'_>,
    log: &mut AttemptLog,
    invoice: &Invoice,
) -> Result<Option<Decimal>, AttemptError> {
    let (store, business) = (&work.engine.store, &work.business.id);
    let (customer, currency) = (fetch::known_customer(&invoice.customer), invoice.currency.to_string());
    let posted = store.posted_for(work.binding.id, business, &customer, &currency, None).await?;
    if posted.credited_minor == 0 {
        return Ok(None);
    }
    let key = XrefKey { kind: XrefKind::Invoice, magento_key: invoice.magento_id.to_string() };
    let known = store.xrefs(work.binding.id, business, &[key]).await?;
    let Some(record) = known.first() else { return Ok(None) };
    let shown = originals::invoice(work, log, &record.sage_id, Some(record.created_at)).await?;
    let shown = shown.and_then(|shown| sage_answers::amount_of(&shown["outstanding_amount"]));
    let least = round2(invoice.grand_total) - money::from_minor(posted.credited_minor);
    Ok(shown.map(|outstanding| outstanding.max(least)))
}

/// Stops unless the run of this invoice has ended well, or there is none.
pub async fn wait_for_invoice(work: &Work<'_>, invoice: i64) -> Result<(), AttemptError> {
    let store = &work.engine.store;
    let parent = store.latest_run_of_event(work.binding.id, EventName::InvoiceCreated, invoice).await?;
    let code = match parent.map(|parent| parent.status) {
        None | Some(RunStatus::Succeeded) => return Ok(()),
        Some(RunStatus::SkippedByPolicy) => Code::InvoiceNotSynced,
        Some(_) => Code::WaitingForInvoice,
    };
    Err(AttemptError { disposition: Disposition::WaitForInvoice(invoice), ..AttemptError::plain(code) })
}

/// Plans an invoice or its payment with what is known of them, and performs the plan.
async fn carry_out(
    work: &Work<'_>,
    log: &mut AttemptLog,
    invoice: Invoice,
    plan: impl FnOnce(&Invoice, &Context<'_>) -> Plan + Send + 'static,
) -> Result<Outcome, AttemptError> {
    let known = Known::of(work, log, &wanted_xrefs(&invoice, &work.settings, &work.reference)).await?;
    let known = Arc::new(known.with_customer(work, &invoice.customer));
    log.invoice_record = known.record(XrefKind::Invoice).cloned();
    let told = Arc::clone(&known);
    let plan = move |context: &Context<'_>| {
        with_contact_changes(plan(&invoice, context), &invoice, &told.told, context)
    };
    let plan = planned(work, &known, plan).await?;
    follow(work, log, &plan, &known).await
}
