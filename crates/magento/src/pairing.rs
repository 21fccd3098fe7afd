//! Pairing: the only call without a token (wire specification, section 2).

use domain::ids::BindingId;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::{Client, Error, ShopUrl, reply::Reply};

/// How long a pairing code may be, in characters.
const CODE: std::ops::RangeInclusive<usize> = 8..=64;

impl Client {
    /// Hands the master key to the shop that shows `code`. Only `Ok` means paired; after anything else (a time-out too) repeat
    /// with a new code.
    ///
    /// Ping right afterwards: behind a proxy that hides https from Magento pairing works and every other call is refused.
    pub async fn pair(
        &self,
        url: &ShopUrl,
        code: &str,
        tenant: BindingId,
        api_key: &SecretString,
        ledger_base_url: &str,
    ) -> Result<(), Error> {
        let code = code.trim();
        if !CODE.contains(&code.chars().count()) || code.chars().any(|c| c.is_control() || c.is_whitespace())
        {
            return Err(Error::PairingCode);
        }
        let body = json!({
            "pairingCode": code,
            "tenantId": tenant.to_string(),
            "byte8ApiKey": api_key.expose_secret(),
            "ledgerBaseUrl": ledger_base_url,
        });
        let body = body.to_string().into_bytes();
        let reply = self.once(url, Method::POST, "/setup/pair", Some(body), None).await?;
        judge(&reply).map_err(|error| without(error, &[code, api_key.expose_secret()]))
    }
}

fn judge(reply: &Reply) -> Result<(), Error> {
    if reply.refuses_the_token() { Err(Error::PairingRefused) } else { reply.good_and_empty() }
}

/// Strikes secrets out of a sentence: the shop is a stranger yet and may send back what it was sent.
fn without(error: Error, secrets: &[&str]) -> Error {
    let strike = |message: String| secrets.iter().fold(message, |text, secret| text.replace(secret, "…"));
    match error {
        Error::Refused { status, message } => Error::Refused { status, message: strike(message) },
        Error::NotFound { message } => Error::NotFound { message: strike(message) },
        Error::Unavailable { status, message, retry_after } => {
            Error::Unavailable { status, message: message.map(strike), retry_after }
        }
        other => other,
    }
}
