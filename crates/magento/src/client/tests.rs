//! The client against a small shop that answers what a test tells it to.

use std::sync::Mutex;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use chrono::DateTime;
use domain::{code::Code, run::EntityKind};
use secrecy::SecretString;

use super::*;
use crate::{
    Class, SyncStatus, TransportFailure, UrlError,
    token::tests::{Still, tenant},
};

const NOW: i64 = 1_795_487_748;

/// A message that is Magento's own 401.
const UNAUTHORISED: &str = r#"{"message":"The consumer isn't authorized to access %resources.","parameters":{"resources":"Byte8_Client::byte8_webapi"}}"#;

#[derive(Clone)]
struct Scripted {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn answer(status: u16, body: impl Into<Vec<u8>>) -> Scripted {
    Scripted { status, headers: Vec::new(), body: body.into() }
}

impl Scripted {
    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What a call looked like.
struct Seen {
    target: String,
    authorization: Option<String>,
    body: String,
}

#[derive(Default)]
struct Stub {
    answers: Mutex<Vec<Scripted>>,
    seen: Mutex<Vec<Seen>>,
}

async fn respond(State(stub): State<Arc<Stub>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    let body = String::from_utf8(body.to_vec()).unwrap();
    stub.seen.lock().unwrap().push(Seen { target: uri.to_string(), authorization, body });
    let scripted = {
        let mut answers = stub.answers.lock().unwrap();
        if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() }
    };
    let mut response = (StatusCode::from_u16(scripted.status).unwrap(), scripted.body).into_response();
    for (name, value) in scripted.headers {
        response.headers_mut().insert(HeaderName::from_static(name), value.parse().unwrap());
    }
    response
}

/// A shop that gives these answers in turn, the last one for ever.
async fn shop(answers: Vec<Scripted>) -> (Shop, Arc<Stub>) {
    let stub = Arc::new(Stub { answers: Mutex::new(answers), seen: Mutex::default() });
    let router = Router::new().fallback(respond).with_state(Arc::clone(&stub));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = ShopUrl::parse(&format!("http://{}/de", listener.local_addr().unwrap()), true).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let keys = SubKeys::derive(&SecretString::from("key"));
    (Shop { url, tenant: tenant(), keys }, stub)
}

fn client() -> Client {
    let options =
        Options { allow_private_addresses: true, timeout: Duration::from_millis(500), ..Options::default() };
    Client::new(options, Arc::new(Still(NOW))).unwrap()
}

fn wire(name: &str) -> String {
    let path = format!("{}/../../fixtures/wire/entity/{name}.body", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

async fn invoice_error(answer: Scripted) -> Error {
    let (shop, _) = shop(vec![answer]).await;
    client().invoice(&shop, 1).await.unwrap_err()
}

#[tokio::test]
async fn documents_of_the_real_module_are_read() {
    let (shop, stub) = shop(vec![answer(200, wire("invoice-01"))]).await;
    let fetched = client().invoice(&shop, 1).await.unwrap();
    assert_eq!(
        (fetched.value["magento_id"].as_i64(), fetched.status, fetched.path.as_str()),
        (Some(1), 200, "/invoice/1")
    );
    let seen = stub.seen.lock().unwrap();
    assert_eq!(seen[0].target, "/de/rest/V1/byte8/invoice/1");
    assert!(seen[0].authorization.as_ref().unwrap().starts_with("Bearer eyJ"));
}

#[tokio::test]
async fn lists_and_raw_entities_are_read() {
    let (shop, _) = shop(vec![
        answer(200, wire("payment-methods")),
        answer(200, wire("ping")),
        answer(200, wire("customer-01")),
        answer(200, wire("creditmemo-01")),
    ])
    .await;
    let methods = client().payment_methods(&shop).await.unwrap().value;
    assert!(methods.iter().any(|method| method.code == "checkmo" && method.is_active));
    client().ping(&shop).await.unwrap();
    assert_eq!(client().customer(&shop, 1).await.unwrap().value["magento_id"], 1);
    assert_eq!(client().creditmemo(&shop, 2).await.unwrap_err().code(), Code::MagentoInvalidResponse);
}

#[tokio::test]
async fn a_missing_document_and_a_missing_module_are_told_apart() {
    let error = invoice_error(answer(404, wire("err-invoice-999999"))).await;
    assert!(
        matches!(&error, Error::NotFound { message } if message.starts_with("The entity that was requested"))
    );
    assert_eq!((error.code(), error.class()), (Code::MagentoNotFound, Class::Rejected));
    let error = invoice_error(answer(404, wire("err-route"))).await;
    assert_eq!((&error, error.class()), (&Error::ModuleMissing, Class::Retry { after: None }));
    let error = invoice_error(answer(404, "<html>not found</html>")).await;
    assert_eq!(error.code(), Code::MagentoInvalidResponse);
    let error = invoice_error(answer(404, wire("err-customer-0"))).await;
    assert_eq!(error.to_string(), "Magento says: No such entity with customerId = 0");
}

#[tokio::test]
async fn one_refused_token_is_tried_again_afresh() {
    let (shop, stub) = shop(vec![answer(401, UNAUTHORISED), answer(200, wire("invoice-01"))]).await;
    assert!(client().invoice(&shop, 1).await.is_ok());
    assert_eq!(stub.seen.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn two_refused_tokens_are_an_error_that_names_a_wrong_clock() {
    for (seconds, expected) in [(0, None), (20, None), (95, Some(95)), (-3600, Some(-3600))] {
        let date = DateTime::from_timestamp(NOW + seconds, 0).unwrap().format("%a, %d %b %Y %H:%M:%S GMT");
        let refused = answer(401, UNAUTHORISED).header("date", date.to_string());
        let (shop, stub) = shop(vec![refused]).await;
        let error = client().invoice(&shop, 1).await.unwrap_err();
        assert_eq!(error, Error::Auth { clock_ahead: expected });
        assert_eq!((error.code(), error.class()), (Code::MagentoAuth, Class::Reauthorise));
        assert_eq!(stub.seen.lock().unwrap().len(), 2);
    }
    assert!(Error::Auth { clock_ahead: Some(-95) }.to_string().contains("95 s behind Ledger"));
}

#[tokio::test]
async fn a_password_in_front_of_the_shop_is_not_a_refused_token() {
    let error = invoice_error(answer(401, "<html>who are you?</html>")).await;
    assert_eq!(error, Error::Unavailable { status: 401, message: None, retry_after: None });
    assert!(error.to_string().contains("password"));
}

#[tokio::test]
async fn failures_that_pass_are_worth_a_repeat() {
    for status in [403, 429, 500, 502, 503, 504] {
        let error = invoice_error(answer(status, "busy").header("retry-after", "7")).await;
        assert_eq!(error, Error::Unavailable { status, message: None, retry_after: Some(7) });
        assert_eq!(error.class(), Class::Retry { after: Some(7) });
    }
    let error = invoice_error(answer(503, "x").header("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")).await;
    assert_eq!(error.class(), Class::Retry { after: None });
}

#[tokio::test]
async fn redirects_are_named_and_not_followed() {
    let (shop, stub) =
        shop(vec![answer(301, "").header("location", "https://www.shop.example/rest/V1?token=x")]).await;
    let error = client().invoice(&shop, 1).await.unwrap_err();
    assert_eq!(error, Error::Redirected { status: 301, to: Some("https://www.shop.example".to_owned()) });
    assert_eq!(error.code(), Code::MagentoUnavailable);
    assert_eq!(stub.seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_the_document_is_garbage() {
    for body in ["<html>maintenance</html>", "", "[]", "null", r#"{"error":"down"}"#] {
        assert_eq!(invoice_error(answer(200, body)).await.code(), Code::MagentoInvalidResponse, "{body}");
    }
    let other = wire("invoice-02");
    assert_eq!(invoice_error(answer(200, other)).await.code(), Code::MagentoInvalidResponse);
}

/// What claims to be JSON, as Magento's answers do.
fn json(body: impl Into<Vec<u8>>) -> Scripted {
    answer(200, body).header("content-type", "application/json; charset=utf-8")
}

#[tokio::test]
async fn a_document_whose_own_text_cannot_be_read_is_refused_and_says_why() {
    let deep = format!("{{\"magento_id\":1,\"lines\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    let spoilt: [(&[u8], &str); 7] = [
        (
            b"{\"magento_id\":1,\"increment_id\":\"000\xff\"}",
            "increment_id: a text is not in UTF-8 (line 1, column",
        ),
        (
            b"{\"magento_id\":1,\"customer\":{\"name\":\"N\0ra\"}}",
            "customer: a text holds a control character",
        ),
        (
            b"{\"magento_id\":1,\"customer\":{\"name\":\"\\ud83d\"}}",
            "customer: a text holds half a character",
        ),
        (b"{\"magento_id\":1,\"note\":\"\\ud83d and on\"}", "note: a text holds half a character"),
        (b"{\"magento_id\":1,\"total\":1,\"total\":2}", "total: the document has this field twice"),
        (b"{\"magento_id\":1,\"total\":NaN}", "total: it is not valid JSON"),
        (deep.as_bytes(), "lines: too many lists and objects stand within one another"),
    ];
    for (body, expected) in spoilt {
        let error = invoice_error(json(body)).await;
        assert_eq!((error.code(), error.class()), (Code::UnreadableDocument, Class::Rejected), "{error}");
        assert!(error.to_string().starts_with(expected), "{error}");
    }
    let error = invoice_error(json(*b"{\"magento_id\":1,\"k\xff\":1}")).await;
    assert!(error.to_string().starts_with("The document cannot be read: a text is not in UTF-8"), "{error}");
}

/// Cut off, with a warning of PHP's before or after it, or under another name: that may be the shop's trouble of the hour.
#[tokio::test]
async fn an_answer_that_may_be_an_outage_is_tried_again() {
    let whole = wire("invoice-01");
    let half = &whole[..whole.len() / 2];
    let log = format!("[2026-11-30] main.ERROR: x\n{whole}");
    let (before, after) = (format!("Notice: x\n{whole}"), format!("{whole}<br /><b>Warning</b>: x"));
    for body in [half, log.as_str(), before.as_str(), after.as_str(), "", "<html>maintenance</html>"] {
        let error = invoice_error(json(body)).await;
        assert_eq!(
            (error.code(), error.class()),
            (Code::MagentoInvalidResponse, Class::Retry { after: None }),
            "{body:.20}"
        );
    }
    let html = answer(200, "{\"magento_id\":1,\"a\":\"\0\"}").header("content-type", "text/html");
    assert_eq!(invoice_error(html).await.code(), Code::MagentoInvalidResponse);
    let (shop, _) = shop(vec![json("[true,\"\0\"]")]).await;
    assert_eq!(client().ping(&shop).await.unwrap_err().code(), Code::MagentoInvalidResponse, "no document");
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let error = invoice_error(answer(200, " ".repeat(9 * 1024 * 1024))).await;
    assert_eq!(error, Error::TooLarge { status: 200 });
    assert_eq!((error.code(), error.class()), (Code::UnreadableDocument, Class::Rejected));
}

#[tokio::test]
async fn a_shop_that_does_not_answer_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = ShopUrl::parse(&format!("http://{}", listener.local_addr().unwrap()), true).unwrap();
    let shop = Shop { url, tenant: tenant(), keys: SubKeys::derive(&SecretString::from("key")) };
    let options =
        Options { allow_private_addresses: true, timeout: Duration::from_millis(20), ..Options::default() };
    let impatient = Client::new(options, Arc::new(Still(NOW))).unwrap();
    assert_eq!(impatient.ping(&shop).await.unwrap_err(), Error::Unreachable(TransportFailure::TimedOut));
    drop(listener);
    let error = client().ping(&shop).await.unwrap_err();
    assert_eq!(error, Error::Unreachable(TransportFailure::NotConnected));
    assert_eq!((error.code(), error.class()), (Code::MagentoUnreachable, Class::Retry { after: None }));
}

#[tokio::test]
async fn in_production_a_private_address_is_not_called() {
    let production = Client::new(Options::default(), Arc::new(Still(NOW))).unwrap();
    let keys = SubKeys::derive(&SecretString::from("key"));
    let development = ShopUrl::parse("https://127.0.0.1:1", true).unwrap();
    let shop = Shop { url: development, tenant: tenant(), keys };
    assert_eq!(production.ping(&shop).await.unwrap_err(), Error::Url(UrlError::Private));
}

#[tokio::test]
async fn sync_states_are_delivered() {
    let (shop, stub) = shop(vec![
        answer(200, "[]"),
        answer(400, r#"{"message":"Unknown entity_type %1","parameters":["payment"]}"#),
        answer(200, "<html>"),
    ])
    .await;
    let at = DateTime::from_timestamp(NOW, 0).unwrap();
    let body = SyncStateBody::new(EntityKind::Invoice, 42, SyncStatus::Synced, at);
    assert_eq!(client().post_sync_state(&shop, &body, Duration::MAX).await.unwrap().status, 200);
    assert!(stub.seen.lock().unwrap()[0].body.contains(r#""sync_status":"synced""#));
    let error = client().post_sync_state(&shop, &body, Duration::MAX).await.unwrap_err();
    assert_eq!(error, Error::Refused { status: 400, message: "Unknown entity_type payment".to_owned() });
    assert_eq!(
        client().post_sync_state(&shop, &body, Duration::MAX).await.unwrap_err().code(),
        Code::MagentoInvalidResponse
    );
}

async fn pair(answer: Scripted, code: &str) -> (Result<(), Error>, Arc<Stub>) {
    let (shop, stub) = shop(vec![answer]).await;
    let key = SecretString::from("3f1c0a9e");
    (client().pair(&shop.url, code, tenant(), &key, "https://ledger.example").await, stub)
}

#[tokio::test]
async fn pairing_sends_the_four_names_and_no_token() {
    for body in ["[]", "null", "", " \n"] {
        let (result, stub) = pair(answer(200, body), "  1957df10c2822fc381e34a2e7aa0353c \n").await;
        assert_eq!(result, Ok(()), "{body:?}");
        let seen = stub.seen.lock().unwrap();
        assert_eq!(seen[0].target, "/de/rest/V1/byte8/setup/pair");
        assert!(seen[0].authorization.is_none());
        let sent: Value = serde_json::from_str(&seen[0].body).unwrap();
        let expected = serde_json::json!({
            "pairingCode": "1957df10c2822fc381e34a2e7aa0353c",
            "tenantId": "0190f5a2-7c1e-7a3b-9d4e-5f60718293a4",
            "byte8ApiKey": "3f1c0a9e",
            "ledgerBaseUrl": "https://ledger.example",
        });
        assert_eq!(sent, expected);
    }
}

#[tokio::test]
async fn pairing_is_only_what_magento_confirms() {
    let code = "ABCDEFGH2345";
    let refused = answer(401, r#"{"message":"Invalid or expired pairing code."}"#);
    assert_eq!(pair(refused, code).await.0, Err(Error::PairingRefused));
    let bad = answer(400, r#"{"message":"ledger_base_url must be an absolute http(s) URL."}"#);
    assert!(matches!(pair(bad, code).await.0, Err(Error::Refused { status: 400, .. })));
    for body in ["<html>Welcome</html>", "{\"a\":1}", "true"] {
        let error = pair(answer(200, body), code).await.0.unwrap_err();
        assert_eq!(error.code(), Code::MagentoInvalidResponse, "{body}");
    }
    for code in ["", "short", "has space in it", &"x".repeat(65)] {
        let (result, stub) = pair(answer(200, "[]"), code).await;
        assert_eq!(result, Err(Error::PairingCode), "{code}");
        assert!(stub.seen.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_shop_that_echoes_the_key_does_not_get_it_printed() {
    let echo = answer(400, r#"{"message":"bad key 3f1c0a9e for ABCDEFGH2345"}"#);
    let error = pair(echo, "ABCDEFGH2345").await.0.unwrap_err();
    assert_eq!(error, Error::Refused { status: 400, message: "bad key … for …".to_owned() });
}

#[tokio::test]
async fn in_production_a_name_that_leads_home_is_not_called() {
    let production = Client::new(Options::default(), Arc::new(Still(NOW))).unwrap();
    let error = production.http.get("https://localhost:1/").send().await.unwrap_err();
    assert_eq!(Error::of_transport(&error), Error::Url(UrlError::Private));
}
