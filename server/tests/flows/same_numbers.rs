//! Numbers are unique per store only, so one customer may have two documents of one number and one total: each is in Sage.

use chrono::{SecondsFormat, TimeDelta};
use domain::{
    environment::Environment,
    run::{EventName, RunStatus},
};
use serde_json::{Value, json};
use server::{
    environment::Machine,
    sandbox::{Options, Sandbox},
};
use simulators::magento::Documents;

use crate::second_decisions::{faults, records, retry, run, sandbox, send};

const EVENTS: [(&str, EventName); 2] =
    [("invoice.created", EventName::InvoiceCreated), ("invoice.paid", EventName::InvoicePaid)];

/// Two invoices of this age with their payments, alike but for their ids.
fn twins(age: TimeDelta) -> Documents {
    let at = (Machine.now() - age).to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut invoice: Value =
        serde_json::from_str(include_str!("../../../fixtures/documents/invoice-1a.json")).unwrap();
    let mut payment: Value =
        serde_json::from_str(include_str!("../../../fixtures/documents/payment-of-invoice-1a.json")).unwrap();
    invoice["created_at"] = at.clone().into();
    payment["captured_at"] = at.into();
    let (mut second, mut second_payment) = (invoice.clone(), payment.clone());
    (second["magento_id"], second["store_id"]) = (2.into(), 2.into());
    (second_payment["magento_id"], second_payment["invoice_id"]) = (2.into(), 2.into());
    Documents::from_values(vec![invoice, payment, second, second_payment]).unwrap()
}

async fn shop(age: TimeDelta) -> Sandbox {
    sandbox(Options { documents: Some(twins(age)), ..Options::default() }).await
}

/// Asserts that both documents of each kind are in Sage, each known by its own record.
async fn assert_both(sandbox: &Sandbox) {
    for (list, event) in ["sales_invoices", "contact_payments"].into_iter().zip(EVENTS) {
        let made = records(sandbox, list).await;
        assert_eq!(made.len(), 2, "{list}: {made:#?}");
        let runs = [run(sandbox, event.1, 1).await, run(sandbox, event.1, 2).await];
        for run in &runs {
            assert_eq!((run.status, run.code), (RunStatus::Succeeded, None), "{list}: {:?}", run.message);
        }
        assert_ne!(runs[0].facts.sage_id, runs[1].facts.sage_id, "{list}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_old_documents_of_one_number_are_both_posted() {
    let sandbox = shop(TimeDelta::days(10)).await;
    for id in [1, 2] {
        for (event, _) in EVENTS {
            send(&sandbox, event, id).await;
        }
    }
    assert_both(&sandbox).await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_a_refusal_takes_no_other_documents_record() {
    let sandbox = shop(TimeDelta::hours(1)).await;
    for (event, _) in EVENTS {
        send(&sandbox, event, 1).await;
    }
    for ((event, name), path) in EVENTS.into_iter().zip(["/sales_invoices$", "/contact_payments$"]) {
        let refused = json!({ "times": 1, "method": "POST", "path": path, "status": 422 });
        faults(&sandbox, json!({ "fail_before": [refused] })).await;
        send(&sandbox, event, 2).await;
        assert_eq!(run(&sandbox, name, 2).await.status, RunStatus::Failed, "{event}");
        retry(&sandbox, name, 2).await;
    }
    assert_both(&sandbox).await;
    sandbox.stop().await;
}

/// The record of the first is in Sage, but its answer was lost: it is not the second's to take.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_whose_answer_was_lost_is_left_to_its_own_document() {
    for age in [TimeDelta::hours(1), TimeDelta::days(10)] {
        let sandbox = shop(age).await;
        let lost = json!({ "times": 1, "method": "POST", "path": "/sales_invoices$", "status": 504 });
        faults(&sandbox, json!({ "fail_after": [lost] })).await;
        send(&sandbox, "invoice.created", 1).await;
        assert_eq!(records(&sandbox, "sales_invoices").await.len(), 1);
        let refused = json!({ "times": 1, "method": "POST", "path": "/sales_invoices$", "status": 422 });
        faults(&sandbox, json!({ "fail_before": [refused] })).await;
        send(&sandbox, "invoice.created", 2).await;
        for id in [2, 1, 2] {
            retry(&sandbox, EventName::InvoiceCreated, id).await;
        }
        for id in [1, 2] {
            send(&sandbox, "invoice.paid", id).await;
        }
        assert_both(&sandbox).await;
        sandbox.stop().await;
    }
}
