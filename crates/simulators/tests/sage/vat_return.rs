//! The boxes of a return are those that an accountant works out from the documents by hand.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api::{Api, invoice};

fn taxed(ledger: &str, price: &str, rate: &str, tax: &str, kind: Option<&str>) -> Value {
    let mut line = json!({
        "description": "Tea", "ledger_account_id": ledger, "unit_price": price, "tax_rate_id": rate, "tax_amount": tax,
    });
    if let Some(kind) = kind {
        line["eu_goods_services_type_id"] = kind.into();
    }
    line
}

/// The boxes of November 2026 in the chosen business.
async fn boxes(api: &Api) -> Value {
    let answer = api.control(Method::GET, "/vat-return?from=2026-11-01&to=2026-11-30", &Value::Null).await;
    let business = match &api.business {
        Some(business) => business.clone(),
        None => api.get("/businesses/lead").await.body["id"].as_str().unwrap().to_owned(),
    };
    answer.body["businesses"][business]["boxes"].clone()
}

#[tokio::test]
async fn no_vat_is_in_no_box_and_a_credit_note_takes_from_both() {
    let api = Api::new().await;
    let (contact, ledger) = (api.contact("M1", "GB", None).await, api.ledger().await);
    let lines = json!([
        taxed(&ledger, "100", "GB_STANDARD", "20", None),
        taxed(&ledger, "50", "GB_ZERO", "0", None),
        taxed(&ledger, "-40", "GB_NO_TAX", "0", None),
    ]);
    let document = invoice(&contact, &lines);
    let answer = api.post("/sales_invoices", document.clone()).await;
    let rates = answer.body["tax_analysis"].as_array().unwrap().len();
    assert_eq!(rates, 3, "zero-rated and No VAT are told apart: {}", answer.body["tax_analysis"]);
    let note = json!({"sales_credit_note": {"contact_id": contact, "date": "2026-11-24",
        "credit_note_lines": [taxed(&ledger, "10", "GB_STANDARD", "2", None)]}});
    api.post("/sales_credit_notes", note).await.created();
    for (field, value) in [("status_id", "DRAFT"), ("date", "2026-10-31")] {
        let mut other = document.clone();
        other["sales_invoice"][field] = value.into();
        api.post("/sales_invoices", other).await.created();
    }
    assert_eq!(boxes(&api).await, json!({"1": "18.0", "6": "140.0", "8": "0.0", "9": "0.0"}));
}

#[tokio::test]
async fn irish_goods_and_services_to_the_union_have_boxes_of_their_own() {
    let mut api = Api::new().await;
    api.choose(1).await;
    let (french, home, ledger) =
        (api.contact("M1", "FR", None).await, api.contact("M2", "IE", None).await, api.ledger().await);
    let belfast = json!({"contact": {"name": "Ada Byron", "contact_type_ids": ["CUSTOMER"], "reference": "M3",
        "main_address": {"postal_code": "BT7 1AA", "country_id": "GB"}}});
    let belfast = api.post("/contacts", belfast).await.created();
    for (contact, price, kind) in [
        (&french, "50", "GOODS"),
        (&french, "30", "SERVICES"),
        (&belfast, "7", "GOODS"),
        (&home, "5", "GOODS"),
    ] {
        let lines = json!([taxed(&ledger, price, "IE_ZERO", "0", Some(kind))]);
        api.post("/sales_invoices", invoice(contact, &lines)).await.created();
    }
    let lines = json!([taxed(&ledger, "100", "IE_STANDARD", "23", Some("GOODS"))]);
    api.post("/sales_invoices", invoice(&french, &lines)).await.created();
    assert_eq!(boxes(&api).await, json!({"T1": "23.0", "E1": "57.0", "ES1": "30.0"}));
}

#[tokio::test]
async fn a_canadian_return_parts_the_federal_tax_from_the_provinces() {
    let mut api = Api::new().await;
    api.choose(2).await;
    let (contact, ledger) = (api.contact("M1", "CA", None).await, api.ledger().await);
    for (region, rate, tax) in
        [("CA-QC", "CA_GST_QST", "14.98"), ("CA-ON", "CA_HST_ON", "13"), ("CA-BC", "CA_GST_PST_BC", "12")]
    {
        let mut document = invoice(&contact, &json!([taxed(&ledger, "100", rate, tax, None)]));
        document["sales_invoice"]["tax_address_region_id"] = region.into();
        api.post("/sales_invoices", document).await.created();
    }
    assert_eq!(boxes(&api).await, json!({"GST/HST": "23.0", "QST": "9.98"}));
}

#[tokio::test]
async fn a_period_that_is_none_is_refused() {
    let api = Api::new().await;
    for query in ["", "?from=2026-11-01", "?from=2026-11-30&to=2026-11-01", "?from=x&to=y"] {
        let answer = api.control(Method::GET, &format!("/vat-return{query}"), &Value::Null).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn a_contact_has_an_address_that_is_one_and_one_treatment() {
    let api = Api::new().await;
    let contact = |reference: &str, email: &str, treatment: Value| {
        json!({"contact": {"name": "Nora Quill", "contact_type_ids": ["CUSTOMER"], "reference": reference,
            "main_contact_person": {"name": "Nora Quill", "email": email}, "tax_treatment": treatment,
            "main_address": {"country_id": "US"}}})
    };
    let home = || json!({"home_tax": true});
    for email in [
        "n/a",
        "nora quill@ example.com",
        "nora@example",
        "@example.com",
        "nora@@example.com",
        "\u{fb01}@example.com",
    ] {
        let refused = api.post("/contacts", contact("M1", email, home())).await.refused();
        assert!(refused.0.contains("is invalid"), "{email}: {refused:?}");
    }
    for treatment in
        [json!({}), json!({"home_tax": true, "rest_of_world_tax": true}), json!({"home_tax": false})]
    {
        let refused = api.post("/contacts", contact("M1", "nora@example.com", treatment)).await.refused();
        assert_eq!(refused.1, "tax_treatment");
    }
    let unknown = json!({"contact": {"name": "Nora Quill", "contact_type_ids": ["CUSTOMER"],
        "main_address": {"country_id": "XK"}}});
    assert_eq!(api.post("/contacts", unknown).await.status, StatusCode::NOT_FOUND);
    let currency =
        json!({"contact": {"name": "Nora Quill", "contact_type_ids": ["CUSTOMER"], "currency_id": "HUF"}});
    assert_eq!(api.post("/contacts", currency).await.status, StatusCode::NOT_FOUND);
    // The treatment goes before the address: a taxed sale billed to America.
    let id = api.post("/contacts", contact("M1", "nora@example.com", home())).await.created();
    let ledger = api.ledger().await;
    let lines = json!([taxed(&ledger, "10", "GB_STANDARD", "2", None)]);
    api.post("/sales_invoices", invoice(&id, &lines)).await.created();
}
