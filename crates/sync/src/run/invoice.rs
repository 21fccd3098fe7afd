//! Invoices and their payments.

use std::sync::Arc;

use domain::{
    code::Code,
    documents::Invoice,
    plan::Plan,
    run::{EventName, RunStatus},
    translate::{Context, plan_invoice, plan_payment, wanted_xrefs, with_contact_news},
    xref::XrefKind,
};
use store::Outcome;

use super::follow::follow;
use crate::{
    attempt::{
        disposition::{Course, Stop},
        fetch,
        known::Known,
        log::Gathered,
        planning::planned,
        work::Work,
    },
    connection::shop::Shop,
};

/// An invoice is planned and posted.
pub async fn created(work: &Work<'_>, shop: &Shop, gathered: &mut Gathered) -> Result<Outcome, Stop> {
    let invoice = fetch::invoice(work, shop, gathered).await?;
    carry_out(work, gathered, invoice, plan_invoice).await
}

/// A payment waits for its invoice; when no run of the invoice exists it syncs the invoice itself.
pub async fn paid(work: &Work<'_>, shop: &Shop, gathered: &mut Gathered) -> Result<Outcome, Stop> {
    let run = &work.claimed.run;
    wait_for_invoice(work, run.magento_id).await?;
    let invoice = fetch::invoice(work, shop, gathered).await?;
    let payment = fetch::payment(work, shop, gathered).await?;
    let plan = move |invoice: &Invoice, context: &Context<'_>| plan_payment(invoice, &payment, context);
    carry_out(work, gathered, invoice, plan).await
}

/// Stops unless the run of this invoice has ended well, or there is none.
pub async fn wait_for_invoice(work: &Work<'_>, invoice: i64) -> Result<(), Stop> {
    let store = &work.engine.store;
    let parent = store.latest_run_of_event(work.binding.id, EventName::InvoiceCreated, invoice).await?;
    let code = match parent.map(|parent| parent.status) {
        None | Some(RunStatus::Succeeded) => return Ok(()),
        Some(RunStatus::SkippedByPolicy) => Code::InvoiceNotSynced,
        Some(_) => Code::WaitingForInvoice,
    };
    Err(Stop { course: Course::WaitForInvoice(invoice), ..Stop::plain(code) })
}

/// Plans an invoice or its payment with what is known of them, and performs the plan.
async fn carry_out(
    work: &Work<'_>,
    gathered: &mut Gathered,
    invoice: Invoice,
    plan: impl FnOnce(&Invoice, &Context<'_>) -> Plan + Send + 'static,
) -> Result<Outcome, Stop> {
    let known = Known::of(work, gathered, &wanted_xrefs(&invoice, &work.policy, &work.reference)).await?;
    let known = Arc::new(known.with_customer(work, &invoice.customer));
    gathered.invoice_record = known.record(XrefKind::Invoice).cloned();
    let told = Arc::clone(&known);
    let plan = move |context: &Context<'_>| {
        with_contact_news(plan(&invoice, context), &invoice, &told.told, context)
    };
    let plan = planned(work, &known, plan).await?;
    follow(work, gathered, &plan, &known).await
}
