//! The customer within an invoice is news of that customer: the contact follows, once, and nothing else changes.

use std::time::{Duration, Instant};

use domain::{
    environment::Environment,
    run::{EventName, RunStatus},
};
use serde_json::{Value, json};
use server::{
    demo::once::outcome,
    environment::Machine,
    sandbox::{Options, Sandbox},
};
use simulators::magento::Documents;
use store::{PageRequest, Run};

const OLD: &str = "+44 113 496 0000";
const NEW: &str = "07700 900999";

/// When the customer was changed last, with the telephone number of that day.
const BEFORE: (&str, &str) = ("2026-11-24T00:03:10Z", OLD);
const AFTER: (&str, &str) = ("2026-11-25T09:00:00Z", NEW);

/// Copies of a real invoice, numbered from 1, of a customer who is told so in each; the customer's own document tells `AFTER`.
fn documents(told: &[(&str, &str)]) -> Documents {
    let invoice: Value =
        serde_json::from_str(include_str!("../../../fixtures/documents/invoice-1a.json")).unwrap();
    let customer: Value =
        serde_json::from_str(include_str!("../../../fixtures/documents/customer-1.json")).unwrap();
    let copies = told.iter().enumerate().map(|(at, told)| {
        let mut copy = invoice.clone();
        copy["magento_id"] = (at + 1).into();
        copy["increment_id"] = format!("{:09}", at + 1).into();
        copy["customer"] = changed(copy["customer"].clone(), *told);
        copy
    });
    Documents::from_values(copies.chain([changed(customer.clone(), AFTER)]).collect()).unwrap()
}

fn changed(mut customer: Value, (updated_at, phone): (&str, &str)) -> Value {
    customer["updated_at"] = updated_at.into();
    customer["phone"] = phone.into();
    customer
}

async fn sandbox(told: &[(&str, &str)], database_url: Option<String>) -> Sandbox {
    let documents = Some(documents(told));
    Sandbox::set(Options { documents, worker: false, database_url, ..Options::default() }).await.unwrap()
}

/// Lets one event go all the way; the calls to Sage that it took and that change something.
async fn work(sandbox: &Sandbox, event: &str, id: u64) -> Vec<String> {
    send(sandbox, event, id).await;
    let before = calls(sandbox).await.len();
    sync::run_until_idle(&sandbox.process.engine).await;
    calls(sandbox).await.split_off(before)
}

async fn send(sandbox: &Sandbox, event: &str, id: u64) {
    sandbox.shop().unwrap().enqueue(event, id, None);
    sandbox.shop().unwrap().run_cron().await;
}

/// Every call to Sage's API, as a method and a resource; without the search for documents that are older than Sage's memory of
/// idempotency ids, which depends on the day of the test.
async fn calls(sandbox: &Sandbox) -> Vec<String> {
    let requests = sandbox.sage.get("/_sim/requests").await.unwrap();
    let calls = requests.as_array().unwrap().iter().filter_map(|request| {
        let resource = request["path"].as_str()?.strip_prefix("/v3.1/")?.split(['/', '?']).next()?;
        Some(format!("{} {resource}", request["method"].as_str()?))
    });
    calls.filter(|call| !call.starts_with("GET ")).collect()
}

async fn updates(sandbox: &Sandbox) -> usize {
    calls(sandbox).await.iter().filter(|call| *call == UPDATE).count()
}

const UPDATE: &str = "PUT contacts";
const INVOICE: &str = "POST sales_invoices";

async fn telephone(sandbox: &Sandbox) -> String {
    let books = sandbox.books().await.unwrap();
    let contacts = books["contacts"].as_array().unwrap();
    let own: Vec<&Value> = contacts.iter().filter(|contact| contact["reference"] == "M1").collect();
    assert_eq!(own.len(), 1, "{contacts:#?}");
    own[0]["main_contact_person"]["telephone"].as_str().unwrap().to_owned()
}

async fn run(sandbox: &Sandbox, event: EventName, id: i64) -> Run {
    let request = PageRequest { limit: 50, ..PageRequest::default() };
    let page = sandbox.process.engine.store.page_runs(sandbox.organisation, &request).await.unwrap();
    page.runs.into_iter().find(|run| run.event == event && run.magento_id == id).unwrap()
}

/// A person's retry of an invoice's run; the calls that it took.
async fn retry(sandbox: &Sandbox, id: i64) -> Vec<String> {
    let (store, before) = (&sandbox.process.engine.store, calls(sandbox).await.len());
    let run = run(sandbox, EventName::InvoiceCreated, id).await;
    store.retry_run(sandbox.organisation, run.id, Machine.now(), None).await.unwrap();
    sync::run_until_idle(&sandbox.process.engine).await;
    calls(sandbox).await.split_off(before)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_customer_within_an_invoice_updates_the_contact_once() {
    changed_customer(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_customer_within_an_invoice_updates_the_contact_once_on_postgres() {
    let Some(database_url) = crate::postgres::database().await else { return };
    changed_customer(Some(database_url)).await;
}

async fn changed_customer(database_url: Option<String>) {
    let sandbox = sandbox(&[BEFORE, BEFORE, AFTER, AFTER, BEFORE], database_url).await;
    assert_eq!(work(&sandbox, "invoice.created", 1).await, ["POST contacts", INVOICE]);
    assert_eq!(work(&sandbox, "invoice.paid", 2).await, [INVOICE, "POST contact_payments"], "nothing is new");
    assert_eq!(telephone(&sandbox).await, OLD);
    assert_eq!(work(&sandbox, "invoice.created", 3).await, [UPDATE, INVOICE]);
    assert_eq!(telephone(&sandbox).await, NEW);
    assert_eq!(work(&sandbox, "invoice.paid", 3).await, ["POST contact_payments"]);
    assert_eq!(work(&sandbox, "invoice.created", 4).await, [INVOICE], "that is known by now");
    assert_eq!(work(&sandbox, "invoice.created", 5).await, [INVOICE], "older news");
    assert_eq!(telephone(&sandbox).await, NEW);
    assert!(retry(&sandbox, 3).await.is_empty());
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_event_of_the_customer_brought_is_no_news_within_an_invoice() {
    let sandbox = sandbox(&[BEFORE, AFTER, BEFORE], None).await;
    work(&sandbox, "invoice.created", 1).await;
    assert_eq!(work(&sandbox, "customer.upserted", 1).await, [UPDATE]);
    assert_eq!(telephone(&sandbox).await, NEW);
    assert_eq!(work(&sandbox, "invoice.created", 2).await, [INVOICE]);
    assert_eq!(work(&sandbox, "invoice.created", 3).await, [INVOICE]);
    assert_eq!(telephone(&sandbox).await, NEW);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_an_event_of_the_customer_made_is_known_to_the_invoices() {
    let sandbox = sandbox(&[AFTER, BEFORE], None).await;
    assert_eq!(work(&sandbox, "customer.upserted", 1).await, ["POST contacts"]);
    assert_eq!(work(&sandbox, "invoice.created", 1).await, [INVOICE]);
    assert_eq!(work(&sandbox, "invoice.created", 2).await, [INVOICE]);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_an_earlier_request_made_is_brought_up_to_date_at_once() {
    let sandbox = sandbox(&[BEFORE, AFTER, AFTER, AFTER], None).await;
    // The contact is made, but its answer is lost, and then the customer has changed: the same request goes out again, and an update.
    let lost =
        json!({ "times": 1, "method": "POST", "path": "/contacts", "status": 503, "retry_after": 3600 });
    sandbox.sage.post("/_sim/faults", &json!({ "fail_after": [lost] })).await.unwrap();
    send(&sandbox, "invoice.created", 1).await;
    let all = ["POST contacts", "POST contacts", UPDATE, INVOICE];
    assert_eq!(work(&sandbox, "invoice.created", 2).await, all, "the first is of the invoice before");
    assert_eq!(telephone(&sandbox).await, NEW);
    assert_eq!(work(&sandbox, "invoice.created", 3).await, [INVOICE]);
    assert_eq!(retry(&sandbox, 1).await, [INVOICE], "older news");
    assert_eq!(work(&sandbox, "invoice.created", 4).await, [INVOICE]);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_sage_refuses_shows_in_the_trail_and_holds_no_invoice_up() {
    let sandbox = sandbox(&[BEFORE, AFTER, AFTER], None).await;
    work(&sandbox, "invoice.created", 1).await;
    let refused = json!({ "times": 1, "method": "PUT", "path": "/contacts/", "status": 422 });
    sandbox.sage.post("/_sim/faults", &json!({ "fail_before": [refused] })).await.unwrap();
    assert_eq!(work(&sandbox, "invoice.created", 2).await, [UPDATE, INVOICE]);
    let posted = run(&sandbox, EventName::InvoiceCreated, 2).await;
    assert_eq!(posted.status, RunStatus::Succeeded);
    let attempts = sandbox.process.engine.store.attempts(sandbox.organisation, posted.id).await.unwrap();
    let step = attempts[0].steps.iter().find(|step| step.method == "PUT").unwrap();
    assert_eq!((step.name.as_str(), step.status), ("contact:GBP", Some(422)), "{step:?}");
    assert_eq!(telephone(&sandbox).await, OLD);
    // It is not taken for told: the next invoice brings it.
    assert_eq!(work(&sandbox, "invoice.created", 3).await, [UPDATE, INVOICE]);
    assert_eq!(telephone(&sandbox).await, NEW);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_was_answered_is_not_repeated_when_its_invoice_is() {
    let sandbox = sandbox(&[BEFORE, AFTER], None).await;
    work(&sandbox, "invoice.created", 1).await;
    let faults = json!({ "fail_after": [{ "times": 1, "method": "POST", "path": "/sales_invoices" }] });
    sandbox.sage.post("/_sim/faults", &faults).await.unwrap();
    assert_eq!(work(&sandbox, "invoice.created", 2).await, [UPDATE, INVOICE]);
    assert_eq!(run(&sandbox, EventName::InvoiceCreated, 2).await.status, RunStatus::Retrying);
    assert_eq!(retry(&sandbox, 2).await, [INVOICE], "the same invoice under the same id");
    assert_eq!(sandbox.books().await.unwrap()["sales_invoices"].as_array().unwrap().len(), 2);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_whose_answer_is_lost_is_repeated_before_anything_is_posted() {
    let sandbox = sandbox(&[BEFORE, AFTER], None).await;
    work(&sandbox, "invoice.created", 1).await;
    let faults = json!({ "cut_after": [{ "times": 1, "method": "PUT", "path": "/contacts/" }] });
    sandbox.sage.post("/_sim/faults", &faults).await.unwrap();
    assert_eq!(work(&sandbox, "invoice.created", 2).await, [UPDATE]);
    assert_eq!(run(&sandbox, EventName::InvoiceCreated, 2).await.status, RunStatus::Retrying);
    assert_eq!(retry(&sandbox, 2).await, [UPDATE, INVOICE]);
    assert_eq!(telephone(&sandbox).await, NEW);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_after_an_update_posts_the_invoice_once() {
    let sandbox = sandbox(&[BEFORE, AFTER], None).await;
    work(&sandbox, "invoice.created", 1).await;
    let slow = json!({ "times": 1, "method": "POST", "path": "/sales_invoices", "ms": 2000 });
    sandbox.sage.post("/_sim/faults", &json!({ "latency_ms": [slow] })).await.unwrap();
    send(&sandbox, "invoice.created", 2).await;
    let mut process = crate::crash::worker(&sandbox);
    let begun = Instant::now();
    while updates(&sandbox).await == 0 && begun.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    process.kill().unwrap();
    process.wait().unwrap();
    let mut process = crate::crash::worker(&sandbox);
    let (runs, problems) = outcome(&sandbox).await.unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(problems.is_empty(), "{problems:#?}\n{runs:#?}");
    assert!(run(&sandbox, EventName::InvoiceCreated, 2).await.attempts > 1, "the kill fell into no run");
    // Killed between an answer and its record, an update goes out again: it says the same, so nothing doubles.
    assert!((1..=2).contains(&updates(&sandbox).await));
    assert_eq!(telephone(&sandbox).await, NEW);
    assert_eq!(sandbox.books().await.unwrap()["sales_invoices"].as_array().unwrap().len(), 2);
    sandbox.stop().await;
}
