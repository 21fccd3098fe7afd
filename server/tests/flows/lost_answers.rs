//! Sage made what was asked for and its answer was lost, and then somebody changed the settings: it is found, not made again.

use domain::{
    code::Code,
    run::{EventName, RunStatus},
    settings::Settings,
};
use serde_json::json;
use server::{
    demo::once::outcome,
    sandbox::{Options, Sandbox},
};

use store::PageRequest;

use crate::documents::of;

/// Saves the settings with a change.
pub async fn set(sandbox: &Sandbox, change: fn(&mut Settings)) {
    let store = &sandbox.process.engine.store;
    let mut version = store.current_settings(sandbox.binding.id).await.unwrap().unwrap();
    version.version += 1;
    change(&mut version.settings);
    store.save_settings(sandbox.binding.id, &version, None).await.unwrap();
}

/// Sage makes what the event asks for and does not say so; then the settings change, and somebody retries.
async fn retried_under_other_settings(event: EventName, path: &str, books: &str, change: fn(&mut Settings)) {
    let sandbox = Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap();
    let (engine, store) = (&sandbox.process.engine, &sandbox.process.engine.store);
    set(&sandbox, |settings| {
        settings.consolidation.enabled = true;
        settings.consolidation.always_individual_for_b2b = false;
    })
    .await;
    sandbox.shop().unwrap().enqueue("invoice.created", 1, None);
    if event != EventName::InvoiceCreated {
        sandbox.shop().unwrap().run_cron().await;
        sync::run_until_idle(engine).await;
        sandbox.shop().unwrap().enqueue(event.as_str(), 1, None);
    }
    let fault = json!({ "fail_after": [{ "times": 99, "method": "POST", "path": path }] });
    sandbox.sage.post("/_sim/faults", &fault).await.unwrap();
    sandbox.shop().unwrap().run_cron().await;
    sync::run_until_idle(engine).await;
    let request = PageRequest { limit: 10, ..PageRequest::default() };
    let runs = store.page_runs(sandbox.organisation, &request).await.unwrap().runs;
    let run = of(&runs, event, 1);
    assert_eq!((run.status, run.code), (RunStatus::Retrying, Some(Code::SageUnavailable)));
    assert_eq!(sandbox.books().await.unwrap()[books].as_array().unwrap().len(), 1);
    sandbox.sage.post("/_sim/faults", &json!({ "fail_after": [] })).await.unwrap();

    set(&sandbox, change).await;
    store.retry_run(sandbox.organisation, run.id, engine.environment.now(), None).await.unwrap();
    sync::run_until_idle(engine).await;
    let (runs, problems) = outcome(&sandbox).await.unwrap();
    assert!(problems.is_empty(), "{event}: {problems:#?}");
    assert_eq!(of(&runs, event, 1).status, RunStatus::Succeeded, "{event}");
    assert_eq!(sandbox.books().await.unwrap()[books].as_array().unwrap().len(), 1, "{event}");
    sandbox.stop().await;
}

fn another_prefix(settings: &mut Settings) {
    settings.invoice_number_prefix = Some("WEB-".to_owned());
}

fn own_contact(settings: &mut Settings) {
    settings.consolidation.enabled = false;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_whose_answer_was_lost_is_found_after_the_prefix_changed() {
    retried_under_other_settings(
        EventName::InvoiceCreated,
        "/sales_invoices$",
        "sales_invoices",
        another_prefix,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_whose_answer_was_lost_is_found_after_the_contact_changed() {
    retried_under_other_settings(
        EventName::InvoiceCreated,
        "/sales_invoices$",
        "sales_invoices",
        own_contact,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_whose_answer_was_lost_is_found_after_the_settings_changed() {
    for change in [another_prefix, own_contact] {
        retried_under_other_settings(EventName::InvoicePaid, "/contact_payments", "contact_payments", change)
            .await;
    }
}
