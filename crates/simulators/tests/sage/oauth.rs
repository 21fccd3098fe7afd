//! Consent, codes and tokens.

use reqwest::StatusCode;
use serde_json::json;

use crate::api::{Api, CALLBACK};

#[tokio::test]
async fn a_code_works_once_and_refresh_tokens_rotate() {
    let api = Api::new().await;
    assert!(api.token.len() > 1000, "tokens are as long as Sage's");
    let code = api.authorize(&[]).await;
    let tokens = api.redeem(&code, &[]).await;
    assert_eq!(tokens.body["expires_in"], 300);
    assert_eq!(tokens.body["refresh_token_expires_in"], 2_678_400);
    assert_eq!(api.redeem(&code, &[]).await.body["error"], "invalid_grant");

    let refreshed = api.refresh(&api.refresh).await;
    assert_eq!(refreshed.status, StatusCode::OK);
    let stale = api.refresh(&api.refresh).await;
    assert_eq!((stale.status, &stale.body["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));

    let newest = refreshed.body["refresh_token"].as_str().unwrap();
    assert_eq!(api.form("/revoke", &[("token", newest)]).await.body, json!({"success": "ok"}));
    assert_eq!(api.refresh(newest).await.body["error"], "invalid_grant");
}

#[tokio::test]
async fn a_code_dies_after_a_minute_and_a_token_after_five() {
    let api = Api::new().await;
    let code = api.authorize(&[]).await;
    api.pass(61);
    assert_eq!(api.redeem(&code, &[]).await.body["error"], "invalid_grant");
    assert_eq!(api.get("/contacts").await.status, StatusCode::OK);
    api.pass(240);
    let late = api.get("/contacts").await;
    assert_eq!(late.status, StatusCode::UNAUTHORIZED);
    assert_eq!(late.body[0]["$dataCode"], "AuthorizationFailure");
}

#[tokio::test]
async fn a_challenge_wants_its_verifier() {
    let api = Api::new().await;
    // RFC 7636, appendix B.
    let challenge = [
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    let code = api.authorize(&challenge).await;
    let wrong = [("code_verifier", "eBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")];
    assert_eq!(api.redeem(&code, &wrong).await.body["error"], "invalid_grant");
    let code = api.authorize(&challenge).await;
    assert_eq!(api.redeem(&code, &[]).await.body["error"], "invalid_grant");
    let code = api.authorize(&challenge).await;
    let right = [("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")];
    assert_eq!(api.redeem(&code, &right).await.status, StatusCode::OK);
}

#[tokio::test]
async fn consent_is_asked_for_on_a_page_and_can_be_refused() {
    let api = Api::new().await;
    let url = format!(
        "{}/oauth2/auth/central?response_type=code&client_id=ledger&redirect_uri={CALLBACK}&scope=full_access&state=x",
        api.running.url()
    );
    let page = api.http.get(&url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("<form method=\"post\">") && page.contains("Approve"), "{page}");
    let denied = api.http.post(&url).form(&[("approve", "0")]).send().await.unwrap();
    assert!(denied.headers()["location"].to_str().unwrap().contains("error=access_denied"));
    let strange = url.replace("oauth/sage/callback", "elsewhere");
    assert_eq!(api.http.get(strange).send().await.unwrap().status(), StatusCode::BAD_REQUEST);
}
