//! Limits, and faults to order.

use std::{sync::Arc, time::Duration};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulators::sage::{Kind, Rule};

use crate::api::Api;

#[tokio::test]
async fn parallel_posts_in_one_business_clash() {
    let api = Api::new().await;
    api.running.faults().latency(Duration::from_millis(100));
    let contact = |name: &str| json!({"contact": {"name": name, "contact_type_ids": ["CUSTOMER"]}});
    let posts = (api.post("/contacts", contact("Ada")), api.post("/contacts", contact("Bob")));
    let (first, second) = tokio::join!(posts.0, posts.1);
    let clashed = [&first, &second].into_iter().find(|answer| answer.status != StatusCode::CREATED).unwrap();
    assert_eq!(clashed.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(clashed.body[0]["$dataCode"], "UnexpectedError");
    api.running.faults().clear();
    api.post("/contacts", contact("Cid")).await.created();
    assert_eq!(api.get("/contacts").await.body["$total"], 2);
}

#[tokio::test]
async fn more_than_150_requests_at_once_are_refused() {
    let api = Arc::new(Api::new().await);
    api.running.faults().latency(Duration::from_secs(3));
    let gets: Vec<_> = (0..170)
        .map(|_| {
            let api = Arc::clone(&api);
            tokio::spawn(async move { api.get("/contacts").await })
        })
        .collect();
    let mut refused = 0;
    for get in gets {
        let answer = get.await.unwrap();
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!(answer.headers["retry-after"], "1");
            refused += 1;
        }
    }
    assert_eq!(refused, 20);
}

#[tokio::test]
async fn a_failure_after_the_work_has_done_the_work() {
    let api = Api::new().await;
    let contact = json!({"contact": {"name": "Ada", "contact_type_ids": ["CUSTOMER"],
        "idempotency_id": "ffffffffffffffffffffffffffffffff"}});
    let faults = api.running.faults();
    faults.add(Kind::FailBefore, Rule::times(1).on("POST", "/contacts$").status(503).retry_after(7));
    faults.add(Kind::FailAfter, Rule::times(1).on("POST", "/contacts$"));
    faults.add(Kind::CutAfter, Rule::times(1).on("POST", "/services"));
    let before = api.post("/contacts", contact.clone()).await;
    assert_eq!((before.status.as_u16(), &before.headers["retry-after"]), (503, &"7".parse().unwrap()));
    assert_eq!(api.get("/contacts").await.body["$total"], 0);
    let after = api.post("/contacts", contact.clone()).await;
    assert_eq!(after.status.as_u16(), 500);
    let books = api.running.books();
    let lead = books["businesses"].as_object().unwrap().values().find(|one| one["name"] == "Harbour Tea Ltd");
    assert_eq!(lead.unwrap()["contacts"].as_array().unwrap().len(), 1);
    api.post("/contacts", contact).await.created();
    assert_eq!(api.get("/contacts").await.body["$total"], 1);

    let service = json!({"service": {"description": "x", "sales_ledger_account_id": api.ledger().await}});
    assert!(api.request(Method::POST, "/services").json(&service).send().await.is_err());
    assert_eq!(api.get("/services").await.body["$total"], 1);
}

#[tokio::test]
async fn faults_are_ordered_over_the_wire_and_count_down() {
    let api = Api::new().await;
    let order = json!({"refuse_tokens": 1, "rate_limit": {"times": 1, "retry_after": 3, "path": "/services"},
        "fail_before": [{"path": "/token", "status": 502}]});
    assert_eq!(api.control(Method::POST, "/faults", &order).await.status, StatusCode::OK);
    assert_eq!(api.get("/contacts").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(api.get("/contacts").await.status, StatusCode::OK);
    assert_eq!(api.get("/services").await.headers["retry-after"], "3");
    assert_eq!(api.refresh(&api.refresh).await.status.as_u16(), 502);
    assert_eq!(api.refresh(&api.refresh).await.status, StatusCode::OK);
    assert_eq!(
        api.control(Method::GET, "/faults", &Value::Null).await.body,
        json!({"rates_inverted": false})
    );
    let unknown = api.control(Method::POST, "/faults", &json!({"sloth": 1})).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    let log = api.control(Method::GET, "/requests", &Value::Null).await.body;
    let statuses: Vec<_> = log.as_array().unwrap().iter().map(|entry| entry["status"].clone()).collect();
    assert_eq!(statuses[statuses.len() - 5..], [json!(401), json!(200), json!(429), json!(502), json!(200)]);
    assert!(!log.to_string().contains(&api.refresh));
}

#[tokio::test]
async fn wrong_totals_are_a_penny_too_high() {
    let api = Api::new().await;
    let contact = api.contact("M1", "GB", None).await;
    api.running.faults().add(Kind::WrongTotals, Rule::times(1));
    let id = api.invoice(&contact, "10").await;
    assert_eq!(api.standing(&format!("/sales_invoices/{id}")).await.1, "10.01");
    let right = api.invoice(&contact, "10").await;
    assert_eq!(api.standing(&format!("/sales_invoices/{right}")).await.1, "10.0");
}

#[tokio::test]
async fn a_late_commit_is_refused_at_once_and_lands_when_the_clock_has_come_so_far() {
    let api = Api::new().await;
    api.running.faults().add(Kind::CommitLate, Rule::times(1).on("POST", "/contacts$").after(40).bare());
    let contact = json!({"contact": {"name": "Ada", "contact_type_ids": ["CUSTOMER"]}});
    let answer = api.post("/contacts", contact).await;
    assert_eq!((answer.status.as_u16(), answer.body), (504, Value::Null));
    assert_eq!(api.get("/contacts").await.body["$total"], 0);
    api.pass(41);
    assert_eq!(api.get("/contacts").await.body["$total"], 1);
}

#[tokio::test]
async fn a_request_that_hangs_is_counted_and_dropped_with_its_client() {
    let api = Arc::new(Api::new().await);
    let mut hung = api.running.faults().hung();
    api.running.faults().add(Kind::HangAfter, Rule::times(1).on("POST", "/contacts$"));
    let contact = json!({"contact": {"name": "Ada", "contact_type_ids": ["CUSTOMER"]}});
    let posting = tokio::spawn({
        let api = Arc::clone(&api);
        async move { api.post("/contacts", contact).await }
    });
    hung.wait_for(|hung| *hung == 1).await.unwrap();
    posting.abort();
    assert_eq!(api.get("/contacts").await.body["$total"], 1);
}
