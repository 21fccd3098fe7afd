//! A document that is in Sage's books with other sums than Magento's: a retry asks Sage again, and never makes a second one beside it.

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
use store::Run;

use crate::{documents::of, lost_answers::set};

/// A posted invoice with a penny too much, and where Sage's simulator keeps it.
async fn posted_wrongly() -> (Stage, String) {
    let stage = Stage::set(Options::default()).await.unwrap();
    stage.sage.post("/_sim/faults", &json!({ "wrong_totals": 1 })).await.unwrap();
    stage.shop().unwrap().enqueue("invoice.created", 1, None);
    stage.shop().unwrap().run_cron().await;
    let run = ended(&stage).await;
    assert_eq!((run.status, run.code), (RunStatus::Failed, Some(Code::TotalsMismatchAfterPost)));
    assert!(run.facts.sage_id.is_some() && run.facts.sage_reference.is_some(), "the way to it is shown");
    let binding = stage.process.engine.store.binding(stage.binding.id).await.unwrap().unwrap();
    let (business, invoice) = (binding.business.unwrap().id, run.facts.sage_id.unwrap());
    let path = format!("/_sim/records/{business}/sales_invoices/{invoice}");
    (stage, path)
}

async fn ended(stage: &Stage) -> Run {
    of(&outcome(stage).await.unwrap().0, EventName::InvoiceCreated, 1).clone()
}

async fn retried(stage: &Stage) -> Run {
    let store = &stage.process.engine.store;
    let run = ended(stage).await;
    store.retry_run(stage.organisation, run.id, stage.process.engine.outside.now(), None).await.unwrap();
    ended(stage).await
}

async fn invoices(stage: &Stage) -> Vec<Value> {
    stage.books().await.unwrap()["sales_invoices"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_never_takes_it_for_done_nor_posts_it_twice() {
    let (stage, _) = posted_wrongly().await;
    let run = retried(&stage).await;
    assert_eq!((run.status, run.code), (RunStatus::Failed, Some(Code::TotalsMismatchAfterPost)));
    assert_eq!(invoices(&stage).await.len(), 1);
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn safe_mode_does_not_void_what_is_in_the_books() {
    let (stage, _) = posted_wrongly().await;
    set(&stage, |policy: &mut Policy| policy.safe_mode = SafeMode::Always).await;
    let run = retried(&stage).await;
    assert_eq!((run.status, run.code), (RunStatus::Failed, Some(Code::TotalsMismatchAfterPost)));
    let invoices = invoices(&stage).await;
    assert_eq!(invoices.len(), 1);
    assert_ne!(invoices[0]["status"]["id"], "VOID");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_ends_well_once_somebody_has_corrected_it_in_sage() {
    let (stage, path) = posted_wrongly().await;
    let right = json!({ "total_amount": "81.52" });
    stage.sage.patch(&path, &right).await.unwrap();
    let run = retried(&stage).await;
    assert_eq!((run.status, run.code), (RunStatus::Succeeded, None), "{:?}", run.message);
    assert_eq!(run.facts.sage_amount_minor, Some(8152));
    assert_eq!(invoices(&stage).await.len(), 1);
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_posts_it_anew_once_somebody_has_voided_it_in_sage() {
    let (stage, path) = posted_wrongly().await;
    stage.sage.patch(&path, &json!({ "status": { "id": "VOID" } })).await.unwrap();
    let run = retried(&stage).await;
    assert_eq!((run.status, run.code), (RunStatus::Succeeded, None), "{:?}", run.message);
    let invoices = invoices(&stage).await;
    let valid: Vec<_> = invoices.iter().filter(|invoice| invoice["status"]["id"] != "VOID").collect();
    assert_eq!((invoices.len(), valid.len()), (2, 1));
    assert_eq!(valid[0]["total_amount"], "81.52");
    stage.stop().await;
}
