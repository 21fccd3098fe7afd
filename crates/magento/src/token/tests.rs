//! The published vectors, and every token that was shown to a real module, mirrored into Ledger's direction.

use std::fs;

use secrecy::SecretString;
use uuid::Uuid;

use super::*;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures");

pub(crate) fn vectors() -> Value {
    serde_json::from_str(&fs::read_to_string(format!("{FIXTURES}/token-vectors.json")).unwrap()).unwrap()
}

fn keys() -> SubKeys {
    SubKeys::derive(&SecretString::from(vectors()["api_key"].as_str().unwrap()))
}

pub(crate) fn tenant() -> BindingId {
    vectors()["tenant_id"].as_str().unwrap().parse().unwrap()
}

/// A world in which it is always the same second and every random byte the same.
pub(crate) struct Still(pub(crate) i64);

impl Environment for Still {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0, 0).unwrap()
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(0xab);
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

/// Signs any header and claims.
fn forge(key: &[u8; 32], header: &str, claims: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(signature(key, signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[test]
fn magentos_vector_is_verified() {
    let vectors = vectors();
    let token = vectors["magento_to_ledger"]["token"].as_str().unwrap();
    let verified = verify(token, &keys(), tenant(), at(1_777_460_010)).unwrap();
    assert_eq!(verified.jti, "6e1d6f2a-0b6e-4a59-9f0a-3a6f6f0f9a11");
    assert_eq!(verified.issued_at, at(1_777_460_000));
    assert_eq!(verified.expires_at, at(1_777_460_060));
}

#[test]
fn ledgers_vector_is_signed_to_the_byte() {
    let vectors = vectors();
    let vector = &vectors["ledger_to_magento"];
    let integer = |name: &str| vector["claims"][name].as_i64().unwrap();
    let claims = Claims {
        iss: LEDGER,
        sub: &tenant().to_string(),
        aud: MAGENTO,
        iat: integer("iat"),
        nbf: integer("nbf"),
        exp: integer("exp"),
        jti: vector["claims"]["jti"].as_str().unwrap(),
    };
    assert_eq!(sign(keys().inbound(), &claims), vector["token"].as_str().unwrap());
}

#[test]
fn a_minted_token_has_the_agreed_header_and_claims() {
    let token = mint(&keys(), tenant(), &Still(1_777_460_000));
    let claims = format!(
        r#"{{"iss":"byte8-ledger","sub":"{}","aud":"magento","iat":1777460000,"nbf":1777459970,"exp":1777460120,"jti":"abababab-abab-4bab-abab-abababababab"}}"#,
        tenant()
    );
    assert_eq!(token, forge(keys().inbound(), HEADER, &claims));
    let jti = Uuid::parse_str("abababab-abab-4bab-abab-abababababab").unwrap();
    assert_eq!(jti.get_version_num(), 4);
}

#[test]
fn a_token_of_ledgers_is_no_token_of_magentos() {
    let token = mint(&keys(), tenant(), &Still(1_777_460_000));
    assert_eq!(verify(&token, &keys(), tenant(), at(1_777_460_000)), Err(TokenError::Signature));
}

/// A token of the fixtures with issuer and audience swapped, signed with the outbound key where it was rightly signed.
fn mirrored(token: &str) -> String {
    let keys = keys();
    let Some((signed, signature_part)) = token.rsplit_once('.') else { return token.to_owned() };
    let Some((header, claims)) = signed.split_once('.') else { return token.to_owned() };
    let Ok(mut claims) = object(claims) else { return token.to_owned() };
    for (name, ours, theirs) in [("iss", "byte8-ledger", "magento"), ("aud", "magento", "byte8-ledger")] {
        let claim = claims.get_mut(name).unwrap();
        *claim = serde_json::from_str(&claim.to_string().replace(ours, theirs)).unwrap();
    }
    let header = String::from_utf8(BASE64.decode(header).unwrap()).unwrap();
    let given = BASE64.decode(signature_part).unwrap();
    let rightly_signed = given == signature(keys.inbound(), signed.as_bytes());
    // A token that its own side's key signed in the wrong direction is mirrored by the inbound key.
    let key = if rightly_signed { keys.outbound() } else { keys.inbound() };
    let token = forge(key, &header, &Value::Object(claims).to_string());
    if signature_part.ends_with('=') { format!("{token}=") } else { token }
}

/// When the module answered, from the `Date` header.
fn answered_at(case: &str) -> DateTime<Utc> {
    let response = fs::read_to_string(format!("{FIXTURES}/wire/token/{case}.response")).unwrap();
    let date = response.lines().find_map(|line| line.strip_prefix("Date: ")).unwrap();
    DateTime::parse_from_rfc2822(date).unwrap().to_utc()
}

#[test]
fn ledger_judges_every_token_as_the_module_does() {
    let cases = fs::read_to_string(format!("{FIXTURES}/wire/token/cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&cases).unwrap();
    assert_eq!(cases.len(), 37);
    for case in cases {
        let name = case["case"].as_str().unwrap();
        // Replays and routes are judged elsewhere.
        if matches!(&name[..2], "02" | "34" | "36") {
            continue;
        }
        let request = fs::read_to_string(format!("{FIXTURES}/wire/token/{name}.request")).unwrap();
        let header = request.lines().find_map(|line| line.strip_prefix("Authorization: ")).unwrap_or("");
        let result = match bearer(header) {
            Some(token) => verify(&mirrored(token), &keys(), tenant(), answered_at(name)),
            None => Err(TokenError::Malformed),
        };
        // The one difference, on purpose: see CLOCK_AHEAD.
        let expected = case["status"] == 200 || name.starts_with("05");
        assert_eq!(result.is_ok(), expected, "{name}: {result:?}");
    }
}

/// Good claims with one of them replaced (`null` removes it).
fn claims(name: &str, value: &Value) -> String {
    let mut claims = vectors()["magento_to_ledger"]["claims"].clone();
    let object = claims.as_object_mut().unwrap();
    if value.is_null() {
        object.remove(name);
    } else {
        object.insert(name.to_owned(), value.clone());
    }
    claims.to_string()
}

#[test]
fn each_rule_has_its_own_reason() {
    let now = 1_777_460_010;
    for (name, value, expected) in [
        ("iss", "byte8-ledger".into(), TokenError::Party("iss")),
        ("aud", "Byte8-ledger".into(), TokenError::Party("aud")),
        ("aud", serde_json::json!(["byte8-ledger"]), TokenError::Claim("aud")),
        ("sub", tenant().to_string().to_uppercase().into(), TokenError::Party("sub")),
        ("sub", "0190f5a2-7c1e-7a3b-9d4e-ffffffffffff".into(), TokenError::Party("sub")),
        ("iat", serde_json::from_str("1777460000.0").unwrap(), TokenError::Claim("iat")),
        ("iat", serde_json::from_str("1.7774600e9").unwrap(), TokenError::Claim("iat")),
        ("exp", "1777460060".into(), TokenError::Claim("exp")),
        ("nbf", Value::Null, TokenError::Claim("nbf")),
        ("jti", Value::Null, TokenError::Claim("jti")),
        ("jti", "".into(), TokenError::Claim("jti")),
        ("jti", "x".repeat(129).into(), TokenError::Claim("jti")),
        ("exp", 1_777_460_301_i64.into(), TokenError::LivesTooLong),
        ("iat", i64::MIN.into(), TokenError::LivesTooLong),
        ("exp", i64::MAX.into(), TokenError::LivesTooLong),
        ("iat", (now + 31).into(), TokenError::NotYet),
        ("nbf", (now + 31).into(), TokenError::NotYet),
        ("exp", now.into(), TokenError::Expired),
    ] {
        let token = forge(keys().outbound(), HEADER, &claims(name, &value));
        assert_eq!(verify(&token, &keys(), tenant(), at(now)), Err(expected), "{name} = {value}");
    }
}

#[test]
fn a_clock_that_is_half_a_minute_ahead_is_borne() {
    for ahead in [0, 1, 30] {
        let token = forge(keys().outbound(), HEADER, &claims("jti", &"a".into()));
        assert!(verify(&token, &keys(), tenant(), at(1_777_460_000 - ahead)).is_ok(), "{ahead} s");
    }
    assert!(TokenError::NotYet.is_about_time() && !TokenError::Signature.is_about_time());
}

#[test]
fn a_token_without_signature_or_of_another_algorithm_is_refused() {
    let good = claims("jti", &"a".into());
    for header in
        [r#"{"alg":"none","typ":"JWT"}"#, r#"{"alg":"HS512","typ":"JWT"}"#, r#"{"alg":"HS256"}"#, "{}"]
    {
        let token = forge(keys().outbound(), header, &good);
        assert_eq!(
            verify(&token, &keys(), tenant(), at(1_777_460_010)),
            Err(TokenError::Algorithm),
            "{header}"
        );
    }
    let token = forge(keys().outbound(), HEADER, &good);
    let (signed, _) = token.rsplit_once('.').unwrap();
    for (token, expected) in [
        (format!("{signed}."), TokenError::Signature),
        (signed.to_owned(), TokenError::Malformed),
        (format!("{token}.x"), TokenError::Malformed),
        ("a.b.c".to_owned(), TokenError::Malformed),
        (String::new(), TokenError::Malformed),
        ("x".repeat(5000), TokenError::Malformed),
    ] {
        assert_eq!(verify(&token, &keys(), tenant(), at(1_777_460_010)), Err(expected), "{token}");
    }
}

#[test]
fn a_flipped_bit_of_claims_or_signature_is_noticed() {
    let token = forge(keys().outbound(), HEADER, &claims("jti", &"a".into()));
    let dots: Vec<usize> = token.match_indices('.').map(|(index, _)| index).collect();
    for index in [dots[0] + 5, dots[1] - 5, dots[1] + 1] {
        let mut bytes = token.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(bytes).unwrap();
        assert_eq!(
            verify(&forged, &keys(), tenant(), at(1_777_460_010)),
            Err(TokenError::Signature),
            "{index}"
        );
    }
}

#[test]
fn the_scheme_of_the_header_may_have_any_case() {
    assert_eq!(bearer("bearer abc"), Some("abc"));
    assert_eq!(bearer("  BEARER   abc "), Some("abc"));
    for header in ["", "Bearer", "Bearer ", "Basic abc"] {
        assert_eq!(bearer(header), None, "{header:?}");
    }
}
