//! Tokens that open something: random, and kept as their digest alone.

use domain::environment::Environment;
use sha2::{Digest, Sha256};

/// 256 random bits in hex.
pub fn new_token(environment: &dyn Environment) -> String {
    let mut secret = [0; 32];
    environment.random(&mut secret);
    hex::encode(secret)
}

/// What is kept of a token.
pub fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
