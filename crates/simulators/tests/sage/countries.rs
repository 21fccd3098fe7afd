//! What depends on country, currency and plan.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::api::{Api, invoice, line};

#[tokio::test]
async fn customers_abroad_have_rules_of_their_own() {
    let api = Api::new().await;
    let ledger = api.ledger().await;
    let american = api.contact("M1", "US", None).await;
    let mut taxed = line(&ledger, "10");
    taxed["tax_rate_id"] = json!("GB_STANDARD");
    taxed["tax_amount"] = json!("2");
    taxed["eu_goods_services_type_id"] = json!("GOODS");
    let refused = api.post("/sales_invoices", invoice(&american, &json!([taxed]))).await.refused();
    assert_eq!(refused.0, "must be 'Zero Rated' for Customers outside the EU");
    let untyped =
        api.post("/sales_invoices", invoice(&american, &json!([line(&ledger, "10")]))).await.refused();
    assert_eq!(untyped.1, "line_items.eu_goods_services_type_id");

    let irish = api.contact("M2", "IE", None).await;
    api.post("/sales_invoices", invoice(&irish, &json!([taxed]))).await.created();
    let mut service = taxed.clone();
    service["eu_goods_services_type_id"] = json!("SERVICES");
    let mixed = api.post("/sales_invoices", invoice(&irish, &json!([taxed, service]))).await.refused();
    assert_eq!(mixed.0, "must be the same");
    let rates = api.get(&format!("/tax_determinations?usage=sales&contact_id={american}")).await.body;
    assert_eq!(rates["$total"], 3);
}

#[tokio::test]
async fn a_business_without_registration_charges_no_tax() {
    let mut api = Api::new().await;
    api.choose(3).await;
    let (contact, ledger) = (api.contact("M1", "GB", None).await, api.ledger().await);
    let refused =
        api.post("/sales_invoices", invoice(&contact, &json!([line(&ledger, "10")]))).await.refused();
    assert_eq!(refused.0, "You cannot add tax, your business is not registered for tax");
    let plain = json!([{"description": "Tea", "ledger_account_id": ledger, "unit_price": 10}]);
    api.post("/sales_invoices", invoice(&contact, &plain)).await.created();
}

#[tokio::test]
async fn a_canadian_invoice_names_its_province() {
    let mut api = Api::new().await;
    api.choose(2).await;
    let (contact, ledger) = (api.contact("M1", "CA", None).await, api.ledger().await);
    let rates = api.get("/tax_rates?usage=sales&address_region_id=CA-BC").await.body;
    assert!(rates["$items"].as_array().unwrap().iter().any(|rate| rate["id"] == "CA_GST_PST_BC"));
    let lines = json!([{"description": "Tea", "ledger_account_id": ledger, "unit_price": 10,
        "tax_rate_id": "CA_GST_PST_BC", "tax_amount": "1.20"}]);
    let mut body = invoice(&contact, &lines);
    assert_eq!(api.post("/sales_invoices", body.clone()).await.refused().1, "tax_address_region_id");
    body["sales_invoice"]["tax_address_region_id"] = json!("CA-ON");
    assert_eq!(api.post("/sales_invoices", body.clone()).await.refused().1, "line_items.tax_rate_id");
    body["sales_invoice"]["tax_address_region_id"] = json!("CA-BC");
    api.post("/sales_invoices", body).await.created();
}

#[tokio::test]
async fn a_contact_keeps_its_currency_and_documents_bear_it() {
    let api = Api::new().await;
    let contact = api.contact("M1E", "GB", Some("EUR")).await;
    let ledger = api.ledger().await;
    let mut body = invoice(&contact, &json!([line(&ledger, "100")]));
    body["sales_invoice"]["currency_id"] = json!("GBP");
    assert_eq!(api.post("/sales_invoices", body.clone()).await.refused().1, "currency_id");
    body["sales_invoice"]["currency_id"] = json!("EUR");
    body["sales_invoice"]["exchange_rate"] = json!("0.8522");
    let made = api.post("/sales_invoices", body.clone()).await;
    made.created();
    assert_eq!(made.body["base_currency_total_amount"], "85.22");
    let change = json!({"contact": {"currency_id": "GBP"}});
    let refused = api.send(Method::PUT, &format!("/contacts/{contact}"), &change).await.refused();
    assert_eq!(refused.1, "currency_id");
    api.running.faults().invert_rates(true);
    let turned = api.post("/sales_invoices", body).await;
    assert_eq!(turned.body["base_currency_total_amount"], "117.34");
}

#[tokio::test]
async fn a_plan_that_lacks_something_answers_401() {
    let mut api = Api::new().await;
    api.choose(4).await;
    let answer = api.post("/products", json!({"product": {}})).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.body[0]["$message"].as_str().unwrap().contains("No active subscription"));
    assert_eq!(api.get("/products").await.status, StatusCode::OK);
}
