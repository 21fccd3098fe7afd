//! The key ring.

use std::fmt;

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretBox, SecretString};

use crate::Error;

/// The version that an envelope begins with.
const VERSION: &str = "v1";

/// Bytes of a nonce (NIST SP 800-38D: 96 bits, never twice under one key).
const NONCE: usize = 12;

/// The longest id of a key, in characters.
const LONGEST_ID: usize = 32;

/// The keys that credentials are sealed with. The first seals; all of them open.
pub struct KeyRing {
    keys: Vec<RingKey>,
}

struct RingKey {
    id: String,
    bytes: SecretBox<[u8; 32]>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.keys.iter().map(|key| key.id.as_str()).collect();
        f.debug_struct("KeyRing").field("ids", &ids).finish_non_exhaustive()
    }
}

impl KeyRing {
    /// Reads `id:key[,id:key...]`, each key as 64 hex characters. Space around the parts is passed over.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut keys: Vec<RingKey> = Vec::new();
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        for (position, entry) in (1..).zip(entries) {
            let key = RingKey::parse(entry, position)?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(Error::RepeatedKeyId { position });
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(Error::NoKeys) } else { Ok(Self { keys }) }
    }

    /// A new key of these random bytes, as [`KeyRing::parse`] reads it.
    pub fn generate(random: [u8; 32], id: &str) -> String {
        format!("{id}:{}", hex::encode(random))
    }

    /// The id of the key that seals.
    pub fn sealing_key_id(&self) -> &str {
        self.keys.first().map_or("", |key| &key.id)
    }

    /// Seals `plain` with the first key: `v1.{key id}.{base64url of nonce and ciphertext}`.
    ///
    /// The envelope opens only with the same `associated` text (which row it belongs to, and as what). The nonce must be
    /// random and never used before.
    pub fn seal(&self, plain: &SecretString, associated: &str, nonce: [u8; NONCE]) -> Result<String, Error> {
        let key = self.keys.first().ok_or(Error::NoKeys)?;
        let associated = associated_data(&key.id, associated);
        let payload = Payload { msg: plain.expose_secret().as_bytes(), aad: associated.as_bytes() };
        let ciphertext =
            key.cipher().encrypt(Nonce::from_slice(&nonce), payload).map_err(|_| Error::NotSealed)?;
        let bytes = [nonce.as_slice(), &ciphertext].concat();
        Ok(format!("{VERSION}.{}.{}", key.id, URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Opens an envelope that was sealed with any key of the ring and the same `associated` text.
    pub fn open(&self, envelope: &str, associated: &str) -> Result<SecretString, Error> {
        let (id, body) = parts(envelope).ok_or(Error::NotAnEnvelope)?;
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| Error::NotAnEnvelope)?;
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE).ok_or(Error::NotAnEnvelope)?;
        let key = self
            .keys
            .iter()
            .find(|key| key.id == id)
            .ok_or_else(|| Error::UnknownKey { id: id.to_owned() })?;
        let associated = associated_data(id, associated);
        let payload = Payload { msg: ciphertext, aad: associated.as_bytes() };
        let plain = key.cipher().decrypt(Nonce::from_slice(nonce), payload).map_err(|_| Error::Refused)?;
        // What was sealed was text, so what opens is text.
        String::from_utf8(plain).map(SecretString::from).map_err(|_| Error::Refused)
    }

    /// Whether the envelope is not of the key that seals today (or is no envelope at all).
    pub fn needs_rotation(&self, envelope: &str) -> bool {
        parts(envelope).is_none_or(|(id, _)| id != self.sealing_key_id())
    }
}

impl RingKey {
    fn parse(entry: &str, position: usize) -> Result<Self, Error> {
        let (id, hex) = entry.split_once(':').ok_or(Error::NoKeyId { position })?;
        let (id, hex) = (id.trim(), hex.trim());
        if !is_key_id(id) {
            return Err(Error::BadKeyId { position });
        }
        let mut bytes = SecretBox::new(Box::new([0; 32]));
        hex::decode_to_slice(hex, secrecy::ExposeSecretMut::expose_secret_mut(&mut bytes))
            .map_err(|_| Error::BadKey { position })?;
        Ok(Self { id: id.to_owned(), bytes })
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(self.bytes.expose_secret().into())
    }
}

/// An id that can stand in an envelope: no dots, commas or colons.
fn is_key_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Key id and body of an envelope.
fn parts(envelope: &str) -> Option<(&str, &str)> {
    let (id, body) = envelope.strip_prefix(VERSION)?.strip_prefix('.')?.split_once('.')?;
    is_key_id(id).then_some((id, body))
}

/// What the ciphertext is bound to: version, key id and the caller's text. A key id holds no dot, so no two triples meet.
fn associated_data(id: &str, associated: &str) -> String {
    format!("{VERSION}.{id}.{associated}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = "0190f5a2-7c1e-7a3b-9d4e-5f60718293a4/sage_tokens";

    fn ring(keys: &[(u8, &str)]) -> KeyRing {
        let texts: Vec<String> = keys.iter().map(|(byte, id)| KeyRing::generate([*byte; 32], id)).collect();
        KeyRing::parse(&texts.join(",")).unwrap()
    }

    fn secret() -> SecretString {
        SecretString::from("refresh-token-ü")
    }

    #[test]
    fn what_was_sealed_opens() {
        let ring = ring(&[(7, "2026-01")]);
        let envelope = ring.seal(&secret(), ROW, [1; NONCE]).unwrap();
        assert!(envelope.starts_with("v1.2026-01."), "{envelope}");
        assert_eq!(ring.open(&envelope, ROW).unwrap().expose_secret(), secret().expose_secret());
    }

    #[test]
    fn another_nonce_makes_another_envelope() {
        let ring = ring(&[(7, "a")]);
        assert_ne!(
            ring.seal(&secret(), ROW, [1; NONCE]).unwrap(),
            ring.seal(&secret(), ROW, [2; NONCE]).unwrap()
        );
    }

    #[test]
    fn an_old_key_opens_and_asks_for_rotation() {
        let old = ring(&[(7, "old")]);
        let envelope = old.seal(&secret(), ROW, [1; NONCE]).unwrap();
        let both = ring(&[(8, "new"), (7, "old")]);
        assert!(both.open(&envelope, ROW).is_ok());
        assert!(both.needs_rotation(&envelope) && !old.needs_rotation(&envelope));
        let again = both.seal(&secret(), ROW, [2; NONCE]).unwrap();
        assert!(!both.needs_rotation(&again));
        assert_eq!(old.open(&again, ROW).unwrap_err(), Error::UnknownKey { id: "new".to_owned() });
    }

    #[test]
    fn another_key_under_the_same_id_is_refused() {
        let envelope = ring(&[(7, "a")]).seal(&secret(), ROW, [1; NONCE]).unwrap();
        assert_eq!(ring(&[(8, "a")]).open(&envelope, ROW).unwrap_err(), Error::Refused);
    }

    #[test]
    fn an_envelope_opens_only_in_its_own_row() {
        let ring = ring(&[(7, "a")]);
        let envelope = ring.seal(&secret(), ROW, [1; NONCE]).unwrap();
        assert_eq!(ring.open(&envelope, "another").unwrap_err(), Error::Refused);
    }

    #[test]
    fn an_envelope_moved_to_another_key_id_is_refused() {
        let ring = ring(&[(7, "a"), (7, "b")]);
        let envelope = ring.seal(&secret(), ROW, [1; NONCE]).unwrap().replace("v1.a.", "v1.b.");
        assert_eq!(ring.open(&envelope, ROW).unwrap_err(), Error::Refused);
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let ring = ring(&[(7, "a")]);
        let envelope = ring.seal(&secret(), ROW, [1; NONCE]).unwrap();
        let (head, body) = envelope.rsplit_once('.').unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(body).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let forged = format!("{head}.{}", URL_SAFE_NO_PAD.encode(changed));
            assert_eq!(ring.open(&forged, ROW).unwrap_err(), Error::Refused, "byte {index}");
        }
    }

    #[test]
    fn what_is_no_envelope_is_named_so() {
        let ring = ring(&[(7, "a")]);
        for text in
            ["", "v1", "v1.a", "v1.a.", "v1.a.AAAA", "v2.a.AAAA", "v1..AAAA", "v1.a.***", "v1.a b.AAAA"]
        {
            assert_eq!(ring.open(text, ROW).unwrap_err(), Error::NotAnEnvelope, "{text:?}");
        }
        assert!(ring.needs_rotation("v2.a.AAAA"));
    }

    #[test]
    fn bad_key_texts_are_named_by_their_place_and_never_repeated() {
        let good = KeyRing::generate([0xab; 32], "a");
        let hex = "ab".repeat(32);
        for (text, expected) in [
            (String::new(), Error::NoKeys),
            (" , ".to_owned(), Error::NoKeys),
            (hex.clone(), Error::NoKeyId { position: 1 }),
            (format!("{good},{hex}"), Error::NoKeyId { position: 2 }),
            (format!(":{hex}"), Error::BadKeyId { position: 1 }),
            (format!("a.b:{hex}"), Error::BadKeyId { position: 1 }),
            (format!("{hex}:a"), Error::BadKeyId { position: 1 }),
            ("a:abc".to_owned(), Error::BadKey { position: 1 }),
            (format!("a:{hex}ab"), Error::BadKey { position: 1 }),
            (format!("{good},{good}"), Error::RepeatedKeyId { position: 2 }),
        ] {
            let error = KeyRing::parse(&text).unwrap_err();
            assert_eq!(error, expected, "{text:?}");
            assert!(!error.to_string().contains("abab"), "{error}");
        }
        assert!(KeyRing::parse(&format!(" {good} ,\n b : {} ", "CD".repeat(32))).is_ok());
    }

    #[test]
    fn nothing_secret_is_printed() {
        let ring = ring(&[(0xab, "a")]);
        let printed = format!("{ring:?}");
        assert!(printed.contains('a') && !printed.contains("abab") && !printed.contains("171"), "{printed}");
    }
}
