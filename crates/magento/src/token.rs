//! Tokens: HS256 JWTs with fixed header and claims (wire specification, section 1).

use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD},
};
use chrono::{DateTime, Utc};
use domain::{environment::Environment, ids::BindingId};
use hmac::{Hmac, Mac};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::SubKeys;

/// The header, byte for byte.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

const LEDGER: &str = "byte8-ledger";
const MAGENTO: &str = "magento";

/// Seconds that our tokens live; the module refuses more than 300.
const LIFETIME: i64 = 120;

/// Seconds by which our `nbf` lies in the past. The module allows `iat` to be 30 s ahead of its clock but `nbf` not at all, so
/// the same 30 s are given there.
const NBF_MARGIN: i64 = 30;

/// The longest `exp - iat` that is taken, in seconds.
const LONGEST_LIFETIME: i64 = 300;

/// Seconds that the sender's clock may be ahead of ours.
///
/// For `nbf` it holds as well, other than in the module: the module mints `nbf = iat`, so a shop whose clock is a second ahead
/// would have its events refused for good.
const CLOCK_AHEAD: i64 = 30;

/// The longest token that is looked at, in bytes; the module's have about 400.
const LONGEST: usize = 4096;

/// The longest `jti` that is taken, in bytes: it goes into the replay cache.
const LONGEST_JTI: usize = 128;

/// Base64url as the module reads it: padding or none.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The claims in the order in which the module writes them.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: &'a str,
}

/// A token that passed every check but the one for replays, which is the caller's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its id: refuse a second use until `expires_at`.
    pub jti: String,
    /// `iat`.
    pub issued_at: DateTime<Utc>,
    /// `exp`.
    pub expires_at: DateTime<Utc>,
}

/// Why a token is refused. The sentences tell a log what was wrong and a forger nothing of worth; nothing of the token is
/// repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not three parts of base64url with JSON in them.
    #[error("the token is malformed")]
    Malformed,
    /// Another algorithm than HS256, or another type than JWT.
    #[error("the token's algorithm or type is not the agreed one")]
    Algorithm,
    /// Another key, or changed bytes.
    #[error("the token's signature does not match")]
    Signature,
    /// A claim that is missing or of the wrong type.
    #[error("the token's {0} is missing or of the wrong type")]
    Claim(&'static str),
    /// `iss`, `aud` or `sub` names somebody else.
    #[error("the token's {0} is not the expected one")]
    Party(&'static str),
    /// `exp - iat` is more than 300 seconds.
    #[error("the token lives longer than 300 seconds")]
    LivesTooLong,
    /// `iat` or `nbf` lies ahead.
    #[error("the token is not valid yet; compare the shop's clock with ours")]
    NotYet,
    /// `exp` is reached.
    #[error("the token has expired; compare the shop's clock with ours")]
    Expired,
}

impl TokenError {
    /// Whether the token is genuine and only its time is wrong, so that the same request with a fresh token may pass.
    pub const fn is_about_time(self) -> bool {
        matches!(self, Self::NotYet | Self::Expired)
    }
}

/// A fresh token of Ledger's for one request to Magento.
pub fn mint(keys: &SubKeys, tenant: BindingId, environment: &dyn Environment) -> String {
    let now = environment.now().timestamp();
    let claims = Claims {
        iss: LEDGER,
        sub: &tenant.to_string(),
        aud: MAGENTO,
        iat: now,
        nbf: now - NBF_MARGIN,
        exp: now + LIFETIME,
        jti: &environment.uuid_v4().as_hyphenated().to_string(),
    };
    sign(keys.inbound(), &claims)
}

fn sign(key: &[u8; 32], claims: &Claims<'_>) -> String {
    // Strings and integers always serialise.
    let claims = serde_json::to_vec(claims).unwrap_or_default();
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(signature(key, signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn signature(key: &[u8; 32], signed: &[u8]) -> [u8; 32] {
    // HMAC takes a key of any length (RFC 2104), so this always signs.
    <Hmac<Sha256> as Mac>::new_from_slice(key)
        .map(|mac| mac.chain_update(signed).finalize().into_bytes().into())
        .unwrap_or_default()
}

/// The token of an `Authorization` header; the scheme's case does not matter.
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Whose token this claims to be, before it is checked: its `sub`. For routes that do not name the tenant.
pub fn subject(token: &str) -> Option<BindingId> {
    let claims = object(token.split('.').nth(1).filter(|_| token.len() <= LONGEST)?).ok()?;
    claims.get("sub")?.as_str()?.parse().ok()
}

/// Checks a token of Magento's as hard as the module checks ours; see [`Verified`] for what is left to do.
pub fn verify(
    token: &str,
    keys: &SubKeys,
    tenant: BindingId,
    now: DateTime<Utc>,
) -> Result<Verified, TokenError> {
    let claims = authentic_claims(token, keys.outbound())?;
    check_parties(&claims, tenant)?;
    let verified = check_times(&claims, now.timestamp())?;
    Ok(verified)
}

/// The claims of a token that was signed with `key` by HS256.
fn authentic_claims(token: &str, key: &[u8; 32]) -> Result<Map<String, Value>, TokenError> {
    if token.len() > LONGEST {
        return Err(TokenError::Malformed);
    }
    let (signed, signature_part) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    let header = object(header)?;
    let is = |name: &str, value: &str| header.get(name).and_then(Value::as_str) == Some(value);
    if !is("alg", "HS256") || !is("typ", "JWT") {
        return Err(TokenError::Algorithm);
    }
    let given = BASE64.decode(signature_part).map_err(|_| TokenError::Malformed)?;
    let expected = signature(key, signed.as_bytes());
    if !bool::from(given.as_slice().ct_eq(expected.as_slice())) {
        return Err(TokenError::Signature);
    }
    object(claims)
}

fn object(part: &str) -> Result<Map<String, Value>, TokenError> {
    let bytes = BASE64.decode(part).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}

fn check_parties(claims: &Map<String, Value>, tenant: BindingId) -> Result<(), TokenError> {
    let tenant = tenant.to_string();
    for (name, expected) in [("iss", MAGENTO), ("aud", LEDGER), ("sub", tenant.as_str())] {
        let given = claims.get(name).and_then(Value::as_str).ok_or(TokenError::Claim(name))?;
        if given != expected {
            return Err(TokenError::Party(name));
        }
    }
    Ok(())
}

fn check_times(claims: &Map<String, Value>, now: i64) -> Result<Verified, TokenError> {
    let integer = |name| claims.get(name).and_then(Value::as_i64).ok_or(TokenError::Claim(name));
    let (issued, not_before, expires) = (integer("iat")?, integer("nbf")?, integer("exp")?);
    let jti = claims
        .get("jti")
        .and_then(Value::as_str)
        .filter(|jti| !jti.is_empty() && jti.len() <= LONGEST_JTI)
        .ok_or(TokenError::Claim("jti"))?;
    if expires.saturating_sub(issued) > LONGEST_LIFETIME {
        return Err(TokenError::LivesTooLong);
    }
    let latest = now.saturating_add(CLOCK_AHEAD);
    if issued > latest || not_before > latest {
        return Err(TokenError::NotYet);
    }
    if expires <= now {
        return Err(TokenError::Expired);
    }
    let instant = |seconds, name| DateTime::from_timestamp(seconds, 0).ok_or(TokenError::Claim(name));
    Ok(Verified {
        jti: jti.to_owned(),
        issued_at: instant(issued, "iat")?,
        expires_at: instant(expires, "exp")?,
    })
}

#[cfg(test)]
pub(crate) mod tests;
