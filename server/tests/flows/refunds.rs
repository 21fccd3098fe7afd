//! Refunds whose invoice, payment or sale is not as simple: not shown for a while, credited before it is paid, credited twice.

use chrono::SecondsFormat;
use domain::{
    code::Code,
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

fn sample(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// One 404 for what was made a moment ago.
async fn hide_once(sandbox: &Sandbox, path: &str) {
    let hidden = json!({ "times": 1, "method": "GET", "path": path, "status": 404 });
    faults(sandbox, json!({ "fail_before": [hidden] })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_waits_for_what_sage_does_not_show_yet() {
    for path in ["/sales_invoices/", "/contact_payments/"] {
        let sandbox = sandbox(Options::default()).await;
        send(&sandbox, "invoice.created", 2).await;
        send(&sandbox, "invoice.paid", 2).await;
        hide_once(&sandbox, path).await;
        send(&sandbox, "creditmemo.created", 1).await;
        let waiting = run(&sandbox, EventName::CreditmemoCreated, 1).await;
        assert_eq!(
            (waiting.status, waiting.code),
            (RunStatus::Retrying, Some(Code::SageInProgress)),
            "{path}"
        );
        assert!(records(&sandbox, "sales_credit_notes").await.is_empty(), "{path}");
        let ended = retry(&sandbox, EventName::CreditmemoCreated, 1).await;
        assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{path}: {:?}", ended.message);
        assert_eq!(records(&sandbox, "contact_payments").await.len(), 2, "{path}: a receipt and a refund");
        sandbox.stop().await;
    }
}

/// A memo of 30.00 is set against the open invoice, and then the whole invoice is paid.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_after_a_credit_note_takes_what_is_left_and_the_rest_stays_on_account() {
    let mut invoice = sample(include_str!("../../../fixtures/documents/invoice-1b.json"));
    let memo = sample(include_str!("../../../fixtures/documents/creditmemo-1a.json"));
    let payment = sample(include_str!("../../../fixtures/documents/payment-of-invoice-1b.json"));
    invoice["state"] = "open".into();
    let (total, credited) = (invoice["grand_total"].clone(), memo["grand_total"].clone());
    let documents = Some(Documents::from_values(vec![invoice, memo, payment]).unwrap());
    let sandbox = sandbox(Options { documents, ..Options::default() }).await;
    send(&sandbox, "invoice.created", 2).await;
    send(&sandbox, "creditmemo.created", 1).await;
    assert_eq!(run(&sandbox, EventName::CreditmemoCreated, 1).await.status, RunStatus::Succeeded);
    assert_eq!(records(&sandbox, "contact_allocations").await.len(), 1);
    send(&sandbox, "invoice.paid", 2).await;
    let ended = run(&sandbox, EventName::InvoicePaid, 2).await;
    assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{:?}", ended.message);
    let invoices = records(&sandbox, "sales_invoices").await;
    assert_eq!(invoices[0]["status"]["id"], "PAID");
    let receipt = &records(&sandbox, "contact_payments").await[0];
    let amount = |value: &Value| -> f64 {
        value.as_str().map_or_else(|| value.as_f64().unwrap(), |text| text.parse().unwrap())
    };
    let on_account = amount(&receipt["payment_on_account"]["outstanding_amount"]);
    assert!((amount(&receipt["total_amount"]) - amount(&total)).abs() < 0.001, "{receipt:#?}");
    assert!((on_account - amount(&credited)).abs() < 0.001, "{receipt:#?}");
    sandbox.stop().await;
}

/// An invoice of 81.52 and five memos of 16.89 that name no invoice: four are covered. The answer to the first is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_memo_whose_answer_was_lost_has_taken_its_share_of_the_sale() {
    let now = Machine.now().to_rfc3339_opts(SecondsFormat::Secs, true);
    let memo = sample(include_str!("../../../fixtures/documents/creditmemo-1b.json"));
    let memos = (1..=5).map(|id| {
        let mut memo = memo.clone();
        memo["magento_id"] = id.into();
        memo["increment_id"] = format!("{id:09}").into();
        memo["created_at"] = now.clone().into();
        memo
    });
    let invoice = sample(include_str!("../../../fixtures/documents/invoice-1a.json"));
    let documents = Some(Documents::from_values(memos.chain([invoice]).collect()).unwrap());
    let sandbox = sandbox(Options { documents, ..Options::default() }).await;
    send(&sandbox, "invoice.created", 1).await;
    let lost = json!({ "times": 1, "method": "POST", "path": "/sales_credit_notes$", "status": 504 });
    faults(&sandbox, json!({ "fail_after": [lost] })).await;
    for id in 1..=5 {
        send(&sandbox, "creditmemo.created", id).await;
    }
    let second = run(&sandbox, EventName::CreditmemoCreated, 5).await;
    assert_eq!((second.status, second.code), (RunStatus::Retrying, Some(Code::SaleNotInSage)));
    let ended = retry(&sandbox, EventName::CreditmemoCreated, 1).await;
    assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{:?}", ended.message);
    assert_eq!(retry(&sandbox, EventName::CreditmemoCreated, 5).await.code, Some(Code::SaleNotInSage));
    assert_eq!(records(&sandbox, "sales_credit_notes").await.len(), 4);
    sandbox.stop().await;
}

/// The customer has changed the address since: a refund made from the order finds the sale by the customer's id.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_finds_the_sale_of_a_customer_who_changed_the_address() {
    let invoice = sample(include_str!("../../../fixtures/documents/invoice-1a.json"));
    let mut memo = sample(include_str!("../../../fixtures/documents/creditmemo-1b.json"));
    memo["created_at"] = Machine.now().to_rfc3339_opts(SecondsFormat::Secs, true).into();
    memo["customer"]["email"] = "priya.new@example.com".into();
    let mut stranger = memo.clone();
    stranger["magento_id"] = 9.into();
    stranger["increment_id"] = "000000009".into();
    stranger["customer"]["magento_id"] = 77.into();
    let id = memo["magento_id"].as_i64().unwrap();
    let documents = Some(Documents::from_values(vec![invoice, memo, stranger]).unwrap());
    let sandbox = sandbox(Options { documents, ..Options::default() }).await;
    send(&sandbox, "invoice.created", 1).await;
    send(&sandbox, "creditmemo.created", 9).await;
    let waiting = run(&sandbox, EventName::CreditmemoCreated, 9).await;
    assert_eq!((waiting.status, waiting.code), (RunStatus::Retrying, Some(Code::SaleNotInSage)));
    send(&sandbox, "creditmemo.created", id).await;
    let ended = run(&sandbox, EventName::CreditmemoCreated, id).await;
    assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{:?}", ended.message);
    sandbox.stop().await;
}

/// A guest's memo that was made from the order, whose lines hide a product tax with 0.08 of tax.
fn guests_memo() -> (Value, Vec<Value>) {
    let memo = sample(include_str!("../../../fixtures/documents/creditmemo-2-unrounded.json"));
    let invoice = sample(include_str!("../../../fixtures/documents/invoice-2.json"));
    let payment = sample(include_str!("../../../fixtures/documents/payment-of-invoice-2.json"));
    (memo, vec![invoice, payment])
}

/// The memo names neither invoice nor order; it bears the time of the order, as the guest's invoice does.
#[tokio::test(flavor = "multi_thread")]
async fn a_guests_memo_from_the_order_finds_its_invoice_and_is_refunded() {
    let (memo, mut documents) = guests_memo();
    documents.push(memo);
    let documents = Some(Documents::from_values(documents).unwrap());
    let sandbox = sandbox(Options { documents, ..Options::default() }).await;
    send(&sandbox, "invoice.created", 3).await;
    send(&sandbox, "invoice.paid", 3).await;
    send(&sandbox, "creditmemo.created", 3).await;
    let ended = run(&sandbox, EventName::CreditmemoCreated, 3).await;
    assert_eq!((ended.status, ended.code), (RunStatus::Succeeded, None), "{:?}", ended.message);
    let notes = records(&sandbox, "sales_credit_notes").await;
    assert_eq!(
        (notes[0]["total_amount"].as_str(), notes[0]["tax_amount"].as_str()),
        (Some("71.91"), Some("10.44"))
    );
    assert_eq!(notes[0]["outstanding_amount"], "0.0");
    assert_eq!(records(&sandbox, "contact_payments").await.len(), 2, "a receipt and a refund");
    sandbox.stop().await;
}

/// Without that time nothing names the sale, and inferring its tax is no way to know it.
#[tokio::test(flavor = "multi_thread")]
async fn a_memo_whose_tax_is_not_certain_waits_whatever_the_settings_say() {
    let (mut memo, mut documents) = guests_memo();
    memo["customer"]["created_at"] = Value::Null;
    documents.push(memo);
    let documents = Some(Documents::from_values(documents).unwrap());
    let sandbox = sandbox(Options { documents, ..Options::default() }).await;
    send(&sandbox, "invoice.created", 3).await;
    send(&sandbox, "creditmemo.created", 3).await;
    let waiting = run(&sandbox, EventName::CreditmemoCreated, 3).await;
    assert_eq!((waiting.status, waiting.code), (RunStatus::Waiting, Some(Code::TaxUndetermined)));
    let store = &sandbox.process.engine.store;
    let mut version = store.current_settings(sandbox.binding.id).await.unwrap().unwrap();
    version.version += 1;
    version.settings.tax_undetermined = domain::settings::UndeterminedTax::Infer;
    store.save_settings(sandbox.binding.id, &version, None).await.unwrap();
    let waiting = retry(&sandbox, EventName::CreditmemoCreated, 3).await;
    assert_eq!((waiting.status, waiting.code), (RunStatus::Waiting, Some(Code::TaxUndetermined)));
    assert!(records(&sandbox, "sales_credit_notes").await.is_empty());
    sandbox.stop().await;
}

/// The refund is reported before its sale: it brings the invoice and its payment along, and nothing is left on anybody's account.
#[tokio::test(flavor = "multi_thread")]
async fn a_memo_whose_event_came_before_its_invoice_leaves_nothing_open() {
    let case = [
        include_str!("../../../fixtures/reported/170-memo-event-before-invoice/invoice.json"),
        include_str!("../../../fixtures/reported/170-memo-event-before-invoice/payment.json"),
        include_str!("../../../fixtures/reported/170-memo-event-before-invoice/creditmemo.json"),
    ];
    let documents = Some(Documents::from_values(case.map(sample).to_vec()).unwrap());
    let sandbox = sandbox(Options { documents, ..Options::default() }).await;
    send(&sandbox, "creditmemo.created", 700_101).await;
    for _ in 0..3 {
        let memo = run(&sandbox, EventName::CreditmemoCreated, 700_101).await;
        if memo.status == RunStatus::Succeeded {
            break;
        }
        retry(&sandbox, EventName::CreditmemoCreated, 700_101).await;
    }
    let payments = records(&sandbox, "contact_payments").await;
    assert_eq!(payments.len(), 2, "a receipt and a refund: {payments:#?}");
    for (kind, count) in [("sales_invoices", 1), ("sales_credit_notes", 1)] {
        let records = records(&sandbox, kind).await;
        assert_eq!(records.len(), count, "{kind}");
        assert_eq!(records[0]["outstanding_amount"], "0.0", "{kind}");
    }
    sandbox.stop().await;
}
