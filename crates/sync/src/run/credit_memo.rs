//! A credit memo: what must be read before it can be planned.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    Decimal,
    code::Code,
    documents::CreditMemo,
    run::{EventName, RunStatus},
    xref::{XrefKey, XrefKind},
};
use messages::message;
use posting::{Context, OriginalInvoice, PostedPayment, plan_creditmemo, wanted_creditmemo_xrefs};
use serde_json::Value;
use store::{Outcome, Run};

use crate::{
    attempt::{
        disposition::{AttemptError, Disposition},
        fetch,
        known::Known,
        log::AttemptLog,
        planning::planned,
        sage_answers::amount_of,
        work::Work,
    },
    connection::shop::Shop,
    posting::execute,
    run::{edited::ensure_sums_stand, follow::follow, order, originals, sale},
};

/// A credit memo waits for its invoice, is planned on that invoice's contact, and closes the books.
pub async fn creditmemo(work: &Work<'_>, shop: &Shop, log: &mut AttemptLog) -> Result<Outcome, AttemptError> {
    let memo = fetch::creditmemo(work, shop, log).await?;
    let (memo, is_by_order) = order::with_invoice(work, shop, log, memo).await?;
    let keys = wanted_creditmemo_xrefs(&memo, &work.settings, &work.reference);
    if memo.invoice_id.is_some() || !is_made(work, log, &keys).await? {
        sale::wait_for_sale(work, shop, log, &memo).await?;
    }
    if let Some(invoice) = memo.invoice_id {
        wait_for_payment(work, invoice).await?;
    }
    let known = Known::of(work, log, &keys).await?;
    let known = Arc::new(with_settlement(work, log, known, &keys).await?);
    let original = original(work, shop, log, &memo, &known).await?;
    let original = original.map(|original| OriginalInvoice { is_by_order, ..original });
    let plan = move |context: &Context<'_>| plan_creditmemo(&memo, original.as_ref(), context);
    let plan = planned(work, &known, plan).await?;
    follow(work, log, &plan, &known).await
}

/// Whether the credit note is in Sage. What an earlier attempt sent without hearing an answer is finished first: it is too late to ask
/// whether a sale covers it.
async fn is_made(work: &Work<'_>, log: &mut AttemptLog, keys: &[XrefKey]) -> Result<bool, AttemptError> {
    let known = Known::of(work, log, keys).await?;
    if known.record(XrefKind::Creditmemo).is_some() {
        return Ok(true);
    }
    let Some(key) = known.begun(XrefKind::Creditmemo).cloned() else { return Ok(false) };
    execute::finish_begun(work, log, &key, &known).await
}

/// An allocation or a refund that an earlier attempt sent without hearing an answer is finished before anything is planned: how much is
/// left to settle depends on it.
async fn with_settlement(
    work: &Work<'_>,
    log: &mut AttemptLog,
    known: Known,
    keys: &[XrefKey],
) -> Result<Known, AttemptError> {
    let begun = [XrefKind::Allocation, XrefKind::Refund].map(|kind| known.begun(kind).cloned());
    let begun = begun.into_iter().flatten().filter(|key| !known.xrefs.contains_key(key));
    let mut has_finished = false;
    for key in begun.collect::<Vec<_>>() {
        has_finished |= execute::finish_begun(work, log, &key, &known).await?;
    }
    if has_finished { Known::of(work, log, keys).await } else { Ok(known) }
}

/// How long a memo rests while its invoice's payment is about to be tried, and while the payment itself waits for somebody.
const SOON: TimeDelta = TimeDelta::seconds(5);
const LATER: TimeDelta = TimeDelta::minutes(10);

/// A memo that went first would be set against what is outstanding, and leave the payment nothing to pay.
async fn wait_for_payment(work: &Work<'_>, invoice: i64) -> Result<(), AttemptError> {
    let store = &work.engine.store;
    let payment = store.latest_run_of_event(work.binding.id, EventName::InvoicePaid, invoice).await?;
    // One that failed comes first as well: once the memo has taken what is outstanding, there would be nothing left to pay.
    let comes_first = |payment: &Run| !payment.status.is_terminal() || payment.status == RunStatus::Failed;
    let Some(payment) = payment.filter(comes_first) else { return Ok(()) };
    let needs_someone = matches!(payment.status, RunStatus::Waiting | RunStatus::Failed);
    let rest = if needs_someone { LATER } else { SOON };
    let until = work.engine.environment.now().max(payment.next_at) + rest;
    let error = AttemptError::new(Code::WaitingForInvoice, message!(run_detail.payment_first));
    Err(AttemptError { disposition: Disposition::RestUntil(until), ..error })
}

/// The memo's invoice as Sage holds it now; none where the memo names none or Sage does not have it.
async fn original(
    work: &Work<'_>,
    shop: &Shop,
    log: &mut AttemptLog,
    memo: &CreditMemo,
    known: &Known,
) -> Result<Option<OriginalInvoice>, AttemptError> {
    let (Some(id), Some(record)) = (memo.invoice_id, known.record(XrefKind::Invoice)) else {
        return Ok(None);
    };
    let made_at = known.made_at(XrefKind::Invoice);
    let Some(invoice) = originals::invoice(work, log, &record.sage_id, made_at).await? else {
        return Err(originals::gone(message!(run_detail.invoice_gone)));
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let Some(contact_id) = text(&invoice["contact"]["id"]) else { return Ok(None) };
    let document = fetch::invoice_of(work, shop, log, id).await?;
    ensure_sums_stand(work, log, &document).await?;
    Ok(Some(OriginalInvoice {
        sage_id: record.sage_id.clone(),
        displayed_as: text(&invoice["displayed_as"]),
        contact_id,
        date: invoice["date"].as_str().and_then(|date| date.parse().ok()),
        status: text(&invoice["status"]["id"]),
        outstanding: amount_of(&invoice["outstanding_amount"]).unwrap_or_default(),
        payment: payment(work, log, known).await?,
        left_of_note: left_of_note(work, log, known).await?,
        is_by_order: false,
        document: Some(document),
    }))
}

/// The invoice's payment, where Ledger posted one and it is needed for a refund.
async fn payment(
    work: &Work<'_>,
    log: &mut AttemptLog,
    known: &Known,
) -> Result<Option<PostedPayment>, AttemptError> {
    let Some(record) = known.record(XrefKind::Payment).filter(|_| work.settings.record_refunds) else {
        return Ok(None);
    };
    let path = format!("/contact_payments/{}", record.sage_id);
    let made_at = known.made_at(XrefKind::Payment);
    let Some(payment) = originals::read(work, log, "original payment", &path, made_at).await? else {
        return Err(originals::gone(message!(run_detail.payment_gone)));
    };
    let bank = payment["bank_account"]["id"].as_str();
    Ok(bank.map(|bank| PostedPayment { sage_id: record.sage_id.clone(), bank_account_id: bank.to_owned() }))
}

/// What is outstanding of the credit note, where an earlier attempt made it already.
async fn left_of_note(
    work: &Work<'_>,
    log: &mut AttemptLog,
    known: &Known,
) -> Result<Option<Decimal>, AttemptError> {
    let made = known.record(XrefKind::Creditmemo).map(|record| &record.sage_id);
    let answered = || known.intents.get(known.begun(XrefKind::Creditmemo)?)?.answer();
    let Some(note) = made.or_else(|| Some(&answered()?.sage_id)) else { return Ok(None) };
    let path = format!("/sales_credit_notes/{note}?mark_as_sent=false");
    let note = originals::read(work, log, "credit note", &path, known.made_at(XrefKind::Creditmemo)).await?;
    Ok(note.and_then(|note| amount_of(&note["outstanding_amount"])))
}
