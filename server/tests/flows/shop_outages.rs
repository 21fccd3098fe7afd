//! A shop that answers and yet is not there: nothing fails, and Magento's grid is told the truth soon after the cause is gone.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    code::Code,
    run::{EntityKind, EventName, RunStatus, Side},
};
use serde_json::json;
use server::sandbox::Sandbox;
use store::{DeliveryState, Run};
use sync::Engine;

use crate::{
    documents::of,
    outages::{everything_arrives, look_after, process, runs, sandbox, until_all_is_done},
    postgres,
    refreshing::Ahead,
};

async fn send(sandbox: &Sandbox, invoice: u64) {
    sandbox.shop().unwrap().enqueue("invoice.created", invoice, None);
    sandbox.shop().unwrap().run_cron().await;
}

async fn invoice(sandbox: &Sandbox, id: i64) -> Run {
    of(&runs(sandbox).await, EventName::InvoiceCreated, id).clone()
}

async fn told(sandbox: &Sandbox, engine: &Engine, id: i64) -> Option<DeliveryState> {
    let binding = sandbox.binding.id;
    engine.store.delivery_of(sandbox.organisation, binding, EntityKind::Invoice, id).await.unwrap()
}

async fn end(sandbox: Sandbox, engine: &Engine) {
    engine.store.close().await;
    sandbox.stop().await;
}

/// A deployment of Magento: for less than a minute no route matches.
#[tokio::test(flavor = "multi_thread")]
async fn a_shop_without_its_module_rests_with_all_its_documents() {
    let (sandbox, clock) = sandbox(None).await;
    let engine = process(&sandbox, &clock).await;
    sandbox.send_all_events().await.unwrap();
    sandbox.magento.post("/_sim/faults", &json!({ "route_missing": true })).await.unwrap();
    look_after(&[0, 0, 0, 24], &engine, &clock).await;
    let rest = engine.store.rests(sandbox.binding.id).await.unwrap().of(Side::Magento);
    assert_eq!(rest.map(|rest| rest.code), Some(Code::MagentoModuleMissing), "the shop's page says so");
    assert!(runs(&sandbox).await.iter().all(|run| run.attempts == 0 && run.status != RunStatus::Failed));
    sandbox.magento.delete("/_sim/faults").await.unwrap();
    everything_arrives(sandbox, &engine, &clock).await;
}

/// What was begun in Sage is finished after the deployment.
#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_after_a_lost_answer_fails_nothing() {
    let (sandbox, clock) = sandbox(None).await;
    let engine = process(&sandbox, &clock).await;
    let cut = json!({ "cut_after": [{ "times": 1, "method": "POST", "path": "/sales_invoices" }] });
    sandbox.sage.post("/_sim/faults", &cut).await.unwrap();
    send(&sandbox, 1).await;
    sync::run_until_idle(&engine).await;
    sandbox.magento.post("/_sim/faults", &json!({ "route_missing": true })).await.unwrap();
    look_after(&[0, 0], &engine, &clock).await;
    sandbox.magento.delete("/_sim/faults").await.unwrap();
    until_all_is_done(&engine, &clock).await;
    assert_eq!(invoice(&sandbox, 1).await.status, RunStatus::Succeeded);
    assert!(told(&sandbox, &engine, 1).await.is_some_and(|told| told.state.status == "synced"));
    end(sandbox, &engine).await;
}

/// A ping is answered and nothing else is.
#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_answers_only_a_ping_fails_nothing() {
    let (sandbox, clock) = sandbox(None).await;
    let engine = process(&sandbox, &clock).await;
    sandbox.send_all_events().await.unwrap();
    for part in ["invoice", "creditmemo", "customer", "product"] {
        sandbox.magento.post("/_sim/faults", &json!({ "broken": part })).await.unwrap();
        look_after(&[0, 0, 1, 4, 12, 24], &engine, &clock).await;
    }
    let failed: Vec<Option<Code>> = runs(&sandbox)
        .await
        .iter()
        .filter(|run| run.status == RunStatus::Failed)
        .map(|run| run.code)
        .collect();
    assert!(!failed.contains(&Some(Code::MagentoUnavailable)), "{failed:?}");
    sandbox.magento.delete("/_sim/faults").await.unwrap();
    everything_arrives(sandbox, &engine, &clock).await;
}

/// Two days of failures with nothing else to go by: it may be the shop, or Sage, as well as the document.
#[tokio::test(flavor = "multi_thread")]
async fn a_lone_document_outlives_two_days() {
    for is_sage in [true, false] {
        let (sandbox, clock) = sandbox(None).await;
        let engine = process(&sandbox, &clock).await;
        if is_sage {
            let writes = json!({ "fail_before": [{ "times": 1_000_000, "status": 500, "method": "POST" }] });
            sandbox.sage.post("/_sim/faults", &writes).await.unwrap();
        } else {
            sandbox.magento.post("/_sim/faults", &json!({ "broken": "invoice" })).await.unwrap();
        }
        send(&sandbox, 1).await;
        for _ in 0..60 {
            look_after(&[1], &engine, &clock).await;
        }
        assert_eq!(invoice(&sandbox, 1).await.status, RunStatus::Retrying);
        sandbox.sage.post("/_sim/faults", &json!({ "fail_before": [] })).await.unwrap();
        sandbox.magento.delete("/_sim/faults").await.unwrap();
        look_after(&[1, 1, 0], &engine, &clock).await;
        assert_eq!(invoice(&sandbox, 1).await.status, RunStatus::Succeeded, "within an hour or two");
        end(sandbox, &engine).await;
    }
}

/// Another document of the kind gets through again and again, so it is this one.
#[tokio::test(flavor = "multi_thread")]
async fn a_document_fails_alone_where_others_get_through() {
    let (sandbox, clock) = sandbox(None).await;
    let engine = process(&sandbox, &clock).await;
    sandbox.magento.post("/_sim/faults", &json!({ "broken": "invoice/1" })).await.unwrap();
    send(&sandbox, 1).await;
    send(&sandbox, 2).await;
    for _ in 0..40 {
        sync::run_until_idle(&engine).await;
        clock.pass(TimeDelta::hours(1));
        sync::run_until_idle(&engine).await;
        let other = invoice(&sandbox, 2).await;
        assert_eq!(other.status, RunStatus::Succeeded);
        engine.store.retry_run(sandbox.organisation, other.id, engine.environment.now(), None).await.unwrap();
    }
    sync::run_until_idle(&engine).await;
    let failed = invoice(&sandbox, 1).await;
    assert_eq!((failed.status, failed.code), (RunStatus::Failed, Some(Code::MagentoUnavailable)));
    end(sandbox, &engine).await;
}

/// Whatever the shop does not take for days is told soon after, and no later than its cause explains.
async fn days_of_untold_states(database_url: Option<String>, fault: serde_json::Value) {
    let (sandbox, clock) = sandbox(database_url).await;
    let engine = process(&sandbox, &clock).await;
    let before = untold(&sandbox, &engine, &clock, &fault).await;
    assert!(before.next_at.is_some() && before.delivered_at.is_none(), "{fault}: {before:?}");
    sandbox.magento.delete("/_sim/faults").await.unwrap();
    clock.pass(TimeDelta::minutes(38));
    sync::run_until_idle(&engine).await;
    let told = told(&sandbox, &engine, 1).await.unwrap();
    assert!(told.delivered_at.is_some(), "{fault}: {told:?}");
    end(sandbox, &engine).await;
}

/// The document is posted; its state meets the fault, for five days.
async fn untold(
    sandbox: &Sandbox,
    engine: &Engine,
    clock: &Arc<Ahead>,
    fault: &serde_json::Value,
) -> DeliveryState {
    send(sandbox, 1).await;
    sandbox.magento.post("/_sim/faults", &json!({ "broken": "sync-state" })).await.unwrap();
    sync::run_until_idle(engine).await;
    assert_eq!(invoice(sandbox, 1).await.status, RunStatus::Succeeded);
    sandbox.magento.post("/_sim/faults", fault).await.unwrap();
    for _ in 0..120 {
        clock.pass(TimeDelta::hours(1));
        sync::run_until_idle(engine).await;
    }
    told(sandbox, engine, 1).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn days_without_the_shop_leave_its_grid_true() {
    for fault in
        [json!({ "down": true }), json!({ "route_missing": true }), json!({ "broken": "sync-state" })]
    {
        days_of_untold_states(None, fault).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn days_without_the_shop_leave_its_grid_true_on_postgres() {
    let Some(database_url) = postgres::database().await else { return };
    days_of_untold_states(Some(database_url), json!({ "down": true })).await;
}
