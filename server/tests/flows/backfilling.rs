//! What a shop did while it was not paired is found, queued once, and reported.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    outside::Outside,
    run::{EventName, RunStatus},
};
use serde_json::{Value, json};
use server::{
    outside::Machine,
    stage::{EMAIL, Options, PASSWORD, Stage},
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

async fn stage(documents: Vec<Value>, database_url: Option<String>) -> Stage {
    let documents = Some(Documents::from_values(documents).unwrap());
    Stage::set(Options { documents, worker: false, database_url, ..Options::default() }).await.unwrap()
}

fn open(id: u64) -> Value {
    let mut invoice = invoice(id);
    invoice["state"] = "open".into();
    invoice
}

/// Lets the search and the queue take turns until both are through.
async fn through(stage: &Stage, engine: &Engine, clock: &Ahead) {
    for _ in 0..200 {
        sync::advance_backfills(engine).await;
        sync::run_until_idle(engine).await;
        let backfill = engine.store.backfill(stage.binding.id).await.unwrap().unwrap();
        if backfill.ended_at.is_some() {
            return;
        }
        clock.pass(TimeDelta::seconds(2));
    }
    panic!("the search has not ended: {:?}", engine.store.backfill(stage.binding.id).await);
}

/// Every run as event and id, in the order of their arrival.
async fn heard(stage: &Stage) -> Vec<(EventName, i64)> {
    let mut runs = runs(stage).await;
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
    let stage = stage(documents.collect(), database_url).await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&stage, &clock).await;
    work(&stage, "invoice.created", 1).await;
    work(&stage, "invoice.created", 3).await;
    work(&stage, "invoice.paid", 3).await;
    stage.shop().unwrap().disconnect().await.unwrap();
    let again = pair(&stage, stage.magento.base()).await;
    assert!(!sync::advance_backfills(&engine).await, "Sage is not connected yet");
    connect_sage(&stage, &again, None).await;
    // What comes live before the search is there is not queued twice.
    work(&stage, "invoice.created", 8).await;
    through(&stage, &engine, &clock).await;
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
    assert_eq!(heard(&stage).await, before.into_iter().chain(found).collect::<Vec<_>>());
    let runs = runs(&stage).await;
    let open: Vec<_> = runs.iter().filter(|run| run.status != RunStatus::Succeeded).collect();
    assert!(open.is_empty(), "{open:#?}");
    assert_eq!(posted(&stage).await.0, 6);
    let backfill = engine.store.backfill(stage.binding.id).await.unwrap().unwrap();
    assert_eq!((backfill.found, backfill.queued), (7, 9));

    let cookie = browser::sign_in(&stage, EMAIL, PASSWORD).await;
    let page = browser::page(&stage, &cookie, &format!("/dashboard/bindings/{}", stage.binding.id)).await;
    assert!(page.contains("7 missing documents found, 9 runs queued. The search has ended."), "{page}");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_goes_on_after_the_shop_or_the_process_failed() {
    let stage = stage((1..=40).map(invoice).collect(), None).await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&stage, &clock).await;
    work(&stage, "invoice.created", 1).await;
    stage.magento.post("/_sim/forget", &json!({})).await.unwrap();
    pair(&stage, stage.magento.base()).await;
    sync::advance_backfills(&engine).await;
    let some = engine.store.backfill(stage.binding.id).await.unwrap().unwrap();
    assert!(some.found > 0 && some.found < 10, "the queue is not filled at once: {some:?}");
    sync::run_until_idle(&engine).await;
    stage.magento.post("/_sim/faults", &json!({ "down": true })).await.unwrap();
    clock.pass(TimeDelta::seconds(2));
    // Another process, as after a crash.
    let engine = process(&stage, &clock).await;
    sync::advance_backfills(&engine).await;
    let held = engine.store.backfill(stage.binding.id).await.unwrap().unwrap();
    assert_eq!((held.next_invoice, held.code.is_some()), (some.next_invoice, true), "{held:?}");
    stage.magento.post("/_sim/faults", &json!({ "down": false })).await.unwrap();
    // The minute of its rest passes; so far ahead of the shop's clock Ledger's tokens would be refused.
    let rested = store::Backfill { next_at: held.begun_at, ..held };
    assert!(engine.store.save_backfill(&rested).await.unwrap());
    through(&stage, &engine, &clock).await;
    let backfill = engine.store.backfill(stage.binding.id).await.unwrap().unwrap();
    assert_eq!((backfill.found, backfill.code), (40, None), "39 invoices, and the payment of the first");
    assert_eq!(posted(&stage).await, (40, 40));
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_event_waits_behind_a_handful_of_found_documents_at_most() {
    let stage = stage((1..=40).map(invoice).collect(), None).await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&stage, &clock).await;
    work(&stage, "invoice.created", 1).await;
    stage.magento.post("/_sim/forget", &json!({})).await.unwrap();
    pair(&stage, stage.magento.base()).await;
    for _ in 0..5 {
        sync::advance_backfills(&engine).await;
        clock.pass(TimeDelta::seconds(2));
    }
    let queued = runs(&stage).await.iter().filter(|run| run.status == RunStatus::Queued).count();
    assert!((1..=6).contains(&queued), "{queued}");
    stage.stop().await;
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
    let stage = stage(old.chain(new).collect(), None).await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&stage, &clock).await;
    stage.magento.post("/_sim/forget", &json!({})).await.unwrap();
    pair(&stage, stage.magento.base()).await;
    through(&stage, &engine, &clock).await;
    let found: Vec<_> = heard(&stage).await.into_iter().map(|(_, id)| id).collect();
    assert_eq!(found, [4, 5, 6]);
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_behind_a_wide_gap_is_found_with_the_next_live_event() {
    let stage = stage([1, 2, 10, 11].map(invoice).to_vec(), None).await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&stage, &clock).await;
    work(&stage, "invoice.created", 1).await;
    stage.magento.post("/_sim/forget", &json!({})).await.unwrap();
    pair(&stage, stage.magento.base()).await;
    through(&stage, &engine, &clock).await;
    assert_eq!(posted(&stage).await.0, 2, "seven ids are missing");
    work(&stage, "invoice.created", 11).await;
    sync::keep_up(&engine).await;
    through(&stage, &engine, &clock).await;
    assert_eq!(posted(&stage).await.0, 4);
    an_hour_passes(&stage).await;
    sync::keep_up(&engine).await;
    let backfill = engine.store.backfill(stage.binding.id).await.unwrap().unwrap();
    assert!(backfill.ended_at.is_some(), "nothing is left to be looked at");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_magento_cannot_serve_does_not_hold_up_the_search() {
    let stage = stage([1, 2, 3, 4].map(invoice).to_vec(), None).await;
    let clock = Arc::new(Ahead::default());
    let engine = process(&stage, &clock).await;
    // It names another document: whatever is wrong with it is its own run's matter.
    stage.shop().unwrap().edit(Kind::Invoice, 2, &invoice(900));
    work(&stage, "invoice.created", 1).await;
    stage.magento.post("/_sim/forget", &json!({})).await.unwrap();
    pair(&stage, stage.magento.base()).await;
    through(&stage, &engine, &clock).await;
    assert_eq!(posted(&stage).await.0, 3);
    let broken = runs(&stage).await.into_iter().find(|run| run.magento_id == 2).unwrap();
    assert_ne!(broken.status, RunStatus::Succeeded);
    stage.stop().await;
}
