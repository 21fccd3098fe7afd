//! Invoices and their payments.

use std::sync::Arc;

use domain::{
    code::Code,
    documents::Invoice,
    plan::Plan,
    run::{EventName, RunStatus},
    xref::XrefKind,
};
use posting::{Context, plan_invoice, plan_payment, wanted_xrefs, with_contact_changes};
use store::Outcome;

use super::{edited::ensure_sums_stand, follow::follow};
use crate::{
    attempt::{
        disposition::{AttemptError, Disposition},
        fetch,
        known::Known,
        log::AttemptLog,
        planning::planned,
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
    let plan = move |invoice: &Invoice, context: &Context<'_>| plan_payment(invoice, &payment, context);
    carry_out(work, log, invoice, plan).await
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
    let known = Known::of(work, log, &wanted_xrefs(&invoice, &work.policy, &work.reference)).await?;
    let known = Arc::new(known.with_customer(work, &invoice.customer));
    log.invoice_record = known.record(XrefKind::Invoice).cloned();
    let told = Arc::clone(&known);
    let plan = move |context: &Context<'_>| {
        with_contact_changes(plan(&invoice, context), &invoice, &told.told, context)
    };
    let plan = planned(work, &known, plan).await?;
    follow(work, log, &plan, &known).await
}
