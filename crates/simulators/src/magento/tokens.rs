//! Keys and tokens, both directions: the wire specification, section 1.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};
use chrono::{DateTime, Utc};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use uuid::Uuid;

/// Magento signs its own calls for this long.
const LIFETIME: i64 = 60;
/// The module's ceiling for the life of a token that comes in.
const LONGEST_LIFE: i64 = 300;
/// How far ahead the other clock may be.
const SKEW: i64 = 30;

/// `strtr` and `base64_decode` of PHP: padding or none (sample 30).
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The two subkeys of one pairing.
#[derive(Clone)]
pub(crate) struct Keys {
    outbound: [u8; 32],
    inbound: [u8; 32],
}

impl Keys {
    /// HKDF-SHA256 of the text of the key, empty salt.
    pub fn derive(api_key: &str) -> Self {
        let expand = |info: &[u8]| {
            let mut key = [0_u8; 32];
            // Only a length above 255 hashes fails; 32 bytes are one.
            let _ = Hkdf::<Sha256>::new(None, api_key.as_bytes()).expand(info, &mut key);
            key
        };
        Self { outbound: expand(b"byte8-magento-outbound-v1"), inbound: expand(b"byte8-magento-inbound-v1") }
    }

    /// A token of Magento for one call, the claims in the order of the samples.
    pub fn mint(&self, tenant_id: &str, now: DateTime<Utc>, jti: Uuid) -> String {
        let iat = now.timestamp();
        let exp = iat + LIFETIME;
        let subject = super::text::quoted(tenant_id);
        let claims = format!(
            "{{\"iss\":\"magento\",\"sub\":{subject},\"aud\":\"byte8-ledger\",\"iat\":{iat},\"nbf\":{iat},\"exp\":{exp},\"jti\":\"{jti}\"}}"
        );
        let encode = |text: &str| general_purpose::URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", encode("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), encode(&claims));
        let signature = mac(&self.outbound, &signed).finalize().into_bytes();
        format!("{signed}.{}", general_purpose::URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The tokens that were used, until they expire by themselves.
#[derive(Default)]
pub(crate) struct Replays(HashMap<String, i64>);

impl Replays {
    fn first_use(&mut self, jti: &str, exp: i64, now: i64) -> bool {
        self.0.retain(|_, expires| *expires > now);
        self.0.insert(jti.to_owned(), exp).is_none()
    }
}

/// Why a token was refused: what the module writes to its log, never what it answers.
pub(crate) type Refusal = &'static str;

/// Checks an `Authorization` header as the module does; the order is the one of its log (samples `token/`).
pub(crate) fn check(
    authorization: Option<&str>,
    keys: &Keys,
    tenant_id: &str,
    replays: &mut Replays,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let claims = verified_claims(authorization, keys)?;
    let now = now.timestamp();
    if text(&claims, "iss") != Some("byte8-ledger") || text(&claims, "aud") != Some("magento") {
        return Err("iss or aud is another's");
    }
    let iat = integer(&claims, "iat").ok_or("iat missing or not an integer")?;
    let nbf = integer(&claims, "nbf").ok_or("nbf missing or not an integer")?;
    let exp = integer(&claims, "exp").ok_or("exp missing or not an integer")?;
    if exp <= now {
        return Err("token expired");
    }
    if nbf > now {
        return Err("token not yet valid (nbf > now)");
    }
    if iat > now + SKEW {
        return Err("iat is too far in the future (clock skew exceeded)");
    }
    if exp - iat > LONGEST_LIFE {
        return Err("token TTL exceeds policy ceiling of 300s");
    }
    // Byte for byte: an upper-case UUID is another tenant (sample 12).
    if text(&claims, "sub") != Some(tenant_id) {
        return Err("sub does not match stored tenant_id");
    }
    let jti = text(&claims, "jti").filter(|jti| !jti.is_empty()).ok_or("jti missing or empty")?;
    if replays.first_use(jti, exp, now) { Ok(()) } else { Err("jti already seen, replay rejected") }
}

fn verified_claims(authorization: Option<&str>, keys: &Keys) -> Result<Value, Refusal> {
    let (scheme, token) = authorization.and_then(|value| value.split_once(' ')).ok_or("no token")?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err("no bearer token");
    }
    let mut parts = token.trim().split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("not a token of three parts");
    };
    let head = decoded_json(header).ok_or("header is no JSON")?;
    if text(&head, "alg") != Some("HS256") {
        return Err("unsupported alg (only HS256 is accepted)");
    }
    if text(&head, "typ") != Some("JWT") {
        return Err("unsupported typ (only JWT is accepted)");
    }
    let signature = LENIENT.decode(signature).map_err(|_| "signature is no base64url")?;
    mac(&keys.inbound, &format!("{header}.{claims}"))
        .verify_slice(&signature)
        .map_err(|_| "signature mismatch")?;
    decoded_json(claims).ok_or("claims are no JSON")
}

fn mac(key: &[u8; 32], signed: &str) -> Hmac<Sha256> {
    // The block size of SHA-256 is 64: a key of 32 bytes is padded, which is what HMAC prescribes.
    let mut block = [0_u8; 64];
    block[..32].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as hmac::digest::KeyInit>::new(&block.into());
    mac.update(signed.as_bytes());
    mac
}

fn decoded_json(part: &str) -> Option<Value> {
    serde_json::from_slice(&LENIENT.decode(part).ok()?).ok()
}

fn text<'value>(object: &'value Value, name: &str) -> Option<&'value str> {
    object.get(name).and_then(Value::as_str)
}

fn integer(object: &Value, name: &str) -> Option<i64> {
    object.get(name).and_then(Value::as_i64)
}
