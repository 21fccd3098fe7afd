//! Payments, refunds and allocations.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::api::Api;

#[tokio::test]
async fn payments_and_allocations_change_statuses() {
    let api = Api::new().await;
    let contact = api.contact("M1", "GB", None).await;
    let (first, second) = (api.invoice(&contact, "100").await, api.invoice(&contact, "50").await);
    let path = format!("/sales_invoices/{first}");

    let part =
        api.pay("CUSTOMER_RECEIPT", &contact, "40", json!([{"artefact_id": first, "amount": "40"}])).await;
    let payment = part.created();
    assert_eq!(api.standing(&path).await, ("PART_PAID".to_owned(), "60.0".to_owned()));
    let void = api.delete(&format!("{path}?void_reason=x")).await.refused();
    assert!(void.0.contains("payments"), "{}", void.0);

    let note = api.credit_note(&contact, "60").await;
    let allocation = |sum: &str| {
        json!({"contact_allocation": {
            "transaction_type_id": "CUSTOMER_ALLOCATION", "contact_id": contact,
            "allocated_artefacts": [{"artefact_id": first, "amount": "60"}, {"artefact_id": note, "amount": sum}],
        }})
    };
    assert_eq!(api.post("/contact_allocations", allocation("-59")).await.refused().1, "allocated_artefacts");
    let allocated = api.post("/contact_allocations", allocation("-60")).await.created();
    assert_eq!(api.standing(&path).await, ("PAID".to_owned(), "0.0".to_owned()));
    assert_eq!(api.standing(&format!("/sales_credit_notes/{note}")).await.0, "PAID");
    let shown = api.get(&format!("{path}?show_payments_allocations=true")).await.body;
    assert_eq!(shown["payments_allocations"].as_array().unwrap().len(), 2);

    let again = json!([{"artefact_id": first, "amount": "1"}]);
    let refused = api.pay("CUSTOMER_RECEIPT", &contact, "1", again).await.refused();
    assert_eq!(refused.0, "You can only pay unpaid or part-paid invoices.");
    let over = json!([{"artefact_id": second, "amount": "50"}]);
    api.pay("CUSTOMER_RECEIPT", &contact, "49", over).await.refused();
    assert_eq!(api.pay("CUSTOMER_RECEIPT", &contact, "0", json!([])).await.refused().1, "total_amount");

    assert_eq!(api.delete(&format!("/contact_allocations/{allocated}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(api.delete(&format!("/contact_payments/{payment}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(api.standing(&path).await, ("UNPAID".to_owned(), "100.0".to_owned()));
}

#[tokio::test]
async fn what_is_left_of_a_payment_lies_on_account_and_can_be_used_or_refunded() {
    let api = Api::new().await;
    let contact = api.contact("M1", "GB", None).await;
    let invoice = api.invoice(&contact, "30").await;
    let paid =
        api.pay("CUSTOMER_RECEIPT", &contact, "50", json!([{"artefact_id": invoice, "amount": 30}])).await;
    let payment = paid.created();
    let on_account = paid.body["payment_on_account"]["id"].clone();
    assert_eq!(paid.body["payment_on_account"]["outstanding_amount"], "20.0");
    let refund =
        api.pay("CUSTOMER_REFUND", &contact, "20", json!([{"artefact_id": on_account, "amount": 20}])).await;
    refund.created();
    let shown = api.get(&format!("/contact_payments/{payment}")).await.body;
    assert_eq!(shown["payment_on_account"]["outstanding_amount"], "0.0");
    assert!(api.delete(&format!("/contact_payments/{payment}")).await.refused().0.contains("on account"));
}

#[tokio::test]
async fn a_refund_pays_back_a_credit_note_and_nothing_else() {
    let api = Api::new().await;
    let contact = api.contact("M1", "GB", None).await;
    let (invoice, note) = (api.invoice(&contact, "30").await, api.credit_note(&contact, "30").await);
    let wrong =
        api.pay("CUSTOMER_REFUND", &contact, "30", json!([{"artefact_id": invoice, "amount": 30}])).await;
    assert_eq!(wrong.body[0]["$message"], "Couldn't find record.");
    api.pay("CUSTOMER_REFUND", &contact, "30", json!([{"artefact_id": note, "amount": 30}])).await.created();
    assert_eq!(api.standing(&format!("/sales_credit_notes/{note}")).await.0, "PAID");
}

#[tokio::test]
async fn emptying_the_artefacts_of_a_payment_frees_them() {
    let api = Api::new().await;
    let contact = api.contact("M1", "GB", None).await;
    let invoice = api.invoice(&contact, "30").await;
    let paid =
        api.pay("CUSTOMER_RECEIPT", &contact, "30", json!([{"artefact_id": invoice, "amount": 30}])).await;
    let path = format!("/contact_payments/{}", paid.created());
    let freed = api.send(Method::PUT, &path, &json!({"contact_payment": {"allocated_artefacts": []}})).await;
    assert_eq!(freed.status, StatusCode::OK, "{}", freed.body);
    assert_eq!(freed.body["payment_on_account"]["total_amount"], "30.0");
    assert_eq!(api.standing(&format!("/sales_invoices/{invoice}")).await.0, "UNPAID");
}
