//! Tokens that open something: random, and kept as their digest alone.

use domain::outside::Outside;
use sha2::{Digest, Sha256};

/// 256 random bits in hex.
pub fn new_token(outside: &dyn Outside) -> String {
    let mut secret = [0; 32];
    outside.random(&mut secret);
    hex::encode(secret)
}

/// What is kept of a token.
pub fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
