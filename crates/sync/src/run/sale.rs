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
use messages::message;
use store::NewEvent;

use crate::{
    attempt::{
        disposition::{AttemptError, Disposition},
        fetch,
        log::AttemptLog,
        work::Work,
    },
    connection::shop::Shop,
    run::invoice::wait_for_invoice,
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
    log: &mut AttemptLog,
    memo: &CreditMemo,
) -> Result<(), AttemptError> {
    match memo.invoice_id {
        Some(invoice) => {
            ask_for_sale(work, shop, log, invoice).await?;
            wait_for_invoice(work, invoice).await
        }
        None => ensure_covered(work, memo).await,
    }
}

/// The events of the memo's invoice and of its payment may be late or lost: unless they have runs, or are in Sage, they are queued as the
/// shop's own events would queue them, so that those find the runs there.
async fn ask_for_sale(
    work: &Work<'_>,
    shop: &Shop,
    log: &mut AttemptLog,
    invoice: i64,
) -> Result<(), AttemptError> {
    let mut unheard = Vec::new();
    for (event, kind) in
        [(EventName::InvoiceCreated, XrefKind::Invoice), (EventName::InvoicePaid, XrefKind::Payment)]
    {
        if is_unheard(work, event, kind, invoice).await? {
            unheard.push(event);
        }
    }
    if unheard.is_empty() {
        return Ok(());
    }
    let document = fetch::invoice_of(work, shop, log, invoice).await?;
    let is_paid = document.state == InvoiceState::Paid;
    for event in unheard.into_iter().filter(|event| is_paid || *event != EventName::InvoicePaid) {
        work.engine.store.receive(&event_of(work, event, invoice)).await?;
    }
    Ok(())
}

/// Whether an event of the invoice has no run, and Sage nothing that came of it.
async fn is_unheard(
    work: &Work<'_>,
    event: EventName,
    kind: XrefKind,
    invoice: i64,
) -> Result<bool, AttemptError> {
    let store = &work.engine.store;
    if store.latest_run_of_event(work.binding.id, event, invoice).await?.is_some() {
        return Ok(false);
    }
    let key = XrefKey { kind, magento_key: invoice.to_string() };
    Ok(store.xrefs(work.binding.id, &work.business.id, &[key]).await?.is_empty())
}

/// The event as the shop's module would post it.
fn event_of(work: &Work<'_>, event: EventName, magento_id: i64) -> NewEvent {
    let environment = &work.engine.environment;
    let ids = (EventId(environment.id()), RunId(environment.id()));
    NewEvent {
        occurred_at: work.claimed.run.occurred_at,
        trace_parent: work.claimed.run.trace_parent.clone(),
        ..NewEvent::asked_for(ids, work.binding.id, event, magento_id, environment.now())
    }
}

/// A memo that was made from its order names neither invoice nor order: what was posted for its customer must cover it. Until then it
/// looks again, ever more rarely, and in the end waits for somebody.
async fn ensure_covered(work: &Work<'_>, memo: &CreditMemo) -> Result<(), AttemptError> {
    let (customer, currency) = (fetch::known_customer(&memo.customer), memo.currency.to_string());
    let (store, business) = (&work.engine.store, &work.business.id);
    let posted =
        store.posted_for(work.binding.id, business, &customer, &currency, Some(memo.magento_id)).await?;
    let left = posted.invoiced_minor - posted.credited_minor;
    if money::to_minor(money::round2(memo.grand_total)).is_some_and(|total| total <= left) {
        return Ok(());
    }
    let message = message!(
        run_detail.sale_too_small,
        memo = money::text(money::round2(memo.grand_total)),
        currency = currency,
        left = money::text(money::from_minor(left))
    );
    let error = AttemptError::new(Code::SaleNotInSage, message);
    let now = work.engine.environment.now();
    let age = now - work.claimed.run.created_at;
    if age >= WAITS_FOR_SALE {
        return Err(error);
    }
    Err(AttemptError { disposition: Disposition::RestUntil(now + (age / 4).clamp(SOONEST, LATEST)), ..error })
}
