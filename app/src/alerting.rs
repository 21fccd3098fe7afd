//! What telling members needs of the outside. The server implements it: pages reach no network.

use async_trait::async_trait;
use secrecy::SecretString;
use store::AlertChannel;

use crate::error::AppError;

/// Sends messages to members.
#[async_trait]
pub trait Alerting: Send + Sync {
    /// Whether a mail server is set up.
    fn sends_mail(&self) -> bool;

    /// Reads a webhook's URL that was typed, as strictly as it is called; the error's code says what is wrong.
    fn check_url(&self, typed: &str) -> Result<String, AppError>;

    /// A new secret of a webhook.
    fn new_secret(&self) -> SecretString;

    /// Sends the code that proves whose address it is.
    async fn prove_address(&self, address: &str, code: &str) -> Result<(), AppError>;

    /// Sends the code that proves an address for alerts.
    async fn send_code(&self, address: &str, code: &str) -> Result<(), AppError>;

    /// Sends a test by a channel and notes there what came of it.
    async fn send_test(&self, channel: &AlertChannel) -> Result<(), AppError>;
}
