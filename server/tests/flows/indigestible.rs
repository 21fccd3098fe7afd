//! Documents that Sage answers 500 for, for ever, stand before sound ones: they hold up nobody for long, and are known in the end.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    code::Code,
    run::{BindingStatus, EventName, RunStatus},
};
use serde_json::{Value, json};
use server::sandbox::{Options, Sandbox};
use simulators::magento::Documents;
use store::Run;
use sync::Engine;

use crate::{
    documents::of,
    outages::{process, runs},
    poison::invoice,
    postgres,
    refreshing::Ahead,
};

/// The sound documents behind.
const SOUND: i64 = 10;
/// Long enough for each of the others to have its turn at the pace of an outage.
const PATIENCE: TimeDelta = TimeDelta::minutes(15);

async fn send(sandbox: &Sandbox, ids: impl Iterator<Item = i64>) {
    for id in ids {
        for event in ["invoice.created", "invoice.paid"] {
            sandbox.shop().unwrap().enqueue(event, id.unsigned_abs(), None);
        }
    }
    sandbox.shop().unwrap().run_cron().await;
}

/// Time passes until these invoices and their payments have arrived; for how long.
async fn until_arrived(
    sandbox: &Sandbox,
    (engine, clock): (&Engine, &Ahead),
    ids: impl Iterator<Item = i64> + Clone,
) -> TimeDelta {
    let begun = engine.environment.now();
    loop {
        sync::run_until_idle(engine).await;
        let all = runs(sandbox).await;
        let has_arrived = |event, id| of(&all, event, id).status == RunStatus::Succeeded;
        let passed = engine.environment.now() - begun;
        if ids
            .clone()
            .all(|id| has_arrived(EventName::InvoiceCreated, id) && has_arrived(EventName::InvoicePaid, id))
        {
            return passed;
        }
        assert!(passed < PATIENCE, "{:#?}", brief(&all));
        let due = engine.store.next_due().await.unwrap().unwrap();
        clock.pass((due - engine.environment.now()).max(TimeDelta::zero()) + TimeDelta::seconds(1));
    }
}

fn brief(runs: &[Run]) -> Vec<String> {
    let told = |run: &Run| {
        format!("{} {} {} {:?} {}", run.event, run.magento_id, run.status, run.code, run.attempts)
    };
    runs.iter().map(told).collect()
}

/// Sage cannot digest these invoices, in whatever request they come.
fn indigestible(ids: impl Iterator<Item = i64>) -> Value {
    let rule =
        |id| json!({ "times": 1_000_000, "status": 500, "method": "POST", "body": format!("\"{id:09}\"") });
    json!({ "fail_before": ids.map(rule).collect::<Vec<_>>() })
}

async fn stand_first(poison: i64, database_url: Option<String>) {
    let last = poison + SOUND;
    let documents = Documents::from_values((1..=last).map(invoice).collect()).unwrap();
    let clock = Arc::new(Ahead::default());
    let simulators = clock.clone();
    let options =
        Options { documents: Some(documents), worker: false, database_url, simulators, ..Options::default() };
    let sandbox = Sandbox::set(options).await.unwrap();
    let engine = process(&sandbox, &clock).await;
    sandbox.sage.post("/_sim/faults", &indigestible(1..=poison)).await.unwrap();
    send(&sandbox, 1..=last).await;
    let took = until_arrived(&sandbox, (&engine, &clock), poison + 1..=last).await;
    eprintln!("{SOUND} sound documents behind {poison} took {took}");
    let all = runs(&sandbox).await;
    for id in 1..=poison {
        let run = of(&all, EventName::InvoiceCreated, id);
        assert_eq!(
            (run.status, run.code),
            (RunStatus::Retrying, Some(Code::SageUnavailable)),
            "{id}: no haste"
        );
    }
    // By the schedule, while others get through, and then it is known which ones do not.
    let other = of(&all, EventName::InvoiceCreated, last).id;
    for _ in 0..36 {
        clock.pass(TimeDelta::hours(1));
        sync::run_until_idle(&engine).await;
        engine.store.retry_run(sandbox.organisation, other, engine.environment.now(), None).await.unwrap();
        sync::run_until_idle(&engine).await;
    }
    let all = runs(&sandbox).await;
    for id in 1..=poison {
        let run = of(&all, EventName::InvoiceCreated, id);
        let told = (run.status, run.code);
        assert_eq!(told, (RunStatus::Failed, Some(Code::SageUnavailable)), "{:#?}", brief(&all));
    }
    let books = sandbox.books().await.unwrap();
    assert_eq!(books["sales_invoices"].as_array().unwrap().len(), usize::try_from(SOUND).unwrap());
    let binding = engine.store.binding(sandbox.binding.id).await.unwrap().unwrap();
    assert_eq!(binding.status, BindingStatus::Active);
    engine.store.close().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_documents_that_sage_never_answers_hold_up_nobody() {
    stand_first(3, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_documents_that_sage_never_answers_hold_up_nobody() {
    stand_first(5, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fourteen_documents_that_sage_never_answers_hold_up_nobody() {
    stand_first(14, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_documents_that_sage_never_answers_hold_up_nobody_on_postgres() {
    let Some(database_url) = postgres::database().await else { return };
    stand_first(5, Some(database_url)).await;
}
