//! Sage or a shop is down for minutes or for days: nothing fails, nothing is fetched again and again, and all arrives by itself.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    code::Code,
    ids::RunId,
    run::{BindingStatus, EventName, RunStatus},
};
use serde_json::{Value, json};
use server::{
    demo::once::outcome,
    lifecycle,
    sandbox::{Options, Sandbox},
};
use store::{PageRequest, Run};
use sync::{Engine, Timing};

use crate::{documents::of, postgres, refreshing::Ahead};

/// A process at production's pace whose time passes as the test says.
pub async fn process(sandbox: &Sandbox, clock: &Arc<Ahead>) -> Engine {
    let store = lifecycle::open_store(&sandbox.config().database_url).await.unwrap();
    lifecycle::engine_in(sandbox.config(), store, clock.clone(), Timing::default()).unwrap()
}

/// The shop's time and Sage's pass as the process's do.
pub async fn sandbox(database_url: Option<String>) -> (Sandbox, Arc<Ahead>) {
    let clock = Arc::new(Ahead::default());
    let simulators = clock.clone();
    let options = Options { worker: false, database_url, simulators, ..Options::default() };
    (Sandbox::set(options).await.unwrap(), clock)
}

pub async fn runs(sandbox: &Sandbox) -> Vec<Run> {
    let request = PageRequest { limit: 200, ..PageRequest::default() };
    sandbox.process.engine.store.page_runs(sandbox.organisation, &request).await.unwrap().runs
}

/// Attempts and steps that are kept of all runs.
async fn rows(sandbox: &Sandbox) -> (usize, usize) {
    let (mut attempts, mut steps) = (0, 0);
    for run in runs(sandbox).await {
        let of_run = sandbox.process.engine.store.attempts(sandbox.organisation, run.id).await.unwrap();
        attempts += of_run.len();
        steps += of_run.iter().map(|attempt| attempt.steps.len()).sum::<usize>();
    }
    (attempts, steps)
}

/// Time passes until the next run is due, again and again.
pub async fn until_all_is_done(engine: &Engine, clock: &Ahead) {
    for _ in 0..200 {
        sync::run_until_idle(engine).await;
        let Some(due) = engine.store.next_due().await.unwrap() else { return };
        clock.pass((due - engine.environment.now()).max(TimeDelta::zero()) + TimeDelta::seconds(1));
    }
    panic!("it goes round for ever");
}

fn ended_in_order(runs: &[Run], event: EventName) -> bool {
    let mut ends: Vec<(RunId, Option<DateTime<Utc>>)> = runs
        .iter()
        .filter(|run| run.event == event && run.status == RunStatus::Succeeded)
        .map(|run| (run.id, run.finished_at))
        .collect();
    ends.sort_by_key(|(id, _)| *id);
    ends.is_sorted_by_key(|(_, at)| *at)
}

async fn sage_is_down_for_a_week(database_url: Option<String>) {
    let (sandbox, clock) = sandbox(database_url).await;
    let engine = process(&sandbox, &clock).await;
    let all = json!({ "fail_before": [{ "times": 1_000_000, "status": 502 }, { "times": 1_000_000, "status": 502, "path": "/token" }] });
    sandbox.sage.post("/_sim/faults", &all).await.unwrap();
    sandbox.send_all_events().await.unwrap();
    sync::run_until_idle(&engine).await;
    let before = rows(&sandbox).await;
    assert_eq!(before.0, 1, "one document met the outage, the others wait behind it");
    // Whoever is fetched from now on is not reached.
    sandbox.magento.post("/_sim/faults", &json!({ "down": true })).await.unwrap();
    for hours in [0, 0, 0, 0, 1, 2, 21, 24, 48, 72] {
        clock.pass(TimeDelta::hours(hours) + TimeDelta::minutes(6));
        assert_eq!(sync::run_until_idle(&engine).await, 1, "one goes first, and no herd");
    }
    assert_eq!(rows(&sandbox).await, before, "neither fetches nor rows grow with an outage");
    let met: Vec<Run> = runs(&sandbox).await.into_iter().filter(|run| run.code.is_some()).collect();
    assert_eq!(met.len(), 1);
    let told = (met[0].status, met[0].attempts, met[0].code);
    assert!(
        matches!(told, (RunStatus::Retrying, 0, Some(Code::SageUnavailable | Code::CircuitOpen))),
        "{told:?}"
    );
    let binding = engine.store.binding(sandbox.binding.id).await.unwrap().unwrap();
    assert_eq!(binding.status, BindingStatus::Active, "an outage pauses nothing");

    sandbox.sage.post("/_sim/faults", &json!({ "fail_before": [] })).await.unwrap();
    sandbox.magento.delete("/_sim/faults").await.unwrap();
    until_all_is_done(&engine, &clock).await;
    let (runs, problems) = outcome(&sandbox).await.unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(ended_in_order(&runs, EventName::InvoiceCreated));
    let alerts = engine.store.list_alerts(sandbox.organisation, 20).await.unwrap();
    let kinds: Vec<&str> = alerts.iter().map(|alert| alert.kind.as_str()).collect();
    let failed: Vec<_> =
        runs.iter().filter(|run| run.status == RunStatus::Failed).map(|run| run.code).collect();
    assert!(
        failed.iter().all(|code| !matches!(
            code,
            Some(Code::SageUnavailable | Code::SageUnreachable | Code::CircuitOpen)
        )),
        "{failed:?}"
    );
    assert_eq!(kinds, ["binding.recovered", "binding.troubled"]);
    engine.store.close().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_without_sage_fails_nothing_and_fetches_nothing() {
    sage_is_down_for_a_week(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_without_sage_fails_nothing_and_fetches_nothing_on_postgres() {
    let Some(database_url) = postgres::database().await else { return };
    sage_is_down_for_a_week(Some(database_url)).await;
}

/// Time passes with a look after each of these hours.
pub async fn look_after(hours: &[i64], engine: &Engine, clock: &Ahead) {
    for hours in hours {
        sync::run_until_idle(engine).await;
        clock.pass(TimeDelta::hours(*hours) + TimeDelta::minutes(6));
    }
}

/// The cause is gone: everything arrives by itself.
pub async fn everything_arrives(sandbox: Sandbox, engine: &Engine, clock: &Ahead) {
    until_all_is_done(engine, clock).await;
    let (_, problems) = outcome(&sandbox).await.unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    engine.store.close().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_without_the_shop_fails_nothing() {
    let (sandbox, clock) = sandbox(None).await;
    let engine = process(&sandbox, &clock).await;
    sandbox.send_all_events().await.unwrap();
    sandbox.magento.post("/_sim/faults", &json!({ "down": true })).await.unwrap();
    look_after(&[0, 0, 0, 0, 1, 24, 72, 72], &engine, &clock).await;
    let (attempts, _) = rows(&sandbox).await;
    assert_eq!(attempts, 1, "one document met the outage");
    assert!(runs(&sandbox).await.iter().all(|run| run.attempts == 0), "no try counts");
    sandbox.magento.delete("/_sim/faults").await.unwrap();
    everything_arrives(sandbox, &engine, &clock).await;
}

/// A proxy or a filter in front of Sage asks for a password of its own: nothing that Sage has said ends the connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_401_of_somebody_in_front_of_sage_is_an_outage() {
    let (sandbox, clock) = sandbox(None).await;
    let engine = process(&sandbox, &clock).await;
    let filter = json!({ "fail_before": [{ "times": 1_000_000, "status": 401, "bare": true }] });
    sandbox.sage.post("/_sim/faults", &filter).await.unwrap();
    sandbox.sage.delete("/_sim/requests").await.unwrap();
    sandbox.send_all_events().await.unwrap();
    look_after(&[0, 0, 0, 0, 1, 24, 24], &engine, &clock).await;
    let requests = sandbox.sage.get("/_sim/requests").await.unwrap();
    let refreshes = requests.as_array().unwrap().iter().filter(|request| request["path"] == "/token").count();
    assert!(refreshes <= 7, "{refreshes}: no more than one for each look");
    let all = runs(&sandbox).await;
    assert!(all.iter().all(|run| run.status != RunStatus::Failed && run.attempts == 0), "{all:#?}");
    assert!(all.iter().any(|run| run.code == Some(Code::SageUnavailable)));
    let binding = engine.store.binding(sandbox.binding.id).await.unwrap().unwrap();
    assert_eq!(binding.status, BindingStatus::Active);
    sandbox.sage.post("/_sim/faults", &json!({ "fail_before": [] })).await.unwrap();
    everything_arrives(sandbox, &engine, &clock).await;
}

/// Sage reads and does not write: after three documents it is no coincidence.
#[tokio::test(flavor = "multi_thread")]
async fn a_sage_that_only_reads_fails_nothing() {
    let (sandbox, clock) = sandbox(None).await;
    let engine = process(&sandbox, &clock).await;
    let writes = json!({ "fail_before": [{ "times": 1_000_000, "status": 503, "method": "POST" }] });
    sandbox.sage.post("/_sim/faults", &writes).await.unwrap();
    sandbox.send_all_events().await.unwrap();
    look_after(&[0, 0, 0, 0, 1, 2, 4, 8, 12, 24, 24, 24, 24, 24], &engine, &clock).await;
    assert!(runs(&sandbox).await.iter().all(|run| run.status != RunStatus::Failed));
    sandbox.sage.post("/_sim/faults", &json!({ "fail_before": [] })).await.unwrap();
    everything_arrives(sandbox, &engine, &clock).await;
}

/// What Sage cannot digest is one document's fault: its tries count, and the others go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_sage_never_answers_fails_alone() {
    let (sandbox, clock) = sandbox(None).await;
    let engine = process(&sandbox, &clock).await;
    sandbox.shop().unwrap().enqueue("invoice.created", 1, None);
    sandbox.shop().unwrap().run_cron().await;
    let poison = json!({ "fail_before": [{ "times": 1_000_000, "status": 500, "method": "POST", "path": "/sales_invoices" }] });
    sandbox.sage.post("/_sim/faults", &poison).await.unwrap();
    until_all_is_done(&engine, &clock).await;
    let all = runs(&sandbox).await;
    let failed = of(&all, EventName::InvoiceCreated, 1);
    assert_eq!((failed.status, failed.code), (RunStatus::Failed, Some(Code::SageUnavailable)));
    let tried_for = failed.finished_at.unwrap() - failed.created_at;
    assert!(tried_for > TimeDelta::days(8), "nothing else proves that it is this document: {tried_for}");
    engine.store.close().await;
    sandbox.stop().await;
}

/// Twenty documents do not make twenty calls after a 429.
#[tokio::test(flavor = "multi_thread")]
async fn a_business_that_asks_for_a_pause_gets_it() {
    let (sandbox, clock) = sandbox(None).await;
    let engine = process(&sandbox, &clock).await;
    let limit = json!({ "rate_limit": [{ "times": 1, "retry_after": 600 }] });
    sandbox.sage.post("/_sim/faults", &limit).await.unwrap();
    sandbox.send_all_events().await.unwrap();
    sandbox.sage.delete("/_sim/requests").await.unwrap();
    sync::run_until_idle(&engine).await;
    clock.pass(TimeDelta::minutes(9));
    sync::run_until_idle(&engine).await;
    let calls: Value = sandbox.sage.get("/_sim/requests").await.unwrap();
    let calls = calls.as_array().unwrap().iter().filter(|call| call["path"] != "/token").count();
    assert_eq!(calls, 1, "the one that was told to wait");
    assert!(runs(&sandbox).await.iter().all(|run| run.attempts == 0));
    clock.pass(TimeDelta::minutes(2));
    everything_arrives(sandbox, &engine, &clock).await;
}
