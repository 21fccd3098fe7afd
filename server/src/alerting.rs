//! Tells members what the pages want them to be told, by the engine.

use std::sync::Arc;

use app::{
    alerting::Alerting,
    error::{AppError, ErrorCode},
};
use async_trait::async_trait;
use domain::outside::Outside;
use secrecy::SecretString;
use store::AlertChannel;
use sync::{
    Engine,
    alerts::{HookUrlError, Refusal, new_secret},
};

/// The engine, as the page of alerts knows it.
pub struct Alerts(pub Arc<Engine>);

#[async_trait]
impl Alerting for Alerts {
    fn sends_mail(&self) -> bool {
        self.0.alerts.mail.is_some()
    }

    fn check_url(&self, typed: &str) -> Result<String, AppError> {
        match self.0.alerts.hooks.check(typed) {
            Ok(url) => Ok(url.into()),
            Err(HookUrlError::NotAUrl) => Err(ErrorCode::Invalid.into()),
            Err(HookUrlError::NotHttps) => Err(ErrorCode::HookNotHttps.into()),
            Err(HookUrlError::Private) => Err(ErrorCode::HookPrivate.into()),
        }
    }

    fn new_secret(&self) -> SecretString {
        let outside: &dyn Outside = &*self.0.outside;
        new_secret(outside)
    }

    async fn prove_address(&self, address: &str, code: &str) -> Result<(), AppError> {
        self.0.send_address_code(address, code).await.map_err(|refusal| {
            tracing::warn!(error = %refusal, "a code did not arrive at its address");
            ErrorCode::CodeNotSent.into()
        })
    }

    async fn send_code(&self, address: &str, code: &str) -> Result<(), AppError> {
        self.0.send_alert_code(address, code).await.map_err(|refusal| refused(&refusal))
    }

    async fn send_test(&self, channel: &AlertChannel) -> Result<(), AppError> {
        self.0.send_test_alert(channel).await?.map_err(|refusal| refused(&refusal))
    }
}

fn refused(refusal: &Refusal) -> AppError {
    tracing::warn!(error = %refusal, "a message to a member did not arrive");
    ErrorCode::MessageRefused.into()
}
