//! What people do at the desk: retry thousands at once, take the history out as a file, keep a document out of Sage.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use domain::{
    code::Code,
    environment::Environment,
    ids::RunId,
    run::{ActionKind, BulkState, EventName, RunStatus},
};
use reqwest::header;
use serde_json::Value;
use server::{
    environment::Machine,
    sandbox::{EMAIL, Options, PASSWORD, Sandbox},
};
use store::{ActionFilter, BulkRetry, PageRequest, Run, RunFacts, RunFilter};
use sync::run_until_idle;

use crate::{browser, crash, documents::of, postgres::database};

async fn sandbox(database_url: Option<String>) -> Sandbox {
    Sandbox::set(Options { worker: false, database_url, ..Options::default() }).await.unwrap()
}

/// Saves of products that have failed; none of them needs Sage or Magento when it is worked again, as products are not synced.
fn failures(sandbox: &Sandbox, number: i64) -> Vec<Run> {
    let now = Machine.now() - TimeDelta::hours(1);
    let run = |magento_id| Run {
        id: RunId(Machine.id()),
        binding_id: sandbox.binding.id,
        event: EventName::ProductUpserted,
        magento_id,
        status: RunStatus::Failed,
        code: Some(Code::SageValidation),
        message: Some("The name is too long.".to_owned()),
        attempts: 1,
        next_at: now,
        settings_version: 1,
        facts: RunFacts {
            increment_id: Some(format!("SKU-{magento_id}")),
            customer: Some("=HYPERLINK(\"http://evil.example\")".to_owned()),
            currency: Some("GBP".to_owned()),
            amount_minor: Some(-magento_id),
            ..RunFacts::default()
        },
        website_id: 1,
        store_id: 1,
        occurred_at: now,
        created_at: now,
        updated_at: now,
        finished_at: Some(now),
        started_at: Some(now),
        resolved_by: None,
        trace_parent: None,
    };
    (1..=number).map(run).collect()
}

async fn count(sandbox: &Sandbox, status: RunStatus) -> i64 {
    let filter = RunFilter { status: Some(status), ..RunFilter::default() };
    sandbox.process.engine.store.count_matching(sandbox.organisation, &filter, 100_000).await.unwrap()
}

async fn bulk(sandbox: &Sandbox) -> BulkRetry {
    sandbox.process.engine.store.list_bulk_retries(sandbox.organisation, 1).await.unwrap().remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_are_retried_once_each_through_two_restarts() {
    retried(sandbox(None).await, 10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_are_retried_once_each_on_postgres() {
    let Some(database_url) = database().await else { return };
    retried(sandbox(Some(database_url)).await, 3_000).await;
}

async fn retried(sandbox: Sandbox, number: i64) {
    let store = &sandbox.process.engine.store;
    store.seed_for_bench(sandbox.organisation, &failures(&sandbox, number)).await.unwrap();
    let cookie = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    let question =
        browser::page(&sandbox, &cookie, "/dashboard/sync/retry?q=status:failed%20amount:%3C0").await;
    let words = format!("{},000 runs match.", number / 1_000);
    assert!(question.contains(&words) && question.contains("this takes up to"), "{question}");
    let form = [("query", "q=status:failed%20amount:%3C0")];
    let begun = browser::submit(&sandbox, &cookie, "/api/runs/retry-all", &form).await;
    let progress = browser::location(&begun);
    for part in [3, 6] {
        let mut process = crash::worker(&sandbox);
        let patience = Instant::now();
        while bulk(&sandbox).await.retried < number * part / 10 {
            assert!(patience.elapsed() < Duration::from_mins(5), "it does not go on");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        process.kill().unwrap();
        process.wait().unwrap();
        let page = browser::page(&sandbox, &cookie, &progress).await;
        assert!(page.contains("continues automatically") && page.contains("<progress"), "{page}");
    }
    let mut process = crash::worker(&sandbox);
    let patience = Instant::now();
    while count(&sandbox, RunStatus::SkippedByPolicy).await < number {
        assert!(patience.elapsed() < Duration::from_mins(5), "it does not end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    process.kill().unwrap();
    process.wait().unwrap();
    let bulk = bulk(&sandbox).await;
    assert_eq!((bulk.state, bulk.retried, bulk.passed_over), (BulkState::Done, number, 0));
    assert_eq!(retries_recorded(&sandbox).await, number, "each is recorded, and once");
    assert!(browser::page(&sandbox, &cookie, &progress).await.contains("Complete:"));
    sandbox.stop().await;
}

async fn retries_recorded(sandbox: &Sandbox) -> i64 {
    let (mut before, mut number) = (None, 0);
    loop {
        let actions = sandbox
            .process
            .engine
            .store
            .list_actions(sandbox.organisation, &ActionFilter::default(), before, 1_000)
            .await
            .unwrap();
        let Some(last) = actions.last() else { return number };
        before = Some(last.id);
        let retried = actions.iter().filter(|action| action.kind == ActionKind::Retried).count();
        number += i64::try_from(retried).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_is_taken_out_whole_and_disarmed() {
    let sandbox = sandbox(None).await;
    let store = &sandbox.process.engine.store;
    store.seed_for_bench(sandbox.organisation, &failures(&sandbox, 1_234)).await.unwrap();
    let cookie = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    let answer = browser::look(&sandbox, &cookie, "/dashboard/sync/export.csv?status=failed").await;
    let disposition = answer.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned();
    assert!(disposition.starts_with("attachment; filename=\"ledger-runs-"), "{disposition}");
    let table = answer.text().await.unwrap();
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let heads = rows.headers().unwrap().clone();
    let place = |name: &str| heads.iter().position(|head| head == name).unwrap();
    let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1_234);
    assert_eq!(&rows[0][place("status_words")], "Failed");
    assert_eq!(&rows[0][place("customer")], "'=HYPERLINK(\"http://evil.example\")");
    let one = rows.iter().find(|row| &row[place("number")] == "SKU-1234").unwrap();
    assert_eq!(&one[place("amount")], "-12.34");
    let runs: std::collections::BTreeSet<_> = rows.iter().map(|row| row[0].to_owned()).collect();
    assert_eq!(runs.len(), 1_234, "none is there twice");

    let list: Value = serde_json::from_str(
        &browser::page(&sandbox, &cookie, "/dashboard/sync/export.json?q=amount:-12.34").await,
    )
    .unwrap();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["customer"], "=HYPERLINK(\"http://evil.example\")");
    let none = browser::page(&sandbox, &cookie, "/dashboard/sync/export.json?status=queued").await;
    assert_eq!(serde_json::from_str::<Value>(&none).unwrap(), Value::Array(Vec::new()));
    let wrong = browser::look(&sandbox, &cookie, "/dashboard/sync/export.csv?status=borked").await;
    assert_eq!(wrong.status(), 422);
    let actions = store.list_actions(sandbox.organisation, &ActionFilter::default(), None, 9).await.unwrap();
    let told: Vec<_> = actions.iter().map(|action| action.detail.as_str()).collect();
    assert_eq!(told, ["json: status=queued", "json: q=amount%3A-12.34", "csv: status=failed"]);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_excluded_document_stays_out_of_sage_until_that_is_taken_back() {
    let sandbox = sandbox(None).await;
    let engine = &sandbox.process.engine;
    sandbox.send_all_events().await.unwrap();
    let all = PageRequest { limit: 100, ..PageRequest::default() };
    let runs = engine.store.page_runs(sandbox.organisation, &all).await.unwrap().runs;
    let (invoice, memo) =
        (of(&runs, EventName::InvoiceCreated, 2), of(&runs, EventName::CreditmemoCreated, 1));
    let memo_now = async || {
        let run = engine.store.run(sandbox.organisation, memo.id).await.unwrap().unwrap();
        (run.status, run.code)
    };
    let cookie = browser::sign_in(&sandbox, EMAIL, PASSWORD).await;
    let page = format!("/dashboard/sync/{}", invoice.id);
    let id = invoice.id.to_string();
    let form = |reason| [("run_id", id.clone()), ("reason", reason), ("return_to", page.clone())];
    let send = async |path: &str, form: &[(&str, String)]| {
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser::location(&browser::submit(&sandbox, &cookie, path, &form).await)
    };
    let refused = send("/api/runs/exclude", &form(" ".to_owned())).await;
    assert!(!refused.contains("flash="), "a reason is needed: {refused}");
    let done = send("/api/runs/exclude", &form("a test order".to_owned())).await;
    assert_eq!(done, format!("{page}?flash=excluded"));
    run_until_idle(engine).await;
    let now = engine.store.run(sandbox.organisation, invoice.id).await.unwrap().unwrap();
    assert_eq!((now.status, now.code), (RunStatus::SkippedByPolicy, Some(Code::Excluded)));
    assert_eq!(memo_now().await, (RunStatus::SkippedByPolicy, Some(Code::InvoiceNotSynced)));
    let reference = now.facts.increment_id.clone().unwrap();
    let is_in_books = async || {
        let books = sandbox.books().await.unwrap();
        let posted =
            ["sales_invoices", "contact_payments"].map(|list| books[list].as_array().unwrap().clone());
        posted.concat().iter().any(|record| record["reference"] == *reference)
    };
    assert!(!is_in_books().await, "nothing of it is posted, its payment neither");
    let text = browser::page(&sandbox, &cookie, &page).await;
    assert!(
        text.contains("Remove the exclusion") && text.contains("Demo excluded the document: a test order")
    );

    let done = send("/api/runs/include", &form(String::new())).await;
    assert_eq!(done, format!("{page}?flash=included"));
    run_until_idle(engine).await;
    let now = engine.store.run(sandbox.organisation, invoice.id).await.unwrap().unwrap();
    assert_eq!(now.status, RunStatus::Succeeded, "{now:?}");
    assert!(is_in_books().await);
    assert_eq!(memo_now().await, (RunStatus::Succeeded, None), "it went on with its invoice");
    let late = send("/api/runs/exclude", &form("too late".to_owned())).await;
    assert_eq!(late, format!("{page}?flash=may-be-in-sage"));
    sandbox.stop().await;
}
