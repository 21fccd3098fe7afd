//! The two subkeys of the wire. Neither side signs with the master key itself.

use std::fmt;

use hkdf::Hkdf;
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretString};
use sha2::Sha256;

/// HKDF's `info` of the key that signs what Magento sends (wire specification, section 1).
const OUTBOUND: &[u8] = b"byte8-magento-outbound-v1";

/// HKDF's `info` of the key that signs what Ledger sends.
const INBOUND: &[u8] = b"byte8-magento-inbound-v1";

/// The signing keys of one paired install, one a direction, as seen from Magento.
pub struct SubKeys {
    outbound: SecretBox<[u8; 32]>,
    inbound: SecretBox<[u8; 32]>,
}

impl SubKeys {
    /// Derives both with HKDF-SHA256 (RFC 5869): input key = the text's bytes exactly as sent at pairing, no salt, 32 bytes.
    pub fn derive(api_key: &SecretString) -> Self {
        let master = Hkdf::<Sha256>::new(None, api_key.expose_secret().as_bytes());
        let subkey = |info: &[u8]| {
            let mut key = SecretBox::new(Box::new([0; 32]));
            // HKDF fails only beyond 255 x 32 bytes (RFC 5869, 2.3); 32 is within.
            let _ = master.expand(info, key.expose_secret_mut());
            key
        };
        Self { outbound: subkey(OUTBOUND), inbound: subkey(INBOUND) }
    }

    /// Signs what Magento sends to Ledger.
    pub(crate) fn outbound(&self) -> &[u8; 32] {
        self.outbound.expose_secret()
    }

    /// Signs what Ledger sends to Magento.
    pub(crate) fn inbound(&self) -> &[u8; 32] {
        self.inbound.expose_secret()
    }
}

impl Clone for SubKeys {
    fn clone(&self) -> Self {
        let copy = |key: &SecretBox<[u8; 32]>| SecretBox::new(Box::new(*key.expose_secret()));
        Self { outbound: copy(&self.outbound), inbound: copy(&self.inbound) }
    }
}

impl fmt::Debug for SubKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubKeys").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tests::vectors;

    #[test]
    fn the_subkeys_are_those_of_the_published_vectors() {
        let vectors = vectors();
        let keys = SubKeys::derive(&SecretString::from(vectors["api_key"].as_str().unwrap()));
        assert_eq!(hex::encode(keys.outbound()), vectors["outbound_key_hex"].as_str().unwrap());
        assert_eq!(hex::encode(keys.clone().inbound()), vectors["inbound_key_hex"].as_str().unwrap());
    }

    #[test]
    fn keys_are_not_printed() {
        assert_eq!(format!("{:?}", SubKeys::derive(&SecretString::from("k"))), "SubKeys { .. }");
    }
}
