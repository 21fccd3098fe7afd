//! Webhooks as Standard Webhooks says: who receives one can prove who sent it, and that it was not sent before.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::DateTime;
use domain::environment::Environment;
use hmac::{Hmac, Mac};
use magento::address::{Guard, Place, RefusedAddress, place};
use messages::message;
use reqwest::{
    Client, ClientBuilder, StatusCode,
    header::{self, HeaderMap},
    redirect::Policy,
};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use url::Url;

use super::Refusal;

/// The longest that a receiver may take to answer.
const ANSWER: Duration = Duration::from_secs(15);

/// The longest URL that is taken, in bytes.
const LONGEST: usize = 2048;

/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// Why a URL is not taken. Nothing that was typed is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookUrlError {
    /// It is no URL, or one with a user and password or a fragment in it.
    NotAUrl,
    /// Another scheme.
    NotHttps,
    /// It leads into a private network.
    Private,
}

/// Calls webhooks. It follows no redirects and reads no answers; the proxies of the environment are not used, because they would
/// resolve names by themselves, past the check of addresses.
pub struct Hooks {
    http: Client,
    allow_private_addresses: bool,
}

impl Hooks {
    /// `allow_private_addresses` is for development: loopback by http, and private addresses, are then called.
    pub fn new(allow_private_addresses: bool) -> Result<Self, reqwest::Error> {
        let http = ClientBuilder::new()
            .user_agent(concat!("Ledger/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(5))
            .timeout(ANSWER)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .dns_resolver(Arc::new(Guard { allow_private_addresses }))
            .build()?;
        Ok(Self { http, allow_private_addresses })
    }

    /// Reads a URL that a person typed, as strictly as it is called.
    pub fn check(&self, typed: &str) -> Result<Url, HookUrlError> {
        let odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
        if typed.len() > LONGEST || typed.contains(odd) {
            return Err(HookUrlError::NotAUrl);
        }
        let url = Url::parse(typed).map_err(|_| HookUrlError::NotAUrl)?;
        let place = place(&url).ok_or(HookUrlError::NotAUrl)?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(HookUrlError::NotAUrl);
        }
        match url.scheme() {
            "https" => {}
            "http" if self.allow_private_addresses && place == Place::Loopback => {}
            _ => return Err(HookUrlError::NotHttps),
        }
        if self.allow_private_addresses || place == Place::Elsewhere {
            Ok(url)
        } else {
            Err(HookUrlError::Private)
        }
    }

    /// Posts a message, signed at `timestamp` (seconds since 1970).
    pub async fn post(
        &self,
        url: &str,
        secret: &SecretString,
        id: &str,
        timestamp: i64,
        body: &str,
    ) -> Result<(), Refusal> {
        let url =
            self.check(url).map_err(|_| Refusal::Final(message!(delivery.address_not_allowed).to_owned()))?;
        let signature = signature(secret, id, timestamp, body)
            .ok_or_else(|| Refusal::Final(message!(delivery.secret_unusable).to_owned()))?;
        let request = self.http.post(url).header(header::CONTENT_TYPE, "application/json");
        let request = request.header("webhook-id", id).header("webhook-timestamp", timestamp);
        let sent = request.header("webhook-signature", signature).body(body.to_owned()).send().await;
        let answer = sent.map_err(|error| refusal(&error))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::GONE => Err(Refusal::Gone(message!(delivery.gone).to_owned())),
            status if status.is_redirection() => {
                let status = status.as_u16();
                Err(Refusal::again(message!(delivery.redirected, status = status)))
            }
            status => {
                let sentence = message!(delivery.answered, status = status.as_u16());
                Err(Refusal::Again { sentence, after: retry_after(answer.headers(), timestamp) })
            }
        }
    }
}

/// For how many seconds from `now` (seconds since 1970) the receiver wants nothing: a number, or a date as HTTP writes it.
fn retry_after(headers: &HeaderMap, now: i64) -> Option<i64> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let date = || DateTime::parse_from_rfc2822(value).ok().map(|date| date.timestamp() - now);
    value.parse().ok().or_else(date).filter(|seconds| *seconds >= 0)
}

/// What kept a call from being answered. The error's own words hold the URL.
fn refusal(error: &reqwest::Error) -> Refusal {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = source {
        if inner.is::<RefusedAddress>() {
            return Refusal::again(message!(delivery.not_public));
        }
        source = inner.source();
    }
    if error.is_timeout() {
        Refusal::Silent(message!(delivery.receiver_timed_out).to_owned())
    } else if error.is_connect() {
        Refusal::again(message!(delivery.receiver_unreachable))
    } else {
        Refusal::again(message!(delivery.receiver_cut))
    }
}

/// A new secret: 256 random bits, as Standard Webhooks writes them.
pub fn new_secret(environment: &dyn Environment) -> SecretString {
    let mut bytes = [0; 32];
    environment.random(&mut bytes);
    SecretString::from(format!("{PREFIX}{}", STANDARD.encode(bytes)))
}

/// The signature of a message, as its header carries it; none when the secret is no secret.
pub fn signature(secret: &SecretString, id: &str, timestamp: i64, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.expose_secret().strip_prefix(PREFIX)?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector of Standard Webhooks' own libraries; also computed with OpenSSL: `printf '%s' 'ID.TIME.BODY' | openssl dgst -sha256 -mac HMAC -macopt hexkey:KEY -binary | base64`.
    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let signed =
            signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        for wrong in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_no base64"] {
            assert_eq!(signature(&SecretString::from(wrong.to_owned()), "msg_1", 0, "{}"), None);
        }
    }

    #[test]
    fn only_public_addresses_by_https_are_taken() {
        let hooks = Hooks::new(false).unwrap();
        assert!(hooks.check("https://receiver.example/hook?key=1").is_ok());
        for (typed, error) in [
            ("receiver.example", HookUrlError::NotAUrl),
            ("https://user:pass@receiver.example", HookUrlError::NotAUrl),
            ("https://receiver.example/#top", HookUrlError::NotAUrl),
            ("https://receiver.example/a b", HookUrlError::NotAUrl),
            ("file:///etc/passwd", HookUrlError::NotAUrl),
            ("http://receiver.example", HookUrlError::NotHttps),
            ("http://127.0.0.1:1", HookUrlError::NotHttps),
            ("https://127.0.0.1", HookUrlError::Private),
            ("https://169.254.169.254/latest/meta-data", HookUrlError::Private),
            ("https://[::ffff:10.0.0.1]", HookUrlError::Private),
            ("https://printer.local", HookUrlError::Private),
        ] {
            assert_eq!(hooks.check(typed), Err(error), "{typed}");
        }
        let development = Hooks::new(true).unwrap();
        assert!(development.check("http://127.0.0.1:8080/hook").is_ok());
        assert_eq!(development.check("http://receiver.example"), Err(HookUrlError::NotHttps));
    }

    #[test]
    fn a_receiver_says_when_it_wants_more() {
        for (value, seconds) in [
            ("60", Some(60)),
            ("Mon, 05 Jan 2026 10:01:30 GMT", Some(90)),
            ("Mon, 05 Jan 2026 09:00:00 GMT", None),
            ("-1", None),
            ("soon", None),
        ] {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, value.parse().unwrap())]);
            assert_eq!(retry_after(&headers, 1_767_607_200), seconds, "{value}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_home_is_not_called() {
        let hooks = Hooks::new(false).unwrap();
        // As it would be after the name's owner has pointed it to a private address: the check of the name alone passes.
        let error = hooks.http.post("https://localhost:1/").send().await.unwrap_err();
        let sentence = message!(delivery.not_public);
        assert_eq!(refusal(&error), Refusal::again(sentence));
    }
}
