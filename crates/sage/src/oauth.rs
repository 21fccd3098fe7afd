//! OAuth 2 with PKCE (Sage's guide on authentication; RFC 7636).

use std::time::Duration;

use backon::Retryable;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use messages::message;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

use crate::{Answer, App, Client, Endpoints, Error, Tokens, client::Outgoing};

/// How long the token host is waited for. An answer that nobody waits for any more takes a connection with it: what Sage has rotated it
/// tells once.
const PATIENCE: Duration = Duration::from_mins(10);

/// The countries that may skip Sage's own country page.
const COUNTRIES: &[&str] = &["ca", "gb", "ie"];

/// A proof that the one who brings the code is the one who asked for it.
#[derive(Clone, Debug)]
pub struct Pkce {
    /// Kept here until the code comes.
    pub verifier: SecretString,
    /// Shown to Sage beforehand.
    pub challenge: String,
}

impl Pkce {
    /// A proof of these random bytes: 43 characters, the shortest that RFC 7636 takes.
    pub fn new(random: [u8; 32]) -> Self {
        Self::of(SecretString::from(URL_SAFE_NO_PAD.encode(random)))
    }

    /// The proof of a verifier that was kept.
    pub fn of(verifier: SecretString) -> Self {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose_secret().as_bytes()));
        Self { verifier, challenge }
    }
}

/// Where to send the merchant for consent. `country` is an ISO code, which skips Sage's country page where Sage knows it.
pub fn authorize_url(
    app: &App,
    endpoints: &Endpoints,
    country: Option<&str>,
    state: &str,
    pkce: &Pkce,
) -> Url {
    let mut url = endpoints.authorize.clone();
    let mut query = url.query_pairs_mut();
    query
        .append_pair("filter", "apiv3.1")
        .append_pair("response_type", "code")
        .append_pair("client_id", &app.client_id)
        .append_pair("redirect_uri", &app.redirect_uri)
        .append_pair("scope", "full_access")
        .append_pair("state", state)
        .append_pair("code_challenge", &pkce.challenge)
        .append_pair("code_challenge_method", "S256");
    let country = country.map(str::to_ascii_lowercase);
    if let Some(country) = country.as_deref().filter(|country| COUNTRIES.contains(country)) {
        query.append_pair("country", country);
    }
    drop(query);
    url
}

impl Client {
    /// Buys tokens for the code of the callback (decoded once, with its country prefix). It lives 60 seconds and is good once.
    pub async fn exchange_code(&self, code: &str, verifier: &SecretString) -> Result<Tokens, Error> {
        self.buy(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.app.redirect_uri),
            ("code_verifier", verifier.expose_secret()),
        ])
        .await
    }

    /// Buys new tokens; the old refresh token is dead from then on. One refresher a connection: store what comes back before
    /// using it.
    pub async fn refresh(&self, refresh: &SecretString) -> Result<Tokens, Error> {
        self.buy(&[("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())]).await
    }

    /// Ends a refresh token. The access token cannot be ended and runs out. One that is dead already counts as ended.
    pub async fn revoke(&self, refresh: &SecretString) -> Result<(), Error> {
        let url = self.endpoints.revoke.clone();
        match self.token_call("/revoke", url, &[("token", refresh.expose_secret())]).await {
            Ok(_) | Err(Error::Reauthorise { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn buy(&self, form: &[(&str, &str)]) -> Result<Tokens, Error> {
        let answer = self.token_call("/token", self.endpoints.token.clone(), form).await?;
        // Lifetimes count from before the call at the latest; the difference is smaller than every margin.
        Tokens::from_answer(&answer.body, self.limits.now()).ok_or_else(|| {
            let failed_call = crate::FailedCall {
                method: "POST",
                path: "/token".to_owned(),
                status: Some(answer.status),
                request_id: answer.request_id,
                duration: answer.duration,
                ..crate::FailedCall::default()
            };
            Error::InvalidResponse {
                what: message!(sage_answers.no_tokens),
                failed_call: Box::new(failed_call),
            }
        })
    }

    async fn token_call(&self, path: &str, url: Url, form: &[(&str, &str)]) -> Result<Answer, Error> {
        let app = [
            ("client_id", self.app.client_id.as_str()),
            ("client_secret", self.app.client_secret.expose_secret()),
        ];
        let form: Vec<(&str, &str)> = app.iter().chain(form).copied().collect();
        let call = Outgoing { method: Method::POST, path, writes: false, business: None };
        let request = || self.request(Method::POST, url.clone()).timeout(PATIENCE).form(&form);
        let once = || self.send(&call, request());
        let result = once.retry(self.repeats()).when(Error::is_worth_another_try).await;
        result.map_err(of_the_token_host)
    }
}

/// The token host says `{"error":"invalid_grant",...}` with 400 (401 for the app).
fn of_the_token_host(error: Error) -> Error {
    let (Error::Rejected(failed_call) | Error::Unauthorised(failed_call)) = &error else { return error };
    match failed_call.messages.iter().find(|message| message.is_sages()) {
        Some(message) if message.data_code == "invalid_grant" => {
            Error::Reauthorise { reason: message.text.clone() }
        }
        Some(message) => Error::App { error: message.data_code.clone() },
        // Not Sage's word: a proxy's or a gateway's, which ends no connection.
        None => {
            Error::InvalidResponse { what: message!(sage_answers.no_error), failed_call: failed_call.clone() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Class,
        stub::{Sage, answer},
    };

    #[test]
    fn the_challenge_is_rfc_7636s() {
        // RFC 7636, appendix B.
        let pkce = Pkce::of(SecretString::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert_eq!(pkce.challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert_eq!(Pkce::new([0xff; 32]).verifier.expose_secret().len(), 43);
        assert!(!format!("{:?}", Pkce::new([0xff; 32])).contains("____"));
    }

    #[tokio::test]
    async fn a_page_in_front_of_the_token_host_ends_no_connection() {
        for (status, body) in [
            (401, "<html>who are you?</html>"),
            (401, r#"{"message":"Unauthorized"}"#),
            (400, r#"{"message":"Bad Request"}"#),
        ] {
            let sage = Sage::new(vec![answer(status, body)]).await;
            let error = sage.client().refresh(&SecretString::from("old")).await.unwrap_err();
            assert_eq!(error.class(), Class::Retry { after: None }, "{status} {body}: {error:?}");
        }
    }

    #[test]
    fn the_merchant_is_sent_to_consent() {
        let app = App {
            client_id: "id/1".to_owned(),
            client_secret: SecretString::from("hidden"),
            redirect_uri: "https://ledger.example/oauth/sage".to_owned(),
        };
        let pkce = Pkce::of(SecretString::from("v"));
        let url = |country| authorize_url(&app, &Endpoints::default(), country, "s t", &pkce);
        let gb = url(Some("GB"));
        assert!(
            gb.as_str().starts_with(
                "https://www.sageone.com/oauth2/auth/central?filter=apiv3.1&response_type=code&"
            )
        );
        let pairs: Vec<(String, String)> = gb.query_pairs().into_owned().collect();
        for (name, value) in [
            ("client_id", "id/1"),
            ("redirect_uri", "https://ledger.example/oauth/sage"),
            ("scope", "full_access"),
            ("state", "s t"),
            ("code_challenge", pkce.challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("country", "gb"),
        ] {
            assert!(pairs.contains(&(name.to_owned(), value.to_owned())), "{name}");
        }
        assert!(!gb.as_str().contains("hidden"));
        for country in [None, Some("US"), Some("x&y=z")] {
            assert!(!url(country).as_str().contains("&country="), "{country:?}");
        }
    }

    const TOKENS: &str = r#"{"access_token":"a","expires_in":300,"refresh_token":"r","refresh_token_expires_in":2678400,"requested_by_id":"u"}"#;

    #[tokio::test]
    async fn a_code_is_exchanged_with_the_fields_that_sage_wants() {
        let sage = Sage::new(vec![answer(200, TOKENS)]).await;
        let tokens = sage.client().exchange_code("GB/12 abc", &SecretString::from("ver")).await.unwrap();
        assert_eq!(tokens.refresh.expose_secret(), "r");
        let seen = sage.seen();
        assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("POST", "/token"));
        assert_eq!(seen[0].header("content-type"), Some("application/x-www-form-urlencoded"));
        assert_eq!(seen[0].header("accept"), Some("application/json"));
        assert_eq!(
            seen[0].body,
            "client_id=id&client_secret=secret&grant_type=authorization_code&code=GB%2F12+abc\
             &redirect_uri=https%3A%2F%2Fledger.example%2Foauth%2Fsage&code_verifier=ver"
        );
    }

    #[tokio::test]
    async fn a_refresh_sends_the_refresh_token_and_tries_again_when_sage_stumbles() {
        let sage = Sage::new(vec![answer(502, ""), answer(200, TOKENS)]).await;
        sage.repeating_client().refresh(&SecretString::from("old")).await.unwrap();
        let seen = sage.seen();
        assert_eq!(seen.len(), 2);
        assert_eq!(
            seen[1].body,
            "client_id=id&client_secret=secret&grant_type=refresh_token&refresh_token=old"
        );
    }

    #[tokio::test]
    async fn a_dead_refresh_token_asks_for_a_new_connection_and_a_wrong_app_for_the_operator() {
        let dead = r#"{"error":"invalid_grant","error_description":"The refresh token is invalid"}"#;
        let sage = Sage::new(vec![answer(400, dead)]).await;
        let error = sage.repeating_client().refresh(&SecretString::from("old")).await.unwrap_err();
        assert!(matches!(&error, Error::Reauthorise { reason } if reason.contains("invalid")));
        assert_eq!((error.class(), error.may_have_committed()), (Class::Reauthorise, false));
        assert_eq!(sage.seen().len(), 1);
        for (status, body) in
            [(401, r#"{"error":"invalid_client"}"#), (400, r#"{"error":"unauthorized_client"}"#)]
        {
            let sage = Sage::new(vec![answer(status, body)]).await;
            let error = sage.client().refresh(&SecretString::from("old")).await.unwrap_err();
            assert!(matches!(error, Error::App { .. }), "{body}: {error:?}");
        }
    }

    #[tokio::test]
    async fn an_answer_without_tokens_is_garbage_and_a_failure_commits_nothing() {
        let sage = Sage::new(vec![answer(200, "{}")]).await;
        let error = sage.client().refresh(&SecretString::from("old")).await.unwrap_err();
        assert!(matches!(error, Error::InvalidResponse { .. }));
        let sage = Sage::new(vec![answer(500, "")]).await;
        assert!(!sage.client().refresh(&SecretString::from("old")).await.unwrap_err().may_have_committed());
    }

    #[tokio::test]
    async fn revoking_what_is_dead_already_is_fine() {
        let sage =
            Sage::new(vec![answer(200, r#"{"success":"ok"}"#), answer(400, r#"{"error":"invalid_grant"}"#)])
                .await;
        let old = SecretString::from("old");
        assert!(sage.client().revoke(&old).await.is_ok() && sage.client().revoke(&old).await.is_ok());
        assert_eq!(sage.seen()[0].target, "/revoke");
        assert_eq!(sage.seen()[0].body, "client_id=id&client_secret=secret&token=old");
    }
}
