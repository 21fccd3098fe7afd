//! Messages to members, sent by the engine.

use std::sync::Arc;

use domain::environment::Environment;
use secrecy::SecretString;
use store::AlertChannel;
use sync::{
    Engine,
    alerts::{HookUrlError, Refusal, new_secret},
};
use views::error::{AppError, ErrorCode};

/// Sends messages to members.
#[derive(Clone)]
pub struct Alerting(pub Arc<Engine>);

impl Alerting {
    /// Whether a mail server is set up.
    pub fn sends_mail(&self) -> bool {
        self.0.alerts.mail.is_some()
    }

    /// Reads a webhook's URL that was typed, as strictly as it is called; the error's code says what is wrong.
    pub fn check_url(&self, typed: &str) -> Result<String, AppError> {
        match self.0.alerts.hooks.check(typed) {
            Ok(url) => Ok(url.into()),
            Err(HookUrlError::NotAUrl) => Err(ErrorCode::Invalid.into()),
            Err(HookUrlError::NotHttps) => Err(ErrorCode::HookNotHttps.into()),
            Err(HookUrlError::Private) => Err(ErrorCode::HookPrivate.into()),
        }
    }

    /// A new secret of a webhook.
    pub fn new_secret(&self) -> SecretString {
        let environment: &dyn Environment = &*self.0.environment;
        new_secret(environment)
    }

    /// Sends the code that proves whose address it is.
    pub async fn prove_address(&self, address: &str, code: &str) -> Result<(), AppError> {
        Box::pin(self.0.send_address_code(address, code)).await.map_err(|refusal| {
            tracing::warn!(error = %refusal, "a code did not arrive at its address");
            ErrorCode::CodeNotSent.into()
        })
    }

    /// Sends the code that proves an address for alerts.
    pub async fn send_code(&self, address: &str, code: &str) -> Result<(), AppError> {
        Box::pin(self.0.send_alert_code(address, code)).await.map_err(|refusal| refused(&refusal))
    }

    /// Sends a test by a channel and notes there what came of it.
    pub async fn send_test(&self, channel: &AlertChannel) -> Result<(), AppError> {
        Box::pin(self.0.send_test_alert(channel)).await?.map_err(|refusal| refused(&refusal))
    }
}

fn refused(refusal: &Refusal) -> AppError {
    tracing::warn!(error = %refusal, "a message to a member did not arrive");
    ErrorCode::MessageRefused.into()
}
