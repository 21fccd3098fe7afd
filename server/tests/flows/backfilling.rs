//! What a shop did while it was not paired is found, queued once, and reported.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    environment::Environment,
    run::{EventName, RunStatus},
};
use serde_json::{Value, json};
use server::{
    environment::Machine,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};
use simulators::magento::{Documents, Kind};
use sync::Engine;

use crate::{
    browser,
    pairing_again::{an_hour_passes, connect_sage, invoice, pair, posted, runs, work},
    postgres,
    refreshing::{Ahead, process},
};

fn memo(id: u64, invoice: u64) -> Value {
    let mut copy: Value =
        serde_json::from_str(include_str!("../../../fixtures/documents/creditmemo-1a.json")).unwrap();
    copy["magento_id"] = id.into();
    copy["increment_id"] = format!("{id:09}").into();
    copy["invoice_id"] = invoice.into();
    copy["invoice_increment_id"] = format!("{invoice:09}").into();
    copy
}

async fn sandbox(documents: Vec<Value>, database_url: Option<String>) -> Sandbox {
    let documents = Some(Documents::from_values(documents).unwrap());
    Sandbox::set(Options { documents, worker: false, database_url, ..Options::default() }).await.unwrap()
}

fn open(id: u64) -> Value {
    let mut invoice = invoice(id);
    invoice["state"] = "open".into();
    invoice
}

/// Lets the search and the queue take turns until both are through.
async fn through(sandbox: &Sandbox, engine: &Engine, clock: &Ahead) {
    for _ in 0..200 {
        sync::advance_backfills(engine).await;
        sync::run_until_idle(engine).await;
        let backfill = engine.store.backfill(sandbox.binding.id).await.unwrap().unwrap();
        if backfill.ended_at.is_some() {
            return;
        }
        clock.pass(TimeDelta::seconds(2));
    }
    panic!("the search has not ended: {:?}", engine.store.backfill(sandbox.binding.id).await);
}

/// Every run as event and id, in the order of their arrival.
async fn heard(sandbox: &Sandbox) -> Vec<(EventName, i64)> {
    let mut runs = runs(sandbox).await;
    runs.sort_by_key(|run| run.id);
    runs.into_iter().map(|run| (run.event, run.magento_id)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_shop_did_while_it_was_not_paired_is_found_and_posted_once() {
    found_and_posted_once(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_shop_did_while_it_was_not_paired_is_found_and_posted_once_on_postgres() {
    let Some(database_url) = postgres::database().await else { return };
    found_and_posted_once(Some(database_url)).await;
}

async fn found_and_posted_once(database_url: Option<String>) {
    use EventName::{CreditmemoCreated, InvoiceCreated, InvoicePaid};
    // Id 6 is a gap, 5 is open, and 1 and 3 were known before: 1 was paid meanwhile.
    let documents = [1, 2, 3, 4, 7, 8].map(invoice).into_iter().chain([open(5), memo(1, 1), memo(2, 4)]);
    let sandbox = sandbox(documents.collect(), database_url).await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&sandbox, &clock).await;
    work(&sandbox, "invoice.created", 1).await;
    work(&sandbox, "invoice.created", 3).await;
    work(&sandbox, "invoice.paid", 3).await;
    sandbox.shop().unwrap().disconnect().await.unwrap();
    let again = pair(&sandbox, sandbox.magento.base()).await;
    assert!(!sync::advance_backfills(&engine).await, "Sage is not connected yet");
    connect_sage(&sandbox, &again, None).await;
    // What comes live before the search is there is not queued twice.
    work(&sandbox, "invoice.created", 8).await;
    through(&sandbox, &engine, &clock).await;
    let before = [(InvoiceCreated, 1), (InvoiceCreated, 3), (InvoicePaid, 3), (InvoiceCreated, 8)];
    let found = [
        (InvoiceCreated, 4),
        (InvoicePaid, 4),
        (InvoiceCreated, 5),
        (InvoiceCreated, 7),
        (InvoicePaid, 7),
        (InvoicePaid, 8),
        (InvoicePaid, 1),
        (CreditmemoCreated, 1),
        (CreditmemoCreated, 2),
    ];
    assert_eq!(heard(&sandbox).await, before.into_iter().chain(found).collect::<Vec<_>>());
    let runs = runs(&sandbox).await;
    let open: Vec<_> = runs.iter().filter(|run| run.status != RunStatus::Succeeded).collect();
    assert!(open.is_empty(), "{open:#?}");
    assert_eq!(posted(&sandbox).await.0, 6);
    let backfill = engine.store.backfill(sandbox.binding.id).await.unwrap().unwrap();
    assert_eq!((backfill.found, backfill.queued), (7, 9));

    let cookie = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    let page = browser::page(&sandbox, &cookie, &format!("/dashboard/bindings/{}", sandbox.binding.id)).await;
    assert!(page.contains("7 missing documents found, 9 runs queued. The search is complete."), "{page}");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_goes_on_after_the_shop_or_the_process_failed() {
    let sandbox = sandbox((1..=40).map(invoice).collect(), None).await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&sandbox, &clock).await;
    work(&sandbox, "invoice.created", 1).await;
    sandbox.magento.post("/_sim/forget", &json!({})).await.unwrap();
    pair(&sandbox, sandbox.magento.base()).await;
    sync::advance_backfills(&engine).await;
    let some = engine.store.backfill(sandbox.binding.id).await.unwrap().unwrap();
    assert!(some.found > 0 && some.found < 10, "the queue is not filled at once: {some:?}");
    sync::run_until_idle(&engine).await;
    sandbox.magento.post("/_sim/faults", &json!({ "down": true })).await.unwrap();
    clock.pass(TimeDelta::seconds(2));
    // Another process, as after a crash.
    let engine = process(&sandbox, &clock).await;
    sync::advance_backfills(&engine).await;
    let held = engine.store.backfill(sandbox.binding.id).await.unwrap().unwrap();
    assert_eq!((held.next_invoice, held.code.is_some()), (some.next_invoice, true), "{held:?}");
    sandbox.magento.post("/_sim/faults", &json!({ "down": false })).await.unwrap();
    // The minute of its rest passes; so far ahead of the shop's clock Ledger's tokens would be refused.
    let rested = store::Backfill { next_at: held.begun_at, ..held };
    assert!(engine.store.save_backfill(&rested).await.unwrap());
    through(&sandbox, &engine, &clock).await;
    let backfill = engine.store.backfill(sandbox.binding.id).await.unwrap().unwrap();
    assert_eq!((backfill.found, backfill.code), (40, None), "39 invoices, and the payment of the first");
    assert_eq!(posted(&sandbox).await, (40, 40));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_event_waits_behind_a_handful_of_found_documents_at_most() {
    let sandbox = sandbox((1..=40).map(invoice).collect(), None).await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&sandbox, &clock).await;
    work(&sandbox, "invoice.created", 1).await;
    sandbox.magento.post("/_sim/forget", &json!({})).await.unwrap();
    pair(&sandbox, sandbox.magento.base()).await;
    for _ in 0..5 {
        sync::advance_backfills(&engine).await;
        clock.pass(TimeDelta::seconds(2));
    }
    let queued = runs(&sandbox).await.iter().filter(|run| run.status == RunStatus::Queued).count();
    assert!((1..=6).contains(&queued), "{queued}");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_before_the_first_pairing_are_left_alone() {
    // Nothing was ever heard of memos: the first is found by its date. The first three are years old.
    let now = Machine.now();
    let dated = |id: u64, at: chrono::DateTime<chrono::Utc>| {
        let mut memo = memo(id, 900 + id);
        memo["created_at"] = at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true).into();
        memo
    };
    let old = (1..=3).map(|id| dated(id, now - TimeDelta::days(900)));
    let new = (4..=6).map(|id| dated(id, now + TimeDelta::hours(1)));
    let sandbox = sandbox(old.chain(new).collect(), None).await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&sandbox, &clock).await;
    sandbox.magento.post("/_sim/forget", &json!({})).await.unwrap();
    pair(&sandbox, sandbox.magento.base()).await;
    through(&sandbox, &engine, &clock).await;
    let found: Vec<_> = heard(&sandbox).await.into_iter().map(|(_, id)| id).collect();
    assert_eq!(found, [4, 5, 6]);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_behind_a_wide_gap_is_found_with_the_next_live_event() {
    let sandbox = sandbox([1, 2, 10, 11].map(invoice).to_vec(), None).await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&sandbox, &clock).await;
    work(&sandbox, "invoice.created", 1).await;
    sandbox.magento.post("/_sim/forget", &json!({})).await.unwrap();
    pair(&sandbox, sandbox.magento.base()).await;
    through(&sandbox, &engine, &clock).await;
    assert_eq!(posted(&sandbox).await.0, 2, "seven ids are missing");
    work(&sandbox, "invoice.created", 11).await;
    sync::keep_up(&engine).await;
    through(&sandbox, &engine, &clock).await;
    assert_eq!(posted(&sandbox).await.0, 4);
    an_hour_passes(&sandbox).await;
    sync::keep_up(&engine).await;
    let backfill = engine.store.backfill(sandbox.binding.id).await.unwrap().unwrap();
    assert!(backfill.ended_at.is_some(), "nothing is left to be looked at");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_magento_cannot_serve_does_not_hold_up_the_search() {
    let sandbox = sandbox([1, 2, 3, 4].map(invoice).to_vec(), None).await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&sandbox, &clock).await;
    // It names another document: whatever is wrong with it is its own run's matter.
    sandbox.shop().unwrap().edit(Kind::Invoice, 2, &invoice(900));
    work(&sandbox, "invoice.created", 1).await;
    sandbox.magento.post("/_sim/forget", &json!({})).await.unwrap();
    pair(&sandbox, sandbox.magento.base()).await;
    through(&sandbox, &engine, &clock).await;
    assert_eq!(posted(&sandbox).await.0, 3);
    let broken = runs(&sandbox).await.into_iter().find(|run| run.magento_id == 2).unwrap();
    assert_ne!(broken.status, RunStatus::Succeeded);
    sandbox.stop().await;
}
