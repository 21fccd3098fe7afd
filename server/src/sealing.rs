//! Seals what the pages keep secret, with the keys of the engine.

use std::sync::Arc;

use app::{
    error::{AppError, ErrorCode},
    sealing::Sealing,
};
use secrecy::SecretString;
use sync::Engine;

/// The engine's keys, as the pages know them.
pub struct Seals(pub Arc<Engine>);

impl Sealing for Seals {
    fn seal(&self, plain: &SecretString, associated: &str) -> Result<String, AppError> {
        let mut nonce = [0; 12];
        self.0.outside.random(&mut nonce);
        self.0.keys.seal(plain, associated, nonce).map_err(|error| failed(&error))
    }

    fn open(&self, envelope: &str, associated: &str) -> Result<SecretString, AppError> {
        self.0.keys.open(envelope, associated).map_err(|error| failed(&error))
    }
}

fn failed(error: &vault::Error) -> AppError {
    tracing::warn!(error = %error, "a secret could not be sealed or opened");
    ErrorCode::Internal.into()
}
