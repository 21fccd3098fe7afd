//! Documents on their way: every sum to the penny, every document once, whatever goes wrong between.

use std::time::Duration;

use domain::{
    code::Code,
    run::{EventName, RunStatus},
    settings::SafeMode,
};
use serde_json::{Value, json};
use server::{
    demo::once::outcome,
    sandbox::{Options, Sandbox},
};
use store::Run;

pub fn of(runs: &[Run], event: EventName, id: i64) -> &Run {
    runs.iter().find(|run| run.event == event && run.magento_id == id).unwrap()
}

async fn play(options: Options, faults: Value) -> (Sandbox, Vec<Run>) {
    let sandbox = Sandbox::set(options).await.unwrap();
    sandbox.sage.post("/_sim/faults", &faults).await.unwrap();
    sandbox.send_all_events().await.unwrap();
    let (runs, problems) = outcome(&sandbox).await.unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    (sandbox, runs)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_in_the_home_currency_reaches_sage_to_the_penny() {
    let (sandbox, runs) = play(Options::default(), json!({})).await;
    for id in [1, 2, 3, 5, 8, 9] {
        let run = of(&runs, EventName::InvoiceCreated, id);
        assert_eq!(run.status, RunStatus::Succeeded, "{id}: {:?} {:?}", run.code, run.message);
        assert!(run.facts.sage_reference.as_deref().unwrap().starts_with("SI-"), "{:?}", run.facts);
    }
    for id in [1, 2, 3, 5, 9] {
        assert_eq!(of(&runs, EventName::InvoicePaid, id).status, RunStatus::Succeeded, "{id}");
    }
    assert_eq!(of(&runs, EventName::InvoicePaid, 8).code, Some(Code::NothingToPay));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_of_two_invoices_has_one_contact() {
    let (sandbox, _) = play(Options::default(), json!({})).await;
    let books = sandbox.books().await.unwrap();
    let contacts = books["contacts"].as_array().unwrap();
    let of_one = contacts.iter().filter(|contact| contact["reference"] == "M1").count();
    assert_eq!(of_one, 1, "{contacts:#?}");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_are_compared_and_released() {
    let options = Options { safe_mode: SafeMode::Always, ..Options::default() };
    let (sandbox, _) = play(options, json!({})).await;
    for invoice in sandbox.books().await.unwrap()["sales_invoices"].as_array().unwrap() {
        assert_ne!(invoice["status"]["id"], "DRAFT", "{invoice}");
    }
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_5xx_after_the_commit_posts_nothing_twice() {
    let (sandbox, _) = play(Options::default(), json!({ "fail_after": 6 })).await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_5xx_after_the_commit_of_a_draft_or_a_release_posts_nothing_twice() {
    let options = Options { safe_mode: SafeMode::Always, ..Options::default() };
    let faults = json!({ "fail_after": [
        { "times": 2, "method": "POST", "path": "/sales_invoices$" },
        { "times": 2, "method": "POST", "path": "/release" },
        { "times": 2, "method": "POST", "path": "/contact_payments" },
        { "times": 1, "method": "POST", "path": "/contacts" },
    ] });
    let (sandbox, _) = play(options, faults).await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_lines_and_refused_tokens_lose_nothing() {
    let faults = json!({ "cut_after": 3, "cut_before": 2, "fail_before": 2, "refuse_tokens": 1 });
    let (sandbox, _) = play(Options::default(), faults).await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_sum_in_a_draft_never_reaches_the_books() {
    let options = Options { safe_mode: SafeMode::Always, ..Options::default() };
    let sandbox = Sandbox::set(options).await.unwrap();
    sandbox.sage.post("/_sim/faults", &json!({ "wrong_totals": 1 })).await.unwrap();
    sandbox.shop().unwrap().enqueue("invoice.created", 1, None);
    sandbox.shop().unwrap().run_cron().await;
    let (runs, _) = outcome(&sandbox).await.unwrap();
    let run = of(&runs, EventName::InvoiceCreated, 1);
    assert_eq!((run.status, run.code), (RunStatus::Failed, Some(Code::TotalsMismatch)));
    assert!(run.message.as_deref().unwrap().contains("81.52"), "{:?}", run.message);
    assert_eq!(sandbox.books().await.unwrap()["sales_invoices"].as_array().unwrap().len(), 0);

    // The fault is gone: a person's retry makes another draft, and it is right.
    let store = &sandbox.process.engine.store;
    store.retry_run(sandbox.organisation, run.id, chrono::DateTime::UNIX_EPOCH, None).await.unwrap();
    let (runs, problems) = outcome(&sandbox).await.unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!(of(&runs, EventName::InvoiceCreated, 1).status, RunStatus::Succeeded);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_was_left_is_released_although_safe_mode_is_over() {
    let sandbox = Sandbox::set(Options { safe_mode: SafeMode::Always, ..Options::default() }).await.unwrap();
    let fault = json!({ "fail_before": { "times": 1, "path": "/release", "status": 422 } });
    sandbox.sage.post("/_sim/faults", &fault).await.unwrap();
    sandbox.shop().unwrap().enqueue("invoice.created", 1, None);
    sandbox.shop().unwrap().run_cron().await;
    let (runs, _) = outcome(&sandbox).await.unwrap();
    let run = of(&runs, EventName::InvoiceCreated, 1);
    assert_eq!(run.status, RunStatus::Failed, "{:?}", run.message);
    assert_eq!(sandbox.books().await.unwrap()["sales_invoices"][0]["status"]["id"], "DRAFT");

    let store = &sandbox.process.engine.store;
    let mut version = store.current_settings(sandbox.binding.id).await.unwrap().unwrap();
    (version.version, version.settings.safe_mode) = (version.version + 1, SafeMode::Never);
    store.save_settings(sandbox.binding.id, &version, None).await.unwrap();
    store.retry_run(sandbox.organisation, run.id, chrono::DateTime::UNIX_EPOCH, None).await.unwrap();
    let (runs, problems) = outcome(&sandbox).await.unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!(of(&runs, EventName::InvoiceCreated, 1).status, RunStatus::Succeeded);
    let books = sandbox.books().await.unwrap();
    let invoices = books["sales_invoices"].as_array().unwrap();
    assert_eq!(invoices.len(), 1);
    assert_ne!(invoices[0]["status"]["id"], "DRAFT");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_arrives_first_waits_for_its_invoice_or_brings_it_along() {
    let sandbox = Sandbox::set(Options::default()).await.unwrap();
    sandbox.shop().unwrap().enqueue("invoice.paid", 1, None);
    sandbox.shop().unwrap().run_cron().await;
    let (runs, problems) = outcome(&sandbox).await.unwrap();
    assert_eq!(of(&runs, EventName::InvoicePaid, 1).status, RunStatus::Succeeded, "{problems:?}");
    let books = sandbox.books().await.unwrap();
    assert_eq!(books["sales_invoices"].as_array().unwrap().len(), 1);
    assert_eq!(books["sales_invoices"][0]["status"]["id"], "PAID");

    // The late `invoice.created` finds it there.
    sandbox.shop().unwrap().enqueue("invoice.created", 1, None);
    sandbox.shop().unwrap().run_cron().await;
    let (runs, _) = outcome(&sandbox).await.unwrap();
    let created = of(&runs, EventName::InvoiceCreated, 1);
    assert_eq!(created.status, RunStatus::Succeeded);
    assert_eq!(created.facts.sage_id.as_deref(), books["sales_invoices"][0]["id"].as_str());
    assert_eq!(sandbox.books().await.unwrap()["sales_invoices"].as_array().unwrap().len(), 1);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_is_down_for_a_while_loses_nothing() {
    let sandbox = Sandbox::set(Options::default()).await.unwrap();
    sandbox
        .magento
        .post("/_sim/faults", &json!({ "not_found": 0, "unauthorized": 1, "refused": 2 }))
        .await
        .unwrap();
    // Not by the shop's own controls: they come by the same door, where the next ones are turned away, and that is meant for Ledger.
    let shop = sandbox.shop().unwrap();
    shop.enqueue_all();
    while shop.run_cron().await > 0 {}
    for _ in 0..2_000 {
        if shop.faults().get().refused == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(shop.faults().get().refused, 0, "Ledger was turned away twice");
    let (_, problems) = outcome(&sandbox).await.unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_is_there_already_is_adopted() {
    let sandbox = Sandbox::set(Options::default()).await.unwrap();
    let business =
        sandbox.process.engine.store.binding(sandbox.binding.id).await.unwrap().unwrap().business.unwrap();
    let contact = json!({ "reference": "M1", "name": "Priya Shah", "email": "priya.shah@example.com",
        "contact_types": [{ "id": "CUSTOMER", "displayed_as": "Customer" }] });
    let path = format!("/_sim/records/{}/contacts/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", business.id);
    sandbox.sage.patch(&path, &contact).await.unwrap();
    sandbox.shop().unwrap().enqueue("invoice.created", 1, None);
    sandbox.shop().unwrap().run_cron().await;
    let (runs, problems) = outcome(&sandbox).await.unwrap();
    assert!(problems.is_empty(), "{problems:#?} {runs:#?}");
    let books = sandbox.books().await.unwrap();
    assert_eq!(books["sales_invoices"][0]["contact"]["id"], "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_finishes_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let database_url = format!("sqlite://{}", folder.path().join("ledger.db").display());
    let sandbox = Sandbox::set(Options { database_url: Some(database_url.clone()), ..Options::default() })
        .await
        .unwrap();
    sandbox
        .sage
        .post("/_sim/faults", &json!({ "latency_ms": [{ "times": 1_000_000, "ms": 300 }] }))
        .await
        .unwrap();
    sandbox.shop().unwrap().enqueue("invoice.created", 1, None);
    sandbox.shop().unwrap().run_cron().await;
    let organisation = sandbox.organisation;
    let request = store::PageRequest { limit: 5, ..store::PageRequest::default() };
    let held = sandbox.process.engine.store.clone();
    let is_running = |run: &store::Run| run.status == RunStatus::Running;
    while !held.page_runs(organisation, &request).await.unwrap().runs.iter().any(is_running) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    sandbox.stop().await;
    let store = server::lifecycle::open_store(&database_url).await.unwrap();
    let runs = store.page_runs(organisation, &request).await.unwrap().runs;
    assert_eq!(runs.iter().map(|run| run.status).collect::<Vec<_>>(), [RunStatus::Succeeded], "{runs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_samples_reach_sage_on_postgres_too() {
    let Some(database_url) = crate::postgres::database().await else { return };
    let options = Options { database_url: Some(database_url), ..Options::default() };
    let (sandbox, _) = play(options, json!({ "fail_after": 4 })).await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn simulators_that_run_by_themselves_serve_as_well() {
    let running =
        server::simulate::start_sage(0, std::sync::Arc::new(server::environment::Machine)).await.unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/documents");
    let documents = simulators::magento::Documents::read(std::path::Path::new(folder)).unwrap();
    let code = "0123456789abcdef".to_owned();
    let never = std::time::Duration::ZERO;
    let shop = server::simulate::start_magento(
        0,
        documents,
        Some(code.clone()),
        never,
        std::sync::Arc::new(server::environment::Machine),
    )
    .await
    .unwrap();
    let options =
        Options { magento: Some((shop.url(), code)), sage_url: Some(running.url()), ..Options::default() };
    let (sandbox, runs) = play(options, json!({})).await;
    assert!(runs.len() > 20, "{}", runs.len());
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_memo_closes_the_books_of_its_invoice() {
    let (sandbox, _) = play(Options::default(), json!({})).await;
    let books = sandbox.books().await.unwrap();
    let refunds = books["contact_payments"].as_array().unwrap().iter();
    let refunds: Vec<&Value> =
        refunds.filter(|payment| payment["transaction_type"]["id"] == "CUSTOMER_REFUND").collect();
    // One memo was made from its invoice, and one from a guest's order, whose invoice it finds; a customer's from the order stays on account.
    for total in ["40.63", "71.91"] {
        let of_total = refunds.iter().filter(|refund| refund["total_amount"] == total);
        assert_eq!(of_total.count(), 1, "{refunds:#?}");
    }
    assert!(refunds.iter().all(|refund| refund["total_amount"] != "16.89"), "{refunds:#?}");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_memo_that_arrives_before_its_payment_lets_the_payment_go_first() {
    let sandbox = Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap();
    for (event, id) in [("invoice.created", 2), ("creditmemo.created", 1), ("invoice.paid", 2)] {
        sandbox.shop().unwrap().enqueue(event, id, None);
    }
    sandbox.shop().unwrap().run_cron().await;
    sync::run_until_idle(&sandbox.process.engine).await;
    let request = store::PageRequest { limit: 10, ..store::PageRequest::default() };
    let store = &sandbox.process.engine.store;
    let runs = store.page_runs(sandbox.organisation, &request).await.unwrap().runs;
    assert_eq!(of(&runs, EventName::InvoicePaid, 2).status, RunStatus::Succeeded);
    let memo = of(&runs, EventName::CreditmemoCreated, 1);
    assert_eq!((memo.status, memo.code), (RunStatus::Retrying, Some(Code::WaitingForInvoice)));
    store.retry_run(sandbox.organisation, memo.id, chrono::DateTime::UNIX_EPOCH, None).await.unwrap();
    sync::run_until_idle(&sandbox.process.engine).await;
    let runs = store.page_runs(sandbox.organisation, &request).await.unwrap().runs;
    assert_eq!(of(&runs, EventName::CreditmemoCreated, 1).status, RunStatus::Succeeded);
    sandbox.stop().await;
}
