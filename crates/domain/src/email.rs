//! E-mail addresses that are found again without being kept.

use sha2::{Digest, Sha256};

/// The digest that a customer's address is found by: of the address in lower case, without space around it. None where there is no
/// address.
pub fn digest(address: &str) -> Option<String> {
    let address = address.trim().to_lowercase();
    address.contains('@').then(|| hex::encode(&Sha256::digest(address)[..16]))
}

/// Whether a text may be such a digest.
pub fn is_digest(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_however_it_is_written() {
        assert_eq!(digest(" Ada@Example.com"), digest("ada@example.com"));
        assert_ne!(digest("ada@example.com"), digest("eve@example.com"));
        assert_eq!(digest("ada"), None);
        assert!(digest("ada@example.com").is_some_and(|digest| is_digest(&digest)));
        assert!(!is_digest("ada@example.com"));
    }
}
