//! Secrets for the database and for cookies, sealed with the keys of the server.

use std::sync::Arc;

use domain::environment::Environment;
use secrecy::SecretString;
use vault::KeyRing;
use views::error::{AppError, ErrorCode};

/// Seals secrets, and opens them again.
#[derive(Clone)]
pub struct Sealing {
    keys: Arc<KeyRing>,
    environment: Arc<dyn Environment>,
}

impl Sealing {
    /// With these keys, and nonces from outside.
    pub fn new(keys: Arc<KeyRing>, environment: Arc<dyn Environment>) -> Self {
        Self { keys, environment }
    }

    /// Seals a text. It opens only with the same `associated` text: whose it is, and as what.
    pub fn seal(&self, plain: &SecretString, associated: &str) -> Result<String, AppError> {
        let mut nonce = [0; 12];
        self.environment.random(&mut nonce);
        self.keys.seal(plain, associated, nonce).map_err(|error| failed(&error))
    }

    /// Opens what was sealed.
    pub fn open(&self, envelope: &str, associated: &str) -> Result<SecretString, AppError> {
        self.keys.open(envelope, associated).map_err(|error| failed(&error))
    }
}

fn failed(error: &vault::Error) -> AppError {
    tracing::warn!(error = %error, "a secret could not be sealed or opened");
    ErrorCode::Internal.into()
}
