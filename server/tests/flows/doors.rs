//! Bad input at the webhook's door: a clear error, and nothing is lost by it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{environment::Environment, ids::BindingId};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use reqwest::Client;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use server::{
    environment::Machine,
    sandbox::{Options, Sandbox},
};
use sha2::Sha256;
use sqlx::{Connection, Executor};
use store::{CredentialKind, PageRequest};

const BODY: &str = r#"{"magento_entity_id":51,"website_id":1,"store_id":1,"occurred_at":"2026-11-24T02:39:20Z","payload":{"increment_id":"000000043","paid":true}}"#;

async fn sandbox() -> Sandbox {
    Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap()
}

struct Event<'a> {
    tenant: String,
    name: &'a str,
    token: String,
    content_type: &'a str,
    key: &'a str,
    body: String,
}

fn good(sandbox: &Sandbox) -> Event<'static> {
    Event {
        tenant: sandbox.binding.id.to_string(),
        name: "invoice.created",
        token: sandbox.shop().unwrap().token().unwrap(),
        content_type: "application/json",
        key: "invoice.created:51",
        body: BODY.to_owned(),
    }
}

/// The good event with another time.
fn dated(sandbox: &Sandbox, at: &str) -> Event<'static> {
    Event { body: BODY.replace("2026-11-24T02:39:20Z", at), ..good(sandbox) }
}

async fn send(sandbox: &Sandbox, event: Event<'_>) -> (u16, Value) {
    let answer = Client::builder()
        .build()
        .unwrap()
        .post(format!("{}/webhooks/magento/{}/{}", sandbox.url(), event.tenant, event.name))
        .header("Authorization", format!("Bearer {}", event.token))
        .header("Content-Type", event.content_type)
        .header("Idempotency-Key", event.key)
        .body(event.body)
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

async fn runs(sandbox: &Sandbox) -> usize {
    let request = PageRequest { limit: 100, ..PageRequest::default() };
    sandbox.process.engine.store.page_runs(sandbox.organisation, &request).await.unwrap().runs.len()
}

/// A token of the shop's with other claims or another header.
async fn forged(sandbox: &Sandbox, header: &Value, change: impl Fn(&mut Value)) -> String {
    let kind = CredentialKind::MagentoApiKey;
    let key = sandbox.process.engine.open_credential(sandbox.binding.id, kind).await.unwrap().unwrap();
    let mut subkey = [0; 32];
    Hkdf::<Sha256>::new(None, key.expose_secret().as_bytes())
        .expand(b"byte8-magento-outbound-v1", &mut subkey)
        .unwrap();
    let now = Machine.now().timestamp();
    let mut claims = json!({
        "iss": "magento", "sub": sandbox.binding.id.to_string(), "aud": "byte8-ledger",
        "iat": now, "nbf": now, "exp": now + 60, "jti": Machine.uuid_v4().to_string(),
    });
    change(&mut claims);
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(&subkey).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_answered_with_its_run_and_a_repeat_with_the_same() {
    let sandbox = sandbox().await;
    let (status, first) = send(&sandbox, good(&sandbox)).await;
    assert_eq!(status, 202);
    let (status, again) = send(&sandbox, good(&sandbox)).await;
    assert_eq!((status, &again["sync_run_id"]), (202, &first["sync_run_id"]));
    assert_eq!(runs(&sandbox).await, 1);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_bodies_are_refused_clearly_and_nothing_is_stored() {
    let sandbox = sandbox().await;
    let other = BindingId(Machine.id()).to_string();
    let large = format!("{{\"pad\":\"{}\"}}", "x".repeat(10 * 1024 * 1024));
    let cases: Vec<(Event<'_>, u16, &str)> = vec![
        (Event { body: "{\"magento_entity_id\":".to_owned(), ..good(&sandbox) }, 400, "malformed"),
        (Event { body: "[]".to_owned(), ..good(&sandbox) }, 400, "malformed"),
        (Event { body: BODY.replace("51", "-51"), ..good(&sandbox) }, 400, "malformed"),
        (Event { body: BODY.replace("51", "99999999999"), ..good(&sandbox) }, 400, "malformed"),
        (
            Event { body: BODY.replace("\"store_id\":1", "\"store_id\":-1"), ..good(&sandbox) },
            400,
            "malformed",
        ),
        (dated(&sandbox, "+262142-01-01T00:00:00Z"), 400, "malformed"),
        (dated(&sandbox, "-262143-01-01T00:00:00Z"), 400, "malformed"),
        (dated(&sandbox, "9999-12-31T23:59:59-23:59"), 400, "malformed"),
        (dated(&sandbox, "1999-12-31T23:59:59Z"), 400, "malformed"),
        (dated(&sandbox, "2099-01-01T00:00:00Z"), 400, "malformed"),
        (dated(&sandbox, "2026-04-29 10:11:12"), 400, "malformed"),
        (Event { key: "invoice.created:52", ..good(&sandbox) }, 400, "malformed"),
        (Event { content_type: "text/plain", ..good(&sandbox) }, 415, "content_type"),
        (Event { body: large, ..good(&sandbox) }, 413, "too_large"),
        (Event { name: "invoice.exploded", ..good(&sandbox) }, 404, "unknown_event"),
        (Event { tenant: other, ..good(&sandbox) }, 404, "unknown_tenant"),
        (Event { tenant: "nobody".to_owned(), ..good(&sandbox) }, 404, "unknown_tenant"),
    ];
    for (event, expected, code) in cases {
        let (status, body) = send(&sandbox, event).await;
        assert_eq!((status, &body["error"]["code"]), (expected, &json!(code)), "{body}");
        assert!(body["error"]["message"].as_str().unwrap().ends_with('.'), "{body}");
    }
    assert_eq!(runs(&sandbox).await, 0);
    let (status, _) = send(&sandbox, good(&sandbox)).await;
    assert_eq!(status, 202);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_tokens_are_refused_and_nothing_is_stored() {
    let sandbox = sandbox().await;
    let good_header = json!({ "alg": "HS256", "typ": "JWT" });
    let replayed = sandbox.shop().unwrap().token().unwrap();
    let (status, first) = send(&sandbox, Event { token: replayed.clone(), ..good(&sandbox) }).await;
    assert_eq!(status, 202);
    // A proxy repeats a request whose answer it lost: Magento would dead-letter a 401.
    let again = send(&sandbox, Event { token: replayed.clone(), ..good(&sandbox) }).await;
    assert_eq!(again, (202, first));
    let now = Machine.now().timestamp();
    let mut unsigned = forged(&sandbox, &json!({ "alg": "none", "typ": "JWT" }), |_| {}).await;
    unsigned.truncate(unsigned.rfind('.').unwrap() + 1);
    let mut tampered = forged(&sandbox, &good_header, |_| {}).await;
    tampered.replace_range(tampered.len() - 4.., "AAAA");
    let tokens = [
        ("replayed", replayed),
        ("alg none", unsigned),
        ("alg none, signed", forged(&sandbox, &json!({ "alg": "none", "typ": "JWT" }), |_| {}).await),
        ("HS512", forged(&sandbox, &json!({ "alg": "HS512", "typ": "JWT" }), |_| {}).await),
        ("tampered", tampered),
        (
            "expired",
            forged(&sandbox, &good_header, |claims| {
                claims["iat"] = (now - 120).into();
                claims["nbf"] = (now - 120).into();
                claims["exp"] = (now - 60).into();
            })
            .await,
        ),
        (
            "lives too long",
            forged(&sandbox, &good_header, |claims| claims["exp"] = (now + 3600).into()).await,
        ),
        (
            "another tenant",
            forged(&sandbox, &good_header, |claims| {
                claims["sub"] = BindingId(Machine.id()).to_string().into();
            })
            .await,
        ),
        (
            "our own direction",
            forged(&sandbox, &good_header, |claims| claims["iss"] = "byte8-ledger".into()).await,
        ),
        ("no id", forged(&sandbox, &good_header, |claims| claims["jti"] = "".into()).await),
        ("garbage", "abc".to_owned()),
        ("empty", String::new()),
    ];
    for (name, token) in tokens {
        let body = BODY.replace("\"paid\":true", "\"paid\":false");
        let (status, body) = send(&sandbox, Event { token, body, ..good(&sandbox) }).await;
        assert_eq!((status, &body["error"]["code"]), (401, &json!("token_refused")), "{name}: {body}");
    }
    assert_eq!(runs(&sandbox).await, 1);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_answers_503_and_loses_nothing() {
    let sandbox = sandbox().await;
    let url = sandbox.config().database_url.replace("sqlite://", "sqlite:");
    let mut blocker = sqlx::SqliteConnection::connect(&url).await.unwrap();
    blocker.execute("BEGIN IMMEDIATE").await.unwrap();
    let (status, body) = send(&sandbox, good(&sandbox)).await;
    assert_eq!((status, &body["error"]["code"]), (503, &json!("unavailable")), "{body}");
    blocker.execute("ROLLBACK").await.unwrap();
    let (status, _) = send(&sandbox, good(&sandbox)).await;
    assert_eq!(status, 202);
    assert_eq!(runs(&sandbox).await, 1);
    sandbox.stop().await;
}
