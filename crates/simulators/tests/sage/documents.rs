//! Invoices: sums, drafts, stock.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api::{Api, invoice, line};

#[tokio::test]
async fn totals_add_up_rounded_parts() {
    let api = Api::new().await;
    let (contact, ledger) = (api.contact("M1", "GB", None).await, api.ledger().await);
    let line = |quantity: Value, price: Value, tax: &str, discount: &str| {
        json!({
            "description": "Tea", "ledger_account_id": ledger, "quantity": quantity, "unit_price": price,
            "tax_rate_id": "GB_STANDARD", "tax_amount": tax, "discount_amount": discount,
        })
    };
    // 3 x 10.005 is 3 x 10.01; 110 - 10 = 100; 1 x 4.99.
    let lines = json!([
        line(json!(3), json!(10.005), "6.01", "0"),
        line(json!("1"), json!("110"), "20", "10"),
        line(json!(1), json!("4.99"), "1.00", "0"),
    ]);
    let mut body = invoice(&contact, &lines);
    body["sales_invoice"]["shipping_net_amount"] = json!("4.99");
    body["sales_invoice"]["shipping_tax_rate_id"] = json!("GB_STANDARD");
    body["sales_invoice"]["shipping_tax_amount"] = json!("0.50");
    let answer = api.post("/sales_invoices", body).await;
    answer.created();
    let made = answer.body;
    assert_eq!(made["invoice_lines"][0]["net_amount"], "30.03");
    assert_eq!(made["invoice_lines"][1]["total_amount"], "120.0");
    assert_eq!(made["shipping_tax_amount"], "1.0", "recomputed, whatever was sent");
    assert_eq!(made["net_amount"], "140.01");
    assert_eq!(made["tax_amount"], "28.01");
    assert_eq!(made["total_amount"], "168.02");
    assert_eq!(made["outstanding_amount"], "168.02");
    assert_eq!(made["total_discount_amount"], "10.0");
    assert_eq!(made["tax_analysis"][0]["net_amount"], "140.01");
    assert_eq!(made["displayed_as"], "SI-1");
    assert_eq!(made["due_date"], "2026-12-24");
    assert_eq!(made["delivery_address"]["address_line_1"], "1 Square");
}

#[tokio::test]
async fn a_price_with_tax_is_split() {
    let api = Api::new().await;
    let (contact, ledger) = (api.contact("M1", "GB", None).await, api.ledger().await);
    let lines = json!([{
        "description": "Tea", "ledger_account_id": ledger, "quantity": 2, "unit_price": "12", "tax_amount": "4",
        "tax_rate_id": "GB_STANDARD", "unit_price_includes_tax": true,
    }]);
    let made = api.post("/sales_invoices", invoice(&contact, &lines)).await;
    made.created();
    assert_eq!((&made.body["net_amount"], &made.body["total_amount"]), (&json!("20.0"), &json!("24.0")));
}

#[tokio::test]
async fn a_taxed_line_wants_its_tax_under_the_inner_name() {
    let api = Api::new().await;
    let (contact, ledger) = (api.contact("M1", "GB", None).await, api.ledger().await);
    let mut taxed = line(&ledger, "10");
    taxed["tax_rate_id"] = json!("GB_STANDARD");
    taxed.as_object_mut().unwrap().remove("tax_amount");
    let refused = api.post("/sales_invoices", invoice(&contact, &json!([taxed]))).await.refused();
    assert_eq!(refused, ("This field is required.".to_owned(), "line_items.currency_tax_amount".to_owned()));
}

#[tokio::test]
async fn a_draft_gets_its_number_on_release_and_can_be_thrown_away() {
    let api = Api::new().await;
    let (contact, ledger) = (api.contact("M1", "GB", None).await, api.ledger().await);
    let mut body = invoice(&contact, &json!([line(&ledger, "10")]));
    body["sales_invoice"]["status_id"] = json!("DRAFT");
    let draft = api.post("/sales_invoices", body.clone()).await;
    let id = draft.created();
    assert_eq!((&draft.body["displayed_as"], &draft.body["transaction"]), (&json!("SI-DRAFT"), &Value::Null));
    let released = api.post(&format!("/sales_invoices/{id}/release"), json!({})).await;
    released.created();
    assert_eq!(released.body["displayed_as"], "SI-1");
    assert_eq!(released.body["status"]["id"], "UNPAID");
    assert!(released.body["transaction"]["id"].is_string());

    let second = api.post("/sales_invoices", body).await.created();
    assert_eq!(api.delete(&format!("/sales_invoices/{second}")).await.status, StatusCode::OK);
    assert_eq!(api.get("/sales_invoices").await.body["$total"], 1);
    assert_eq!(api.delete(&format!("/sales_invoices/{id}")).await.refused().1, "void_reason");
    let void = api.delete(&format!("/sales_invoices/{id}?void_reason=wrong")).await;
    assert_eq!((void.status, &void.body["status"]["id"]), (StatusCode::OK, &json!("VOID")));
    assert_eq!(api.get("/sales_invoices").await.body["$total"], 1);
}

#[tokio::test]
async fn reading_an_invoice_marks_it_as_sent_unless_told_not_to() {
    let api = Api::new().await;
    let contact = api.contact("M1", "GB", None).await;
    let path = format!("/sales_invoices/{}", api.invoice(&contact, "10").await);
    assert_eq!(api.get(&format!("{path}?mark_as_sent=false")).await.body["sent"], false);
    assert_eq!(api.get(&path).await.body["sent"], true);
}

#[tokio::test]
async fn hidden_ledger_accounts_and_vendors_are_not_found() {
    let api = Api::new().await;
    let contact = api.contact("M1", "GB", None).await;
    let debtors = api.get("/ledger_accounts?show_control_accounts=true&search=Trade Debtors").await;
    let hidden = debtors.body["$items"][0]["id"].as_str().unwrap();
    let answer = api.post("/sales_invoices", invoice(&contact, &json!([line(hidden, "10")]))).await;
    assert_eq!(answer.body[0]["$message"], "Couldn't find record.");
    let vendor = json!({"contact": {"name": "Mill", "contact_type_ids": ["VENDOR"]}});
    let vendor = api.post("/contacts", vendor).await.created();
    let ledger = api.ledger().await;
    let answer = api.post("/sales_invoices", invoice(&vendor, &json!([line(&ledger, "10")]))).await;
    assert_eq!(answer.body[0]["$dataCode"], "RecordNotFound");
    let mut early = invoice(&contact, &json!([line(&ledger, "10")]));
    early["sales_invoice"]["date"] = json!("2019-12-31");
    assert_eq!(api.post("/sales_invoices", early).await.refused().1, "date");
}

#[tokio::test]
async fn stock_is_never_negative_and_invoices_take_it() {
    let api = Api::new().await;
    let ledger = api.ledger().await;
    let purchase = api.get("/ledger_accounts?visible_in=expenses&search=5000").await.body;
    let item = json!({"stock_item": {"item_code": "TEA", "description": "Tea", "quantity_in_stock": 99,
        "sales_ledger_account_id": ledger, "purchase_ledger_account_id": purchase["$items"][0]["id"]}});
    let item = api.post("/stock_items", item).await.created();
    let movement = |quantity: i32| {
        json!({"stock_movement": {"stock_item_id": item, "date": "2026-11-24", "quantity": quantity,
            "cost_price": "1", "details": "Count"}})
    };
    api.post("/stock_movements", movement(-1)).await.refused();
    api.post("/stock_movements", movement(5)).await.created();
    let contact = api.contact("M1", "GB", None).await;
    let mut sold = line(&ledger, "10");
    sold["product_id"] = json!(item);
    sold["quantity"] = json!(6);
    let short = api.post("/sales_invoices", invoice(&contact, &json!([sold]))).await.refused();
    assert_eq!(short.0, "You cannot fulfil this invoice as you do not have enough stock.");
    sold["quantity"] = json!(2);
    api.post("/sales_invoices", invoice(&contact, &json!([sold]))).await.created();
    let stock = api.get(&format!("/products/{item}")).await.body;
    assert_eq!(stock["quantity_in_stock"], "3.0");
    let out = api.get("/stock_movements?attributes=all&search=goods out").await.body;
    assert_eq!(out["$items"][0]["reference"], "SI-1");
}

#[tokio::test]
async fn an_update_works_everything_out_afresh_and_keeps_the_number() {
    let api = Api::new().await;
    let (contact, ledger) = (api.contact("M1", "GB", None).await, api.ledger().await);
    let id = api.invoice(&contact, "10").await;
    let change = json!({"sales_invoice": {"reference": "000000001", "invoice_lines": [line(&ledger, "12")]}});
    let changed = api.send(Method::PUT, &format!("/sales_invoices/{id}"), &change).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert_eq!(
        (&changed.body["total_amount"], &changed.body["displayed_as"]),
        (&json!("12.0"), &json!("SI-1"))
    );
    let transaction = changed.body["transaction"]["id"].as_str().unwrap();
    let posted = api.get(&format!("/transactions/{transaction}")).await.body;
    assert_eq!((&posted["total"], &posted["reference"]), (&json!("12.0"), &json!("000000001")));
    // A document that is in part settled is not edited.
    api.pay("CUSTOMER_RECEIPT", &contact, "1", json!([{"artefact_id": id, "amount": 1}])).await.created();
    api.send(Method::PUT, &format!("/sales_invoices/{id}"), &change).await.refused();
}
