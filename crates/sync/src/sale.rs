//! A credit memo never goes before its sale: credit without a sale would make the VAT too low and leave the refund unpaid.

use chrono::TimeDelta;
use domain::{
    code::Code,
    documents::{CreditMemo, InvoiceState},
    ids::{EventId, RunId},
    money,
    run::EventName,
    xref::{XrefKey, XrefKind},
};
use store::NewEvent;

use crate::{
    decide::{Course, Stop},
    fetch::{self, Shop, email_digest},
    process::{Gathered, Work, wait_for_invoice},
};

/// How long a memo that names no invoice waits by itself for a sale to its customer; Magento's module gives up on an event within a day.
const WAITS_FOR_SALE: TimeDelta = TimeDelta::days(2);
/// The shortest and the longest rest of such a memo between two looks.
const SOONEST: TimeDelta = TimeDelta::seconds(2);
const LATEST: TimeDelta = TimeDelta::hours(6);

/// Stops until the memo's sale is in Sage, as far as the memo tells which it is.
pub async fn wait_for_sale(
    work: &Work<'_>,
    shop: &Shop,
    gathered: &mut Gathered,
    memo: &CreditMemo,
) -> Result<(), Stop> {
    match memo.invoice_id {
        Some(invoice) => {
            ask_for_invoice(work, shop, gathered, invoice).await?;
            wait_for_invoice(work, invoice).await
        }
        None => ensure_covered(work, memo).await,
    }
}

/// The event of the memo's invoice may be late or lost: unless the invoice is in Sage or has a run, it is queued as its own events would
/// queue it, so that they find its runs there.
async fn ask_for_invoice(
    work: &Work<'_>,
    shop: &Shop,
    gathered: &mut Gathered,
    invoice: i64,
) -> Result<(), Stop> {
    let store = &work.engine.store;
    let run = store.latest_run_of_event(work.binding.id, EventName::InvoiceCreated, invoice).await?;
    let key = XrefKey { kind: XrefKind::Invoice, magento_key: invoice.to_string() };
    let posted = store.xrefs(work.binding.id, &work.business.id, &[key]).await?;
    if run.is_some() || !posted.is_empty() {
        return Ok(());
    }
    let document = fetch::invoice_of(work, shop, gathered, invoice).await?;
    let paid = (document.state == InvoiceState::Paid).then_some(EventName::InvoicePaid);
    for event in [EventName::InvoiceCreated].into_iter().chain(paid) {
        store.receive(&event_of(work, event, invoice)).await?;
    }
    Ok(())
}

/// The event as the shop's module would post it.
fn event_of(work: &Work<'_>, event: EventName, magento_id: i64) -> NewEvent {
    let (outside, now) = (&work.engine.outside, work.engine.outside.now());
    NewEvent {
        id: EventId(outside.id()),
        run_id: RunId(outside.id()),
        binding_id: work.binding.id,
        event,
        idempotency_key: format!("{event}:{magento_id}"),
        magento_id,
        increment_id: None,
        website_id: 0,
        store_id: 0,
        body: "{}".to_owned(),
        occurred_at: work.claimed.run.occurred_at,
        received_at: now,
        token: None,
        trace_parent: work.claimed.run.trace_parent.clone(),
    }
}

/// A memo that was made from its order names neither invoice nor order: what was posted for its customer must cover it. Until then it
/// looks again, ever more rarely, and in the end waits for somebody.
async fn ensure_covered(work: &Work<'_>, memo: &CreditMemo) -> Result<(), Stop> {
    let currency = memo.currency.to_string();
    let posted = match email_digest(&memo.customer) {
        Some(digest) => work.engine.store.posted_for(work.binding.id, &digest, &currency).await?,
        None => store::Posted::default(),
    };
    let left = posted.invoiced_minor - posted.credited_minor;
    if money::to_minor(money::round2(memo.grand_total)).is_some_and(|total| total <= left) {
        return Ok(());
    }
    let message = format!(
        "The credit memo is {} {currency}; what Ledger has posted for this customer and not credited yet is {} {currency}.",
        money::text(money::round2(memo.grand_total)),
        money::text(money::from_minor(left)),
    );
    let stop = Stop::new(Code::SaleNotInSage, message);
    let now = work.engine.outside.now();
    let age = now - work.claimed.run.created_at;
    if age >= WAITS_FOR_SALE {
        return Err(stop);
    }
    Err(Stop { course: Course::RestUntil(now + (age / 4).clamp(SOONEST, LATEST)), ..stop })
}
