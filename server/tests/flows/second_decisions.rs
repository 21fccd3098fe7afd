//! What Ledger does next: after a refusal, after an empty search, after a draft that was deleted, and when a record is gone from Sage.
//! Nothing is made twice, nothing is lost, and nothing is called done that is not.

use domain::{
    code::Code,
    policy::{Policy, SafeMode},
    run::{EventName, RunStatus},
};
use serde_json::{Value, json};
use server::{
    demo::once::outcome,
    stage::{Options, Stage},
};
use store::{PageRequest, Run};

use crate::{documents::of, lost_answers::set};

/// A shop whose events are worked by hand.
pub async fn stage(options: Options) -> Stage {
    Stage::set(Options { worker: false, ..options }).await.unwrap()
}

/// Posts an event and works what is due.
pub async fn send(stage: &Stage, event: &str, id: i64) {
    stage.shop().unwrap().enqueue(event, id.cast_unsigned(), None);
    stage.shop().unwrap().run_cron().await;
    work(stage).await;
}

pub async fn work(stage: &Stage) {
    sync::run_until_idle(&stage.process.engine).await;
}

pub async fn run(stage: &Stage, event: EventName, id: i64) -> Run {
    let request = PageRequest { limit: 50, ..PageRequest::default() };
    let runs = stage.process.engine.store.page_runs(stage.organisation, &request).await.unwrap().runs;
    of(&runs, event, id).clone()
}

/// A person presses Retry.
pub async fn retry(stage: &Stage, event: EventName, id: i64) -> Run {
    let (store, now) = (&stage.process.engine.store, stage.process.engine.outside.now());
    store.retry_run(stage.organisation, run(stage, event, id).await.id, now, None).await.unwrap();
    work(stage).await;
    run(stage, event, id).await
}

pub async fn faults(stage: &Stage, faults: Value) {
    stage.sage.post("/_sim/faults", &faults).await.unwrap();
}

pub async fn records(stage: &Stage, list: &str) -> Vec<Value> {
    stage.books().await.unwrap()[list].as_array().unwrap().clone()
}

/// The answer to the first request is lost, the repeat is refused with this status, and somebody retries twice.
async fn a_refused_repeat(status: u16, is_bare: bool, event: EventName, list: &str) {
    let case = format!("{status} {is_bare} {list}");
    let stage = stage(Options::default()).await;
    // The credit memo 1 is of the invoice 2.
    let invoice = if event == EventName::CreditmemoCreated { 2 } else { 1 };
    if event != EventName::InvoiceCreated {
        send(&stage, "invoice.created", invoice).await;
    }
    if event == EventName::CreditmemoCreated {
        send(&stage, "invoice.paid", invoice).await;
    }
    let path = format!("/{list}$");
    faults(&stage, json!({ "fail_after": [{ "times": 1, "method": "POST", "path": path, "status": 504 }] }))
        .await;
    send(&stage, event.as_str(), 1).await;
    let refusal = json!({ "times": 1, "method": "POST", "path": path, "status": status, "bare": is_bare });
    faults(&stage, json!({ "fail_before": [refusal] })).await;
    retry(&stage, event, 1).await;
    let ended = retry(&stage, event, 1).await;
    assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{case}: {:?}", ended.message);
    assert_eq!(records(&stage, list).await.len(), 1, "{case}");
    let (_, problems) = outcome(&stage).await.unwrap();
    assert!(problems.is_empty(), "{case}: {problems:#?}");
    stage.stop().await;
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
async fn a_late_commit(options: Options, meanwhile: fn(&mut Policy)) {
    let stage = stage(options).await;
    let late = json!({ "times": 1, "method": "POST", "path": "/sales_invoices$", "after_s": 40 });
    faults(&stage, json!({ "commit_late": [late] })).await;
    send(&stage, "invoice.created", 1).await;
    assert!(records(&stage, "sales_invoices").await.is_empty(), "it is not there yet");
    set(&stage, meanwhile).await;
    let ended = retry(&stage, EventName::InvoiceCreated, 1).await;
    assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{:?}", ended.message);
    // The simulator goes by the time of the machine, so the first request is let land by hand: Sage knows its id.
    let sent: Vec<Value> = stage.sage.get("/_sim/requests").await.unwrap().as_array().unwrap().clone();
    let ids: Vec<&str> = sent
        .iter()
        .filter(|request| request["method"] == "POST" && request["path"] == "/v3.1/sales_invoices")
        .filter_map(|request| request["body"]["sales_invoice"]["idempotency_id"].as_str())
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1], "the same request was repeated, whatever the settings say by now");
    let invoices = records(&stage, "sales_invoices").await;
    assert_eq!(invoices.len(), 1);
    assert_ne!(invoices[0]["status"]["id"], "DRAFT");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_commit_doubles_nothing_after_the_settings_were_saved() {
    a_late_commit(Options::default(), |policy| policy.invoice_number_prefix = Some("WEB-".to_owned())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_commit_doubles_nothing_when_safe_mode_ends_or_begins() {
    let drafts = Options { safe_mode: SafeMode::Always, ..Options::default() };
    a_late_commit(drafts, |policy| policy.safe_mode = SafeMode::Never).await;
    a_late_commit(Options::default(), |policy| policy.safe_mode = SafeMode::Always).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_in_sage_is_finished_although_the_settings_would_skip_it_now() {
    let stage = stage(Options::default()).await;
    let lost = json!({ "times": 1, "method": "POST", "path": "/sales_invoices$", "status": 504 });
    faults(&stage, json!({ "fail_after": [lost] })).await;
    send(&stage, "invoice.created", 1).await;
    set(&stage, |policy| policy.sync_since = "2999-01-01T00:00:00Z".parse().ok()).await;
    let ended = retry(&stage, EventName::InvoiceCreated, 1).await;
    assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{:?}", ended.message);
    assert_eq!(records(&stage, "sales_invoices").await.len(), 1);
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_whose_deletion_was_not_heard_is_made_again_at_once() {
    let stage = stage(Options { safe_mode: SafeMode::Always, ..Options::default() }).await;
    let lost = json!({ "times": 1, "method": "DELETE", "path": "/sales_invoices/", "status": 504 });
    faults(&stage, json!({ "wrong_totals": 1, "fail_after": [lost] })).await;
    send(&stage, "invoice.created", 1).await;
    let ended = retry(&stage, EventName::InvoiceCreated, 1).await;
    assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{:?}", ended.message);
    let invoices = records(&stage, "sales_invoices").await;
    assert_eq!(invoices.len(), 1);
    assert_eq!(
        (&invoices[0]["total_amount"], &invoices[0]["status"]["id"]),
        (&json!("81.52"), &json!("UNPAID"))
    );
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_was_deleted_in_sage_is_made_again_with_the_next_invoice() {
    let stage = stage(Options::default()).await;
    send(&stage, "customer.upserted", 1).await;
    let contact = records(&stage, "contacts").await[0].clone();
    let business =
        stage.process.engine.store.binding(stage.binding.id).await.unwrap().unwrap().business.unwrap();
    let path = format!("/_sim/records/{}/contacts/{}", business.id, contact["id"].as_str().unwrap());
    stage.sage.delete(&path).await.unwrap();
    for event in ["invoice.created", "customer.upserted"] {
        send(&stage, event, 1).await;
        let event = event.parse().unwrap();
        let ended = run(&stage, event, 1).await;
        assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{event}: {:?}", ended.message);
    }
    let contacts = records(&stage, "contacts").await;
    assert_eq!(contacts.iter().filter(|contact| contact["reference"] == "M1").count(), 1);
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_whose_event_comes_first_brings_its_invoice_and_payment_along() {
    let stage = stage(Options::default()).await;
    send(&stage, "creditmemo.created", 1).await;
    // It rests until the payment has been made, and then resumes; here nobody waits for that.
    retry(&stage, EventName::CreditmemoCreated, 1).await;
    for event in [EventName::InvoiceCreated, EventName::InvoicePaid, EventName::CreditmemoCreated] {
        let id = if event == EventName::CreditmemoCreated { 1 } else { 2 };
        assert_eq!(run(&stage, event, id).await.status, RunStatus::Succeeded, "{event}");
    }
    // The late events of the invoice find its runs there.
    send(&stage, "invoice.created", 2).await;
    send(&stage, "invoice.paid", 2).await;
    let books = stage.books().await.unwrap();
    let invoices = books["sales_invoices"].as_array().unwrap();
    assert_eq!((invoices.len(), &invoices[0]["status"]["id"]), (1, &json!("PAID")));
    let notes = books["sales_credit_notes"].as_array().unwrap();
    assert_eq!((notes.len(), &notes[0]["status"]["id"]), (1, &json!("PAID")));
    assert_eq!(books["contact_payments"].as_array().unwrap().len(), 2, "a receipt and a refund");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_between_its_invoice_and_the_payments_event_brings_the_payment_along() {
    let stage = stage(Options::default()).await;
    send(&stage, "invoice.created", 2).await;
    send(&stage, "creditmemo.created", 1).await;
    retry(&stage, EventName::CreditmemoCreated, 1).await;
    // The shop's own event is late, and finds the run there.
    send(&stage, "invoice.paid", 2).await;
    for (event, id) in [(EventName::InvoicePaid, 2), (EventName::CreditmemoCreated, 1)] {
        let run = run(&stage, event, id).await;
        assert_eq!(run.status, RunStatus::Succeeded, "{event}: {:?} {:?}", run.code, run.message);
    }
    let of = async |list| records(&stage, list).await.len();
    let counts = (of("sales_invoices").await, of("sales_credit_notes").await);
    assert_eq!((counts, of("contact_allocations").await), ((1, 1), 0), "nothing was left to allocate to");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_made_from_an_order_waits_for_a_sale_that_covers_it() {
    let stage = stage(Options::default()).await;
    send(&stage, "creditmemo.created", 2).await;
    let waiting = run(&stage, EventName::CreditmemoCreated, 2).await;
    assert_eq!((waiting.status, waiting.code), (RunStatus::Retrying, Some(Code::SaleNotInSage)));
    assert!(records(&stage, "sales_credit_notes").await.is_empty());
    send(&stage, "invoice.created", 2).await;
    let ended = retry(&stage, EventName::CreditmemoCreated, 2).await;
    assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{:?}", ended.message);
    stage.stop().await;
}

/// Renames a record that Ledger has made and this binding no longer knows, and brings the event again: it is found by its reference.
async fn an_adopted_record(event: &str, list: &str, known_by: (&str, &str)) {
    let stage = stage(Options::default()).await;
    set(&stage, |policy| policy.sync_products = true).await;
    send(&stage, event, 1).await;
    let made =
        records(&stage, list).await.into_iter().find(|record| record[known_by.0] == known_by.1).unwrap();
    stage.stop().await;

    let stage = self::stage(Options::default()).await;
    set(&stage, |policy| policy.sync_products = true).await;
    let business =
        stage.process.engine.store.binding(stage.binding.id).await.unwrap().unwrap().business.unwrap();
    let path = format!("/_sim/records/{}/{list}/{}", business.id, made["id"].as_str().unwrap());
    let mut older = made.clone();
    for name in ["name", "description"].iter().filter(|name| made.get(**name).is_some()) {
        older[*name] = json!("An older name");
    }
    stage.sage.patch(&path, &older).await.unwrap();
    send(&stage, event, 1).await;
    let ended = run(&stage, event.parse().unwrap(), 1).await;
    assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{event}: {:?}", ended.message);
    let all = records(&stage, list).await;
    let found: Vec<_> = all.iter().filter(|record| record[known_by.0] == known_by.1).collect();
    assert_eq!(found.len(), 1, "{event}: {all:#?}");
    for name in ["name", "description"] {
        assert_eq!(found[0].get(name), made.get(name), "{event}: it says what Magento says");
    }
    stage.stop().await;
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
        let stage = stage(Options::default()).await;
        if event == EventName::CreditmemoCreated {
            send(&stage, "invoice.created", 2).await;
            send(&stage, "invoice.paid", 2).await;
        }
        let lost = json!({ "times": 1, "method": "POST", "path": format!("/{list}$"), "status": 504 });
        faults(&stage, json!({ "fail_after": [lost] })).await;
        send(&stage, event.as_str(), 1).await;
        let made = records(&stage, list).await[0].clone();
        let business =
            stage.process.engine.store.binding(stage.binding.id).await.unwrap().unwrap().business.unwrap();
        let path = format!("/_sim/records/{}/{list}/{}", business.id, made["id"].as_str().unwrap());
        stage.sage.patch(&path, &json!({ "status": { "id": "VOID" } })).await.unwrap();
        let ended = retry(&stage, event, 1).await;
        assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{list}: {:?}", ended.message);
        let valid = records(&stage, list).await.into_iter().filter(|record| record["status"]["id"] != "VOID");
        assert_eq!(valid.count(), 1, "{list}");
        stage.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_waits_for_a_payment_that_failed() {
    let stage = stage(Options::default()).await;
    send(&stage, "invoice.created", 2).await;
    let refused = json!({ "times": 1, "method": "POST", "path": "/contact_payments", "status": 422 });
    faults(&stage, json!({ "fail_before": [refused] })).await;
    send(&stage, "invoice.paid", 2).await;
    assert_eq!(run(&stage, EventName::InvoicePaid, 2).await.status, RunStatus::Failed);
    send(&stage, "creditmemo.created", 1).await;
    assert!(records(&stage, "sales_credit_notes").await.is_empty());
    for event in [EventName::InvoicePaid, EventName::CreditmemoCreated] {
        let id = if event == EventName::InvoicePaid { 2 } else { 1 };
        let ended = retry(&stage, event, id).await;
        assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{event}: {:?}", ended.message);
    }
    stage.stop().await;
}
