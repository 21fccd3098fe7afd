//! What Ledger does next: after a refusal, after an empty search, after a draft that was deleted, and when a record is gone from Sage.
//! Nothing is made twice, nothing is lost, and nothing is called done that is not.

use domain::{
    code::Code,
    run::{EventName, RunStatus},
    settings::{SafeMode, Settings},
};
use serde_json::{Value, json};
use server::{
    demo::once::outcome,
    sandbox::{Options, Sandbox},
};
use store::{PageRequest, Run};

use crate::{documents::of, lost_answers::set};

/// A shop whose events are worked by hand.
pub async fn sandbox(options: Options) -> Sandbox {
    Sandbox::set(Options { worker: false, ..options }).await.unwrap()
}

/// Posts an event and works what is due.
pub async fn send(sandbox: &Sandbox, event: &str, id: i64) {
    sandbox.shop().unwrap().enqueue(event, id.cast_unsigned(), None);
    sandbox.shop().unwrap().run_cron().await;
    work(sandbox).await;
}

pub async fn work(sandbox: &Sandbox) {
    sync::run_until_idle(&sandbox.process.engine).await;
}

pub async fn run(sandbox: &Sandbox, event: EventName, id: i64) -> Run {
    let request = PageRequest { limit: 50, ..PageRequest::default() };
    let runs = sandbox.process.engine.store.page_runs(sandbox.organisation, &request).await.unwrap().runs;
    of(&runs, event, id).clone()
}

/// A person presses Retry.
pub async fn retry(sandbox: &Sandbox, event: EventName, id: i64) -> Run {
    let (store, now) = (&sandbox.process.engine.store, sandbox.process.engine.environment.now());
    store.retry_run(sandbox.organisation, run(sandbox, event, id).await.id, now, None).await.unwrap();
    work(sandbox).await;
    run(sandbox, event, id).await
}

pub async fn faults(sandbox: &Sandbox, faults: Value) {
    sandbox.sage.post("/_sim/faults", &faults).await.unwrap();
}

pub async fn records(sandbox: &Sandbox, list: &str) -> Vec<Value> {
    sandbox.books().await.unwrap()[list].as_array().unwrap().clone()
}

/// The answer to the first request is lost, the repeat is refused with this status, and somebody retries twice.
async fn a_refused_repeat(status: u16, is_bare: bool, event: EventName, list: &str) {
    let case = format!("{status} {is_bare} {list}");
    let sandbox = sandbox(Options::default()).await;
    // The credit memo 1 is of the invoice 2.
    let invoice = if event == EventName::CreditmemoCreated { 2 } else { 1 };
    if event != EventName::InvoiceCreated {
        send(&sandbox, "invoice.created", invoice).await;
    }
    if event == EventName::CreditmemoCreated {
        send(&sandbox, "invoice.paid", invoice).await;
    }
    let path = format!("/{list}$");
    faults(
        &sandbox,
        json!({ "fail_after": [{ "times": 1, "method": "POST", "path": path, "status": 504 }] }),
    )
    .await;
    send(&sandbox, event.as_str(), 1).await;
    let refusal = json!({ "times": 1, "method": "POST", "path": path, "status": status, "bare": is_bare });
    faults(&sandbox, json!({ "fail_before": [refusal] })).await;
    retry(&sandbox, event, 1).await;
    let ended = retry(&sandbox, event, 1).await;
    assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{case}: {:?}", ended.message);
    assert_eq!(records(&sandbox, list).await.len(), 1, "{case}");
    let (_, problems) = outcome(&sandbox).await.unwrap();
    assert!(problems.is_empty(), "{case}: {problems:#?}");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_that_is_refused_never_doubles_an_invoice() {
    for status in [400, 403, 404, 409, 413, 422, 423, 425] {
        for is_bare in [false, true] {
            a_refused_repeat(status, is_bare, EventName::InvoiceCreated, "sales_invoices").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_that_is_refused_never_doubles_a_payment_or_a_credit_note() {
    for (status, is_bare) in [(404, true), (409, false), (422, false)] {
        a_refused_repeat(status, is_bare, EventName::InvoicePaid, "contact_payments").await;
        a_refused_repeat(status, is_bare, EventName::CreditmemoCreated, "sales_credit_notes").await;
    }
}

/// Sage carries the request out 40 s after its gateway gave up; the retry comes sooner and would say something else.
async fn a_late_commit(options: Options, meanwhile: fn(&mut Settings)) {
    let sandbox = sandbox(options).await;
    let late = json!({ "times": 1, "method": "POST", "path": "/sales_invoices$", "after_s": 40 });
    faults(&sandbox, json!({ "commit_late": [late] })).await;
    send(&sandbox, "invoice.created", 1).await;
    assert!(records(&sandbox, "sales_invoices").await.is_empty(), "it is not there yet");
    set(&sandbox, meanwhile).await;
    let ended = retry(&sandbox, EventName::InvoiceCreated, 1).await;
    assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{:?}", ended.message);
    // The simulator goes by the time of the machine, so the first request is let land by hand: Sage knows its id.
    let sent: Vec<Value> = sandbox.sage.get("/_sim/requests").await.unwrap().as_array().unwrap().clone();
    let ids: Vec<&str> = sent
        .iter()
        .filter(|request| request["method"] == "POST" && request["path"] == "/v3.1/sales_invoices")
        .filter_map(|request| request["body"]["sales_invoice"]["idempotency_id"].as_str())
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1], "the same request was repeated, whatever the settings say by now");
    let invoices = records(&sandbox, "sales_invoices").await;
    assert_eq!(invoices.len(), 1);
    assert_ne!(invoices[0]["status"]["id"], "DRAFT");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_commit_doubles_nothing_after_the_settings_were_saved() {
    a_late_commit(Options::default(), |settings| settings.invoice_number_prefix = Some("WEB-".to_owned()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_commit_doubles_nothing_when_safe_mode_ends_or_begins() {
    let drafts = Options { safe_mode: SafeMode::Always, ..Options::default() };
    a_late_commit(drafts, |settings| settings.safe_mode = SafeMode::Never).await;
    a_late_commit(Options::default(), |settings| settings.safe_mode = SafeMode::Always).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_in_sage_is_finished_although_the_settings_would_skip_it_now() {
    let sandbox = sandbox(Options::default()).await;
    let lost = json!({ "times": 1, "method": "POST", "path": "/sales_invoices$", "status": 504 });
    faults(&sandbox, json!({ "fail_after": [lost] })).await;
    send(&sandbox, "invoice.created", 1).await;
    set(&sandbox, |settings| settings.sync_since = "2999-01-01T00:00:00Z".parse().ok()).await;
    let ended = retry(&sandbox, EventName::InvoiceCreated, 1).await;
    assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{:?}", ended.message);
    assert_eq!(records(&sandbox, "sales_invoices").await.len(), 1);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_whose_deletion_was_not_heard_is_made_again_at_once() {
    let sandbox = sandbox(Options { safe_mode: SafeMode::Always, ..Options::default() }).await;
    let lost = json!({ "times": 1, "method": "DELETE", "path": "/sales_invoices/", "status": 504 });
    faults(&sandbox, json!({ "wrong_totals": 1, "fail_after": [lost] })).await;
    send(&sandbox, "invoice.created", 1).await;
    let ended = retry(&sandbox, EventName::InvoiceCreated, 1).await;
    assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{:?}", ended.message);
    let invoices = records(&sandbox, "sales_invoices").await;
    assert_eq!(invoices.len(), 1);
    assert_eq!(
        (&invoices[0]["total_amount"], &invoices[0]["status"]["id"]),
        (&json!("81.52"), &json!("UNPAID"))
    );
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_was_deleted_in_sage_is_made_again_with_the_next_invoice() {
    let sandbox = sandbox(Options::default()).await;
    send(&sandbox, "customer.upserted", 1).await;
    let contact = records(&sandbox, "contacts").await[0].clone();
    let business =
        sandbox.process.engine.store.binding(sandbox.binding.id).await.unwrap().unwrap().business.unwrap();
    let path = format!("/_sim/records/{}/contacts/{}", business.id, contact["id"].as_str().unwrap());
    sandbox.sage.delete(&path).await.unwrap();
    for event in ["invoice.created", "customer.upserted"] {
        send(&sandbox, event, 1).await;
        let event = event.parse().unwrap();
        let ended = run(&sandbox, event, 1).await;
        assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{event}: {:?}", ended.message);
    }
    let contacts = records(&sandbox, "contacts").await;
    assert_eq!(contacts.iter().filter(|contact| contact["reference"] == "M1").count(), 1);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_whose_event_comes_first_brings_its_invoice_and_payment_along() {
    let sandbox = sandbox(Options::default()).await;
    send(&sandbox, "creditmemo.created", 1).await;
    // It rests until the payment has been made, and then resumes; here nobody waits for that.
    retry(&sandbox, EventName::CreditmemoCreated, 1).await;
    for event in [EventName::InvoiceCreated, EventName::InvoicePaid, EventName::CreditmemoCreated] {
        let id = if event == EventName::CreditmemoCreated { 1 } else { 2 };
        assert_eq!(run(&sandbox, event, id).await.status, RunStatus::Succeeded, "{event}");
    }
    // The late events of the invoice find its runs there.
    send(&sandbox, "invoice.created", 2).await;
    send(&sandbox, "invoice.paid", 2).await;
    let books = sandbox.books().await.unwrap();
    let invoices = books["sales_invoices"].as_array().unwrap();
    assert_eq!((invoices.len(), &invoices[0]["status"]["id"]), (1, &json!("PAID")));
    let notes = books["sales_credit_notes"].as_array().unwrap();
    assert_eq!((notes.len(), &notes[0]["status"]["id"]), (1, &json!("PAID")));
    assert_eq!(books["contact_payments"].as_array().unwrap().len(), 2, "a receipt and a refund");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_between_its_invoice_and_the_payments_event_brings_the_payment_along() {
    let sandbox = sandbox(Options::default()).await;
    send(&sandbox, "invoice.created", 2).await;
    send(&sandbox, "creditmemo.created", 1).await;
    retry(&sandbox, EventName::CreditmemoCreated, 1).await;
    // The shop's own event is late, and finds the run there.
    send(&sandbox, "invoice.paid", 2).await;
    for (event, id) in [(EventName::InvoicePaid, 2), (EventName::CreditmemoCreated, 1)] {
        let run = run(&sandbox, event, id).await;
        assert_eq!(run.status, RunStatus::Succeeded, "{event}: {:?} {:?}", run.code, run.message);
    }
    let of = async |list| records(&sandbox, list).await.len();
    let counts = (of("sales_invoices").await, of("sales_credit_notes").await);
    assert_eq!((counts, of("contact_allocations").await), ((1, 1), 0), "nothing was left to allocate to");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_made_from_an_order_waits_for_a_sale_that_covers_it() {
    let sandbox = sandbox(Options::default()).await;
    send(&sandbox, "creditmemo.created", 2).await;
    let waiting = run(&sandbox, EventName::CreditmemoCreated, 2).await;
    assert_eq!((waiting.status, waiting.code), (RunStatus::Retrying, Some(Code::SaleNotInSage)));
    assert!(records(&sandbox, "sales_credit_notes").await.is_empty());
    send(&sandbox, "invoice.created", 2).await;
    let ended = retry(&sandbox, EventName::CreditmemoCreated, 2).await;
    assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{:?}", ended.message);
    sandbox.stop().await;
}

/// Renames a record that Ledger has made and this binding no longer knows, and brings the event again: it is found by its reference.
async fn an_adopted_record(event: &str, list: &str, known_by: (&str, &str)) {
    let sandbox = sandbox(Options::default()).await;
    set(&sandbox, |settings| settings.sync_products = true).await;
    send(&sandbox, event, 1).await;
    let made =
        records(&sandbox, list).await.into_iter().find(|record| record[known_by.0] == known_by.1).unwrap();
    sandbox.stop().await;

    let sandbox = self::sandbox(Options::default()).await;
    set(&sandbox, |settings| settings.sync_products = true).await;
    let business =
        sandbox.process.engine.store.binding(sandbox.binding.id).await.unwrap().unwrap().business.unwrap();
    let path = format!("/_sim/records/{}/{list}/{}", business.id, made["id"].as_str().unwrap());
    let mut older = made.clone();
    for name in ["name", "description"].iter().filter(|name| made.get(**name).is_some()) {
        older[*name] = json!("An older name");
    }
    sandbox.sage.patch(&path, &older).await.unwrap();
    send(&sandbox, event, 1).await;
    let ended = run(&sandbox, event.parse().unwrap(), 1).await;
    assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{event}: {:?}", ended.message);
    let all = records(&sandbox, list).await;
    let found: Vec<_> = all.iter().filter(|record| record[known_by.0] == known_by.1).collect();
    assert_eq!(found.len(), 1, "{event}: {all:#?}");
    for name in ["name", "description"] {
        assert_eq!(found[0].get(name), made.get(name), "{event}: it says what Magento says");
    }
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_found_in_sage_says_what_magento_says_before_its_run_succeeds() {
    an_adopted_record("customer.upserted", "contacts", ("reference", "M1")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_voided_before_its_answer_was_heard_is_posted_again() {
    for (list, event) in
        [("sales_invoices", EventName::InvoiceCreated), ("sales_credit_notes", EventName::CreditmemoCreated)]
    {
        let sandbox = sandbox(Options::default()).await;
        if event == EventName::CreditmemoCreated {
            send(&sandbox, "invoice.created", 2).await;
            send(&sandbox, "invoice.paid", 2).await;
        }
        let lost = json!({ "times": 1, "method": "POST", "path": format!("/{list}$"), "status": 504 });
        faults(&sandbox, json!({ "fail_after": [lost] })).await;
        send(&sandbox, event.as_str(), 1).await;
        let made = records(&sandbox, list).await[0].clone();
        let business = sandbox
            .process
            .engine
            .store
            .binding(sandbox.binding.id)
            .await
            .unwrap()
            .unwrap()
            .business
            .unwrap();
        let path = format!("/_sim/records/{}/{list}/{}", business.id, made["id"].as_str().unwrap());
        sandbox.sage.patch(&path, &json!({ "status": { "id": "VOID" } })).await.unwrap();
        let ended = retry(&sandbox, event, 1).await;
        assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{list}: {:?}", ended.message);
        let valid =
            records(&sandbox, list).await.into_iter().filter(|record| record["status"]["id"] != "VOID");
        assert_eq!(valid.count(), 1, "{list}");
        sandbox.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_waits_for_a_payment_that_failed() {
    let sandbox = sandbox(Options::default()).await;
    send(&sandbox, "invoice.created", 2).await;
    let refused = json!({ "times": 1, "method": "POST", "path": "/contact_payments", "status": 422 });
    faults(&sandbox, json!({ "fail_before": [refused] })).await;
    send(&sandbox, "invoice.paid", 2).await;
    assert_eq!(run(&sandbox, EventName::InvoicePaid, 2).await.status, RunStatus::Failed);
    send(&sandbox, "creditmemo.created", 1).await;
    assert!(records(&sandbox, "sales_credit_notes").await.is_empty());
    for event in [EventName::InvoicePaid, EventName::CreditmemoCreated] {
        let id = if event == EventName::InvoicePaid { 2 } else { 1 };
        let ended = retry(&sandbox, event, id).await;
        assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{event}: {:?}", ended.message);
    }
    sandbox.stop().await;
}
