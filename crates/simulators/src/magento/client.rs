//! The calls that the module makes: the wire specification, section 3, and the samples `outbox/` and `client/`.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use serde::Serialize;
use sha1::{Digest as _, Sha1};

use super::outbox::Outcome;
use super::pairing::Paired;

const CONNECT: Duration = Duration::from_secs(5);
const READ: Duration = Duration::from_secs(15);

/// What Ledger answered to one of the module's calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerAnswer {
    /// The status code; `None` when no answer came.
    pub status: Option<u16>,
    /// The body, or curl's words about the missing answer.
    pub body: String,
}

/// The module's HTTP client: no redirects, no `User-Agent`, header names in curl's spelling.
#[derive(Debug, Clone)]
pub(crate) struct Client(reqwest::Client);

impl Client {
    pub fn new() -> std::io::Result<Self> {
        reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(READ)
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .http1_title_case_headers()
            // curl opens a connection per call; a kept one could be closed under the next event.
            .pool_max_idle_per_host(0)
            .no_proxy()
            .build()
            .map(Self)
            .map_err(std::io::Error::other)
    }

    /// Posts one event.
    pub async fn post_event(&self, url: &str, token: &str, key: &str, payload: &str) -> Outcome {
        self.post(url, token, key, payload).await
    }

    /// Tells Ledger that the merchant has disconnected the shop.
    pub async fn disconnect(&self, paired: &Paired, token: &str) -> LedgerAnswer {
        let url = format!("{}/v1/tenant/disconnect", paired.ledger_base_url);
        let key = format!("disconnect:{}", hex::encode(Sha1::digest(paired.tenant_id.as_bytes())));
        self.post(&url, token, &key, "{}").await.into()
    }

    /// The health tile of the admin's dashboard.
    pub async fn tile(&self, paired: &Paired, token: &str) -> LedgerAnswer {
        self.get(&format!("{}/v1/tile/health", paired.ledger_base_url), token).await.into()
    }

    /// What became of one document.
    pub async fn status(&self, paired: &Paired, token: &str, entity_type: &str, id: &str) -> LedgerAnswer {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("entity_type", entity_type)
            .append_pair("entity_id", id)
            .finish();
        self.get(&format!("{}/v1/status?{query}", paired.ledger_base_url), token).await.into()
    }

    async fn post(&self, url: &str, token: &str, key: &str, body: &str) -> Outcome {
        let request = self
            .0
            .post(url)
            .header(ACCEPT, "*/*")
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", key)
            .body(body.to_owned());
        send(request).await
    }

    async fn get(&self, url: &str, token: &str) -> Outcome {
        let request = self.0.get(url).header(AUTHORIZATION, format!("Bearer {token}"));
        send(request.header(ACCEPT, "application/json")).await
    }
}

impl From<Outcome> for LedgerAnswer {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Answered { code, body } => Self { status: Some(code), body },
            Outcome::Network(body) => Self { status: None, body },
        }
    }
}

async fn send(request: reqwest::RequestBuilder) -> Outcome {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Outcome::Network(curls_words(&error)),
    };
    let code = response.status().as_u16();
    match response.text().await {
        Ok(body) => Outcome::Answered { code, body },
        Err(error) => Outcome::Network(curls_words(&error)),
    }
}

/// The sentences of curl that end up in the row (samples C and D of the outbox).
fn curls_words(error: &reqwest::Error) -> String {
    let (host, port) = error
        .url()
        .map_or(("", 0), |url| (url.host_str().unwrap_or(""), url.port_or_known_default().unwrap_or(0)));
    if error.is_connect() && error.is_timeout() {
        return format!("Connection timed out after {} milliseconds", CONNECT.as_millis() + 1);
    }
    if error.is_timeout() {
        return format!(
            "Operation timed out after {} milliseconds with 0 bytes received",
            READ.as_millis() + 1
        );
    }
    if error.is_connect() && causes(error).contains("dns") {
        return format!("Could not resolve host: {host}");
    }
    if error.is_connect() {
        return format!("Failed to connect to {host} port {port} after 0 ms: Couldn't connect to server");
    }
    "Empty reply from server".to_owned()
}

fn causes(error: &reqwest::Error) -> String {
    let mut words = String::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push_str(&inner.to_string().to_lowercase());
        cause = inner.source();
    }
    words
}
