//! A document that is in Sage's books with other sums than Magento's: a retry asks Sage again, and never makes a second one beside it.

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
use store::Run;

use crate::{documents::of, lost_answers::set};

/// A posted invoice with a penny too much, and where Sage's simulator keeps it.
async fn posted_wrongly() -> (Sandbox, String) {
    let sandbox = Sandbox::set(Options::default()).await.unwrap();
    sandbox.sage.post("/_sim/faults", &json!({ "wrong_totals": 1 })).await.unwrap();
    sandbox.shop().unwrap().enqueue("invoice.created", 1, None);
    sandbox.shop().unwrap().run_cron().await;
    let run = ended(&sandbox).await;
    assert_eq!((run.status, run.code), (RunStatus::Failed, Some(Code::TotalsMismatchAfterPost)));
    assert!(run.facts.sage_id.is_some() && run.facts.sage_reference.is_some(), "the way to it is shown");
    let binding = sandbox.process.engine.store.binding(sandbox.binding.id).await.unwrap().unwrap();
    let (business, invoice) = (binding.business.unwrap().id, run.facts.sage_id.unwrap());
    let path = format!("/_sim/records/{business}/sales_invoices/{invoice}");
    (sandbox, path)
}

async fn ended(sandbox: &Sandbox) -> Run {
    of(&outcome(sandbox).await.unwrap().0, EventName::InvoiceCreated, 1).clone()
}

async fn retried(sandbox: &Sandbox) -> Run {
    let store = &sandbox.process.engine.store;
    let run = ended(sandbox).await;
    store
        .retry_run(sandbox.organisation, run.id, sandbox.process.engine.environment.now(), None)
        .await
        .unwrap();
    ended(sandbox).await
}

async fn invoices(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.books().await.unwrap()["sales_invoices"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_never_takes_it_for_done_nor_posts_it_twice() {
    let (sandbox, _) = posted_wrongly().await;
    let run = retried(&sandbox).await;
    assert_eq!((run.status, run.code), (RunStatus::Failed, Some(Code::TotalsMismatchAfterPost)));
    assert_eq!(invoices(&sandbox).await.len(), 1);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn safe_mode_does_not_void_what_is_in_the_books() {
    let (sandbox, _) = posted_wrongly().await;
    set(&sandbox, |settings: &mut Settings| settings.safe_mode = SafeMode::Always).await;
    let run = retried(&sandbox).await;
    assert_eq!((run.status, run.code), (RunStatus::Failed, Some(Code::TotalsMismatchAfterPost)));
    let invoices = invoices(&sandbox).await;
    assert_eq!(invoices.len(), 1);
    assert_ne!(invoices[0]["status"]["id"], "VOID");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_ends_well_once_somebody_has_corrected_it_in_sage() {
    let (sandbox, path) = posted_wrongly().await;
    let right = json!({ "total_amount": "81.52" });
    sandbox.sage.patch(&path, &right).await.unwrap();
    let run = retried(&sandbox).await;
    assert_eq!((run.status, run.code), (RunStatus::Succeeded, None), "{:?}", run.message);
    assert_eq!(run.facts.sage_amount_minor, Some(8152));
    assert_eq!(invoices(&sandbox).await.len(), 1);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_posts_it_again_once_somebody_has_voided_it_in_sage() {
    let (sandbox, path) = posted_wrongly().await;
    sandbox.sage.patch(&path, &json!({ "status": { "id": "VOID" } })).await.unwrap();
    let run = retried(&sandbox).await;
    assert_eq!((run.status, run.code), (RunStatus::Succeeded, None), "{:?}", run.message);
    let invoices = invoices(&sandbox).await;
    let valid: Vec<_> = invoices.iter().filter(|invoice| invoice["status"]["id"] != "VOID").collect();
    assert_eq!((invoices.len(), valid.len()), (2, 1));
    assert_eq!(valid[0]["total_amount"], "81.52");
    sandbox.stop().await;
}
