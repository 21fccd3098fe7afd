//! Payments and credit memos that wait for their invoice.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    code::Code,
    environment::Environment,
    run::{
        EventName::{CreditmemoCreated, InvoiceCreated, InvoicePaid},
        RunStatus,
    },
};

use super::world::{World, failed, retrying, skipped, waiting_for};
use crate::{Outcome, Store};

/// Success releases all that waits for this invoice, and nothing else; an earlier failure and retries release nothing.
pub async fn a_payment_is_released_by_the_success_of_its_invoice(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let paid = world.run_through(InvoicePaid, 1, waiting_for(1)).await;
    let memo = world.run_through(CreditmemoCreated, 50, waiting_for(1)).await;
    let other = world.run_through(InvoicePaid, 2, waiting_for(2)).await;
    let run = world.run(paid).await;
    assert_eq!((run.status, run.code), (RunStatus::Waiting, Some(Code::WaitingForInvoice)));
    assert_eq!(world.attempts(paid).await[0].outcome.as_deref(), Some("waiting"));

    let due = world.now();
    let invoice = world.run_through(InvoiceCreated, 1, retrying(due)).await;
    assert_eq!(world.run(paid).await.status, RunStatus::Waiting);
    let claimed = world.claim().await;
    assert_eq!(claimed.run.id, invoice);
    let end = world.end(&claimed, Outcome::Succeeded);
    world.store.finish_run(&end).await.unwrap();
    for id in [paid, memo] {
        let run = world.run(id).await;
        assert_eq!(
            (run.status, run.code, run.message, run.next_at),
            (RunStatus::Queued, None, None, end.now)
        );
    }
    assert_eq!(world.run_state(other).await, (RunStatus::Waiting, Some(Code::WaitingForInvoice)));
    assert_eq!(world.claim().await.run.id, paid);
}

/// A payment of a skipped invoice goes on, to be skipped itself.
pub async fn a_payment_is_released_when_its_invoice_is_skipped(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let paid = world.run_through(InvoicePaid, 1, waiting_for(1)).await;
    world.run_through(InvoiceCreated, 1, skipped()).await;
    assert_eq!(world.run_state(paid).await, (RunStatus::Queued, None));
}

/// What was skipped for want of its invoice goes on when the invoice is synced after all, and not before.
pub async fn what_was_skipped_with_its_invoice_goes_on_with_it(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let invoice = world.run_through(InvoiceCreated, 1, skipped()).await;
    let without =
        Outcome::Skipped { code: Code::InvoiceNotSynced, message: None, waits_for_invoice: Some(1) };
    let memo = world.run_through(CreditmemoCreated, 50, without.clone()).await;
    let left = (RunStatus::SkippedByPolicy, Some(Code::InvoiceNotSynced));
    assert_eq!(world.run_state(memo).await, left);
    world.store.retry_run(world.organisation, invoice, world.now(), None).await.unwrap();
    let claimed = world.claim().await;
    world.finish(&claimed, skipped()).await;
    assert_eq!(world.run_state(memo).await, left);
    world.store.retry_run(world.organisation, invoice, world.now(), None).await.unwrap();
    let claimed = world.claim().await;
    world.finish(&claimed, Outcome::Succeeded).await;
    let run = world.run(memo).await;
    assert_eq!((run.status, run.code, run.finished_at), (RunStatus::Queued, None, None));
    let claimed = world.claim().await;
    assert_eq!(claimed.run.id, memo);
    world.finish(&claimed, without).await;
    assert_eq!(world.run_state(memo).await, (RunStatus::Queued, None), "the invoice was synced meanwhile");
}

/// A person must fix the invoice first; then both go on.
pub async fn a_payment_stays_when_its_invoice_fails(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let paid = world.run_through(InvoicePaid, 1, waiting_for(1)).await;
    let invoice = world.run_through(InvoiceCreated, 1, failed()).await;
    assert_eq!(world.run_state(paid).await, (RunStatus::Waiting, Some(Code::WaitingForInvoice)));
    let late = world.run_through(InvoicePaid, 2, waiting_for(1)).await;
    assert_eq!(world.run(late).await.status, RunStatus::Waiting);
    world.store.retry_run(world.organisation, invoice, world.now(), None).await.unwrap();
    let claimed = world.claim().await;
    world.finish(&claimed, Outcome::Succeeded).await;
    assert_eq!(world.run_state(paid).await, (RunStatus::Queued, None));
    assert_eq!(world.run_state(late).await, (RunStatus::Queued, None));
}

/// The invoice ended between the look and the wait: nobody would ever wake the payment.
pub async fn a_payment_that_waits_too_late_goes_on_at_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for (number, outcome) in [(1, Outcome::Succeeded), (2, skipped())] {
        world.run_through(InvoiceCreated, number, outcome).await;
        let paid = world.receive(InvoicePaid, number).await;
        let claimed = world.claim().await;
        let end = world.end(&claimed, waiting_for(number));
        world.store.finish_run(&end).await.unwrap();
        let run = world.run(paid).await;
        assert_eq!((run.status, run.code, run.next_at), (RunStatus::Queued, None, end.now));
        let attempt = world.attempts(paid).await.remove(0);
        assert_eq!(
            (attempt.outcome.as_deref(), attempt.code),
            (Some("queued"), Some(Code::WaitingForInvoice))
        );
        let again = world.claim().await;
        assert_eq!(again.run.id, paid);
        world.finish(&again, Outcome::Succeeded).await;
    }
}

/// Magento ids repeat from shop to shop.
pub async fn only_the_invoice_of_the_same_binding_counts(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_binding("business-2").await;
    let early = world.run_through(InvoicePaid, 1, waiting_for(1)).await;
    world.receive_of(other, InvoiceCreated, 1).await;
    let claimed = world.claim().await;
    assert_eq!(claimed.run.binding_id, other);
    world.finish(&claimed, Outcome::Succeeded).await;
    let late = world.run_through(CreditmemoCreated, 2, waiting_for(1)).await;
    world.pass(TimeDelta::days(1));
    for id in [early, late] {
        assert_eq!(world.run_state(id).await, (RunStatus::Waiting, Some(Code::WaitingForInvoice)));
    }
    assert!(world.try_claim().await.is_none());
}
