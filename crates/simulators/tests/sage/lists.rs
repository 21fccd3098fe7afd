//! Businesses, lists, fields, idempotency.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::api::Api;

#[tokio::test]
async fn the_business_asked_for_is_echoed_and_the_lead_is_the_default() {
    let mut api = Api::new().await;
    let lead = api.get("/businesses/lead").await.body["id"].clone();
    assert_eq!(api.get("/contacts").await.headers["x-business"], lead.as_str().unwrap());
    api.choose(1).await;
    let answer = api.get("/financial_settings").await;
    assert_eq!(answer.headers["x-business"], api.business.as_deref().unwrap());
    assert!(answer.headers.contains_key("x_request_id"));
    assert_eq!(answer.body["base_currency"]["id"], "EUR");
    assert!(!api.get("/user").await.headers.contains_key("x-business"));
}

#[tokio::test]
async fn a_page_past_the_end_repeats_the_last_page() {
    let api = Api::new().await;
    for number in 0..5 {
        api.contact(&format!("M{number}"), "GB", None).await;
    }
    let first = api.get("/contacts?items_per_page=2&attributes=reference").await.body;
    assert_eq!(first["$total"], 5);
    assert_eq!(first["$next"], "/contacts?page=2&items_per_page=2&attributes=reference");
    assert_eq!(first["$items"][0]["reference"], "M0");
    assert!(first["$items"][0].get("name").is_none());
    let last = api.get("/contacts?items_per_page=2&page=3").await.body;
    let beyond = api.get("/contacts?items_per_page=2&page=9").await.body;
    assert_eq!(beyond["$items"], last["$items"]);
    assert_eq!((&beyond["$page"], &beyond["$next"]), (&json!(3), &Value::Null));
}

#[tokio::test]
async fn a_search_is_loose() {
    let api = Api::new().await;
    api.contact("M1", "GB", None).await;
    api.contact("M12", "GB", None).await;
    assert_eq!(api.get("/contacts?search=m1").await.body["$total"], 2);
}

#[tokio::test]
async fn a_repeated_idempotency_id_gives_the_first_result() {
    let mut api = Api::new().await;
    let id = "c3a8c3a8c3a8c3a8c3a8c3a8c3a8c3a8";
    let contact = |name: &str| json!({"contact": {"idempotency_id": id, "name": name, "contact_type_ids": ["CUSTOMER"]}});
    let first = api.post("/contacts", contact("Ada")).await;
    let again = api.post("/contacts", contact("Ada")).await;
    assert_eq!(first.created(), again.created());
    assert_eq!(api.get("/contacts").await.body["$total"], 1);
    assert_eq!(api.post("/contacts", contact("Bob")).await.refused().1, "idempotency_id");
    let product = json!({"service": {"idempotency_id": id, "description": "x", "sales_ledger_account_id": api.ledger().await}});
    let other = api.post("/services", product).await;
    assert_eq!(other.body[0]["$dataCode"], "IdempotencyResourceMismatch");
    // After seven days the id is forgotten.
    api.pass(8 * 24 * 3600);
    let tokens = api.refresh(&api.refresh).await;
    tokens.body["access_token"].as_str().unwrap().clone_into(&mut api.token);
    assert_ne!(api.post("/contacts", contact("Ada")).await.created(), first.created());
}

#[tokio::test]
async fn a_refused_request_does_not_use_up_its_idempotency_id() {
    let api = Api::new().await;
    let id = "0123456789abcdef0123456789abcdef";
    let bad = json!({"contact": {"idempotency_id": id, "name": "Ada", "contact_type_ids": ["GOAT"]}});
    api.post("/contacts", bad).await.refused();
    let good = json!({"contact": {"idempotency_id": id, "name": "Ada", "contact_type_ids": ["CUSTOMER"]}});
    api.post("/contacts", good).await.created();
}

#[tokio::test]
async fn an_unknown_field_and_a_wrong_type_are_named() {
    let api = Api::new().await;
    let contact = |field: &str, value: Value| {
        let mut body = json!({"contact": {"name": "Ada", "contact_type_ids": ["CUSTOMER"]}});
        body["contact"][field] = value;
        body
    };
    assert_eq!(api.post("/contacts", contact("email", json!("a@b.c"))).await.refused().1, "email");
    assert_eq!(api.post("/contacts", contact("credit_days", json!("30"))).await.refused().1, "credit_days");
    let inner = contact("main_address", json!({"street": "1 Square"}));
    assert_eq!(api.post("/contacts", inner).await.refused().1, "main_address.street");
    let long = contact("reference", json!("ABCDEFGHIJK"));
    let (message, source) = api.post("/contacts", long).await.refused();
    assert!(message.contains("10 characters") && source == "reference");
    let nameless = json!({"contact": {"contact_type_ids": ["CUSTOMER"]}});
    assert_eq!(api.post("/contacts", nameless).await.refused().0, "This field is required.");
    let unknown = json!({"sales_invoice": {"contact_id": "x", "date": "2026-11-24", "invoice_lines": [{
        "description": "Tea", "ledger_account_id": "x", "unit_price": 1, "sku": "TEA",
    }]}});
    assert_eq!(api.post("/sales_invoices", unknown).await.refused().1, "line_items.sku");
}

#[tokio::test]
async fn the_reference_of_a_deleted_contact_stays_reserved() {
    let api = Api::new().await;
    let id = api.contact("M1", "GB", None).await;
    assert_eq!(api.delete(&format!("/contacts/{id}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(api.get(&format!("/contacts/{id}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(api.get("/contacts").await.body["$total"], 0);
    let again = json!({"contact": {"name": "Eve", "contact_type_ids": ["CUSTOMER"], "reference": "M1"}});
    assert_eq!(api.post("/contacts", again).await.refused().1, "reference");
    let since = api.get("/contacts?deleted_since=2020-01-01T00:00:00%2B00:00").await;
    assert_eq!(since.body["$total"], 1);
}

#[tokio::test]
async fn the_feed_of_transactions_tells_what_changed() {
    let api = Api::new().await;
    let contact = api.contact("M1", "GB", None).await;
    let invoice = api.invoice(&contact, "10").await;
    api.pass(100);
    assert_eq!(api.get("/transactions").await.body["$total"], 1);
    let since = "/transactions?updated_or_created_since=2026-11-18T11:07:30%2B00:00";
    assert_eq!(api.get(since).await.body["$total"], 0);
    api.delete(&format!("/sales_invoices/{invoice}?void_reason=x")).await;
    assert_eq!(api.get(since).await.body["$total"], 1);
}
