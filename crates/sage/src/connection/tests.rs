//! Odd answers, and what becomes of them.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use chrono::{DateTime, TimeDelta};
use domain::{code::Code, plan::Method as Write};
use serde_json::json;

use super::*;
use crate::{
    CircuitSettings, Class, Endpoints, LimitSettings, TransportFailure,
    stub::{Sage, Scripted, Still, answer, client},
};

/// Tokens that count how often they were refreshed.
#[derive(Default)]
struct Counting {
    refreshed: AtomicUsize,
    stale: Mutex<Vec<String>>,
}

#[async_trait]
impl TokenSource for Counting {
    async fn access_token(&self) -> Result<SecretString, Error> {
        Ok(SecretString::from(format!("token-{}", self.refreshed.load(Ordering::Relaxed))))
    }

    async fn refresh_after_401(&self, stale: &SecretString) -> Result<SecretString, Error> {
        self.refreshed.fetch_add(1, Ordering::Relaxed);
        self.stale.lock().unwrap().push(stale.expose_secret().to_owned());
        self.access_token().await
    }
}

const VALIDATION: &str = r#"[{"$severity":"error","$dataCode":"RecordInvalid","$message":"This field is required.","$source":"line_items.currency_tax_amount"}]"#;
const UNAUTHORISED: &str =
    r#"[{"$severity":"error","$dataCode":"AuthorizationFailure","$message":"Unauthorized","$source":""}]"#;
const NOT_FOUND: &str =
    r#"[{"$severity":"error","$dataCode":"RecordNotFound","$message":"Couldn't find record.","$source":""}]"#;
const DENIED: &str =
    r#"[{"$severity":"error","$dataCode":"MultiUserAccessDenied","$message":"Access denied.","$source":""}]"#;
const NO_PLAN: &str = r#"[{"$severity":"error","$dataCode":"AuthorizationFailure","$message":"No active subscription. (MSE)","$source":""}]"#;

async fn post_to(sage: &Sage) -> Result<Answer, Error> {
    let (client, tokens) = (sage.client(), Counting::default());
    let connection = Connection::new(&client, "b1", &tokens);
    let body = json!({"sales_invoice": {}});
    connection.ready().await?.send(Write::Post, "/sales_invoices", Some(&body)).await
}

async fn written(connection: &Connection<'_>, method: Write, path: &str) -> Result<Answer, Error> {
    connection.ready().await?.send(method, path, Some(&json!({}))).await
}

async fn post(scripted: Scripted) -> Result<Answer, Error> {
    post_to(&Sage::new(vec![scripted]).await).await
}

#[tokio::test]
async fn a_call_carries_token_business_and_body_and_keeps_money_as_it_was_written() {
    let sage = Sage::new(vec![
        answer(201, r#"{"id":"a","total_amount":"367.10","rate":1.10}"#)
            .header("x-business", "b1")
            .header("x_request_id", "r-1"),
    ])
    .await;
    let answer = post_to(&sage).await.unwrap();
    assert_eq!((answer.status, answer.method, answer.path.as_str()), (201, "POST", "/sales_invoices"));
    assert_eq!(answer.request_id.as_deref(), Some("r-1"));
    assert_eq!(answer.body.to_string(), r#"{"id":"a","rate":1.10,"total_amount":"367.10"}"#);
    let seen = &sage.seen()[0];
    assert_eq!(seen.target, "/v3.1/sales_invoices");
    assert_eq!(seen.header("authorization"), Some("Bearer token-0"));
    assert_eq!(seen.header("x-business"), Some("b1"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.body, r#"{"sales_invoice":{}}"#);
}

#[tokio::test]
async fn an_empty_answer_is_null() {
    let sage = Sage::new(vec![answer(204, "")]).await;
    let (client, tokens) = (sage.client(), Counting::default());
    let connection = Connection::new(&client, "b1", &tokens);
    let ready = connection.ready().await.unwrap();
    let answer = ready.send(Write::Delete, "/sales_invoices/x?void_reason=wrong%20sum", None).await.unwrap();
    assert_eq!((answer.body, answer.path.as_str()), (Value::Null, "/sales_invoices/x"));
    assert_eq!(sage.seen()[0].target, "/v3.1/sales_invoices/x?void_reason=wrong%20sum");
    assert_eq!(sage.seen()[0].method, "DELETE");
}

#[tokio::test]
async fn every_status_has_its_class() {
    let retry = |after| Class::Retry { after };
    for (status, header, body, code, class, committed) in [
        (422, None, VALIDATION, Code::SageValidation, Class::Rejected, false),
        (400, None, VALIDATION, Code::SageValidation, Class::Rejected, false),
        (404, None, NOT_FOUND, Code::SageNotFound, Class::Rejected, false),
        (403, None, DENIED, Code::SageForbidden, Class::Rejected, false),
        // Not Sage's own words: a gateway, a filter. Nobody knows what became of the request.
        (400, None, "", Code::SageInvalidResponse, retry(None), true),
        (403, None, "{}", Code::SageInvalidResponse, retry(None), true),
        (404, None, "[]", Code::SageInvalidResponse, retry(None), true),
        (404, None, "<html>", Code::SageInvalidResponse, retry(None), true),
        (405, None, "", Code::SageInvalidResponse, retry(None), true),
        (413, None, "<html>", Code::SageInvalidResponse, retry(None), true),
        (415, None, "<html>", Code::SageInvalidResponse, retry(None), true),
        (422, None, "", Code::SageInvalidResponse, retry(None), true),
        // The usual answers to "this idempotency key is in progress".
        (409, None, VALIDATION, Code::SageInProgress, retry(None), true),
        (423, None, "", Code::SageInProgress, retry(None), true),
        (425, Some("3"), "", Code::SageInProgress, retry(Some(3)), true),
        (401, None, NO_PLAN, Code::SagePlan, Class::Rejected, false),
        (401, None, UNAUTHORISED, Code::SageAuth, Class::Reauthorise, false),
        (401, None, r#"{"error":"invalid_token"}"#, Code::SageAuth, Class::Reauthorise, false),
        // A password's or a filter's in front of Sage, which says nothing of our token: Sage's own 401 has an error of Sage's.
        (401, None, "", Code::SageUnavailable, retry(None), true),
        (401, None, "<html>who are you?</html>", Code::SageUnavailable, retry(None), true),
        (401, None, r#"{"message":"Unauthorized"}"#, Code::SageUnavailable, retry(None), true),
        (429, Some("17"), "", Code::SageRateLimited, retry(Some(17)), false),
        (429, None, "", Code::SageRateLimited, retry(Some(5)), false),
        (429, Some("soon"), "", Code::SageRateLimited, retry(Some(5)), false),
        (503, Some("9"), "", Code::SageUnavailable, retry(Some(9)), true),
        (503, None, "", Code::SageUnavailable, retry(Some(5)), true),
        (500, None, "{}", Code::SageUnavailable, retry(None), true),
        (502, None, "<html>", Code::SageUnavailable, retry(None), true),
        (504, None, "", Code::SageUnavailable, retry(None), true),
        (525, None, "", Code::SageUnavailable, retry(None), true),
        (302, None, "", Code::SageInvalidResponse, retry(None), true),
        (200, None, "<html>", Code::SageInvalidResponse, retry(None), true),
        (201, None, "{", Code::SageInvalidResponse, retry(None), true),
    ] {
        let mut scripted = answer(status, body).header("x_request_id", "r-9");
        if let Some(after) = header {
            scripted = scripted.header("retry-after", after);
        }
        let error = post(scripted).await.unwrap_err();
        assert_eq!(error.code(), code, "{status} {body}: {error:?}");
        assert_eq!(error.class(), class, "{status} {body}");
        assert_eq!(error.may_have_committed(), committed, "{status} {body}");
        assert_eq!((error.status(), error.request_id()), (Some(status), Some("r-9")));
    }
}

#[tokio::test]
async fn sages_words_come_through_with_the_field_as_we_sent_it() {
    let error = post(answer(422, VALIDATION)).await.unwrap_err();
    assert_eq!(error.to_string(), "Sage says: invoice_lines.tax_amount: This field is required.");
    assert_eq!(error.messages()[0].data_code, "RecordInvalid");
    let error = post(answer(422, r#"{"$message":"must be the same","$source":"base"}"#)).await.unwrap_err();
    assert_eq!(error.to_string(), "Sage says: must be the same");
}

#[tokio::test]
async fn a_stale_token_is_refreshed_once_and_the_call_repeated_once() {
    let sage = Sage::new(vec![answer(401, UNAUTHORISED), answer(201, "{}")]).await;
    let (client, tokens) = (sage.client(), Counting::default());
    let connection = Connection::new(&client, "b1", &tokens);
    let ready = connection.ready().await.unwrap();
    let refused = ready.send(Write::Post, "/contacts", Some(&json!({}))).await.unwrap_err();
    assert!(matches!(refused, Error::Unauthorised(_)));
    let ready = ready.refreshed().await.unwrap();
    ready.send(Write::Post, "/contacts", Some(&json!({}))).await.unwrap();
    assert_eq!(*tokens.stale.lock().unwrap(), ["token-0"]);
    assert_eq!(sage.seen()[1].header("authorization"), Some("Bearer token-1"));

    let sage = Sage::new(vec![answer(401, UNAUTHORISED)]).await;
    let client = sage.client();
    let error = Connection::new(&client, "b1", &tokens).get("/contacts", &[]).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorised(_)));
    assert_eq!(sage.seen().len(), 2);
}

#[tokio::test]
async fn a_401_that_is_not_sages_uses_up_no_refresh_token() {
    let sage = Sage::new(vec![answer(401, "<html>who are you?</html>")]).await;
    let (client, tokens) = (sage.client(), Counting::default());
    let error = Connection::new(&client, "b1", &tokens).get("/contacts", &[]).await.unwrap_err();
    assert_eq!((error.code(), error.class()), (Code::SageUnavailable, Class::Retry { after: None }));
    assert_eq!(tokens.refreshed.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_plan_that_lacks_something_is_not_cured_by_a_refresh() {
    let sage = Sage::new(vec![answer(401, NO_PLAN)]).await;
    let (client, tokens) = (sage.client(), Counting::default());
    let error = Connection::new(&client, "b1", &tokens).get("/stock_items", &[]).await.unwrap_err();
    assert_eq!(error.code(), Code::SagePlan);
    assert_eq!((tokens.refreshed.load(Ordering::Relaxed), sage.seen().len()), (0, 1));
}

#[tokio::test]
async fn another_businesss_answer_is_noticed() {
    let error = post(answer(201, "{}").header("x-business", "lead")).await.unwrap_err();
    assert!(matches!(error, Error::OtherBusiness(_)));
    assert!(error.may_have_committed());
    assert_eq!((error.code(), error.class()), (Code::SageAuth, Class::Reauthorise));
}

#[tokio::test]
async fn reads_are_tried_again_and_writes_are_not() {
    let sage = Sage::new(vec![answer(500, ""), answer(502, ""), answer(200, "{}")]).await;
    let (client, tokens) = (sage.repeating_client(), Counting::default());
    let connection = Connection::new(&client, "b1", &tokens);
    assert!(connection.get("/contacts", &[("search", "M5 & Söhne")]).await.is_ok());
    assert_eq!(sage.targets(), ["/v3.1/contacts?search=M5+%26+S%C3%B6hne"; 3]);
    let sage = Sage::new(vec![answer(500, "")]).await;
    let client = sage.repeating_client();
    let connection = Connection::new(&client, "b1", &tokens);
    assert!(written(&connection, Write::Put, "/contacts/1").await.unwrap_err().may_have_committed());
    assert_eq!(sage.seen().len(), 1);
    let sage = Sage::new(vec![answer(503, "")]).await;
    let client = sage.repeating_client();
    assert!(Connection::new(&client, "b1", &tokens).get("/contacts", &[]).await.is_err());
    assert_eq!(sage.seen().len(), 1, "where Sage names a wait, it is the caller's");
}

#[tokio::test]
async fn a_refused_connection_has_committed_nothing_and_a_cut_line_may_have() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let cutter = std::thread::spawn(move || {
        use std::io::Read;
        let (mut stream, _) = listener.accept().unwrap();
        // The request is read, and no answer given.
        let _ = stream.read(&mut [0; 4096]);
    });
    let client = client(Endpoints::at(&base), LimitSettings::unhurried(), Arc::new(Still::at(0)));
    let tokens = Counting::default();
    let connection = Connection::new(&client, "b1", &tokens);
    let error = written(&connection, Write::Post, "/contacts").await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { lost: TransportFailure::Cut, .. }), "{error:?}");
    assert!(error.may_have_committed());
    cutter.join().unwrap();
    let error = written(&connection, Write::Post, "/contacts").await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { lost: TransportFailure::NotConnected, .. }), "{error:?}");
    assert!(!error.may_have_committed());
    assert_eq!((error.code(), error.class()), (Code::SageUnreachable, Class::Retry { after: None }));
}

#[tokio::test]
async fn lists_are_followed_until_next_is_null() {
    let pages = [
        r#"{"$total":4,"$page":1,"$next":"/products?page=2&items_per_page=200&search=a%20b","$items":[{"id":"1"},{"id":"2"}]}"#,
        r#"{"$next":"/v3.1/products?page=3","$items":[]}"#,
        r#"{"$next":null,"$items":[{"id":"3"}]}"#,
        r#"{"$next":null,"$items":[{"id":"the last page again"}]}"#,
    ];
    let sage = Sage::new(pages.map(|page| answer(200, page)).to_vec()).await;
    let (client, tokens) = (sage.client(), Counting::default());
    let connection = Connection::new(&client, "b1", &tokens);
    let items = connection.list_all("/products", &[("search", "a b")]).await.unwrap();
    let ids: Vec<&str> = items.iter().filter_map(|item| item["id"].as_str()).collect();
    assert_eq!(ids, ["1", "2", "3"]);
    assert_eq!(
        sage.targets(),
        [
            "/v3.1/products?search=a+b&items_per_page=200",
            "/v3.1/products?page=2&items_per_page=200&search=a%20b",
            "/v3.1/products?page=3",
        ]
    );
}

#[tokio::test]
async fn lists_that_make_no_sense_are_garbage() {
    let (tokens, endless) = (Counting::default(), r#"{"$next":"/products?page=1","$items":[{"id":"1"}]}"#);
    let foreign = r#"{"$next":"https://evil.example/products","$items":[]}"#;
    for body in [r#"{"$next":null}"#, r#"{"$items":5}"#, "null", endless, foreign] {
        let sage = Sage::new(vec![answer(200, body)]).await;
        let client = sage.client();
        let error = Connection::new(&client, "b1", &tokens).list_all("/products", &[]).await.unwrap_err();
        assert_eq!(error.code(), Code::SageInvalidResponse, "{body}");
        assert!(sage.seen().len() <= MOST_PAGES + 1);
    }
    let sage = Sage::new(vec![answer(200, r#"[{"id":"1"}]"#)]).await;
    let client = sage.client();
    let items = Connection::new(&client, "b1", &tokens).list_all("/products", &[]).await.unwrap();
    assert_eq!(items.len(), 1, "a plain array, as the swagger declares it");
}

#[test]
fn a_token_goes_nowhere_but_to_the_api() {
    let endpoints = Endpoints::default();
    let client = client(endpoints, LimitSettings::unhurried(), Arc::new(Still::at(0)));
    let tokens = Counting::default();
    let connection = Connection::new(&client, "b1", &tokens);
    let base = "https://api.accounting.sage.com/v3.1";
    for (path, expected) in [
        ("/contacts", Some("/contacts")),
        ("https://api.accounting.sage.com/v3.1/contacts?page=2", Some("/contacts?page=2")),
        ("/v3.1/contacts", Some("/contacts")),
        ("/a%2Fb c", Some("/a%2Fb%20c")),
        ("contacts", None),
        ("//evil.example", None),
        ("https://evil.example/contacts", None),
        ("https://api.accounting.sage.com.evil.example/v3.1/contacts", None),
        ("/../token", None),
        ("/\\evil.example", None),
        ("", None),
    ] {
        let url = connection.url(path, &[]).map(|url| url.to_string());
        assert_eq!(url, expected.map(|rest| format!("{base}{rest}")), "{path}");
    }
}

#[tokio::test]
async fn a_failing_sage_is_left_alone_for_a_while() {
    let sage = Sage::new(vec![answer(500, "")]).await;
    let circuit = CircuitSettings { opens_after: 2, rests_for: TimeDelta::seconds(60) };
    let client = sage.client_with(LimitSettings { circuit, ..LimitSettings::unhurried() });
    let tokens = Counting::default();
    let connection = Connection::new(&client, "b1", &tokens);
    for _ in 0..2 {
        assert_eq!(connection.get("/user", &[]).await.unwrap_err().code(), Code::SageUnavailable);
    }
    let error = connection.get("/user", &[]).await.unwrap_err();
    let until = DateTime::from_timestamp(1_777_460_060, 0).unwrap();
    assert_eq!((error.code(), error.class()), (Code::CircuitOpen, Class::Wait { until }));
    assert_eq!(sage.seen().len(), 2);
    let other = Connection::new(&client, "b2", &tokens);
    assert_eq!(other.get("/user", &[]).await.unwrap_err().code(), Code::SageUnavailable);
    sage.clock.set(1_777_460_060);
    assert_eq!(connection.get("/user", &[]).await.unwrap_err().code(), Code::SageUnavailable);
    assert_eq!(client.limits().made_today(), 4);
}

#[tokio::test]
async fn the_businesses_of_a_user_are_listed_without_naming_one() {
    let list = r#"{"$total":1,"$next":null,"$items_per_page":20,"$items":[{"id":"b1","displayed_as":"Teashop","$path":"/businesses/b1"}]}"#;
    let business = r#"{"id":"b1","displayed_as":"Teashop","name":"Teashop Ltd","country":{"id":"GB","displayed_as":"United Kingdom"},
        "is_demo":false,"subscriptions":[{"id":"ACCOUNTING","displayed_as":"Accounting","active":true,"status":"ok"}]}"#;
    let user =
        r#"{"id":"u1","displayed_as":"Ann Bee","email":"ann@example.com","initials":"AB","locale":"en-GB"}"#;
    let sage = Sage::new([list, business, user].map(|body| answer(200, body)).to_vec()).await;
    let (client, tokens) = (sage.client(), FixedToken(SecretString::from("t")));
    let connection = Connection::without_business(&client, &tokens);
    assert_eq!(connection.businesses().await.unwrap()[0].name, "Teashop");
    let business = connection.business("b1").await.unwrap();
    assert_eq!((business.name.as_str(), business.country.as_deref()), ("Teashop Ltd", Some("GB")));
    assert!(business.subscriptions[0].active);
    assert_eq!(connection.user().await.unwrap().initials.as_deref(), Some("AB"));
    assert!(sage.seen().iter().all(|seen| seen.header("x-business").is_none()));
    let sage = Sage::new(vec![answer(401, UNAUTHORISED)]).await;
    let client = sage.client();
    let error = Connection::without_business(&client, &tokens).user().await.unwrap_err();
    assert_eq!(error.class(), Class::Reauthorise);
}
