//! One message on its way, within the limits of an exchange.

use std::time::Duration;

use domain::{alert::ChannelKind, environment::unless_late};
use messages::message;
use secrecy::SecretString;
use store::AlertChannel;
use tokio::time::timeout;

use super::{
    message::{self, EmailMessage, Notice},
    refusal::Refusal,
};
use crate::Engine;

/// Sends a message within the limit of an exchange, unless the uptime is `latest`.
pub async fn send(
    engine: &Engine,
    channel: &AlertChannel,
    notice: &Notice,
    latest: Duration,
) -> Result<(), Refusal> {
    let sending = async {
        match channel.kind {
            ChannelKind::Email => mail(engine, &channel.target, &notice.email_message()).await,
            ChannelKind::Webhook => {
                let secret = secret(engine, channel)?;
                let now = engine.environment.now().timestamp();
                engine.alerts.hooks.post(&channel.target, &secret, &notice.id, now, &notice.payload()).await
            }
        }
    };
    unless_late(&*engine.environment, latest, sending)
        .await
        .unwrap_or_else(|| Err(Refusal::again(message!(delivery.interrupted))))
}

async fn mail(engine: &Engine, to: &str, email_message: &EmailMessage) -> Result<(), Refusal> {
    let Some(mail) = &engine.alerts.mail else {
        return Err(Refusal::again(message!(delivery.no_mail)));
    };
    let page = message::page(&engine.alerts.public_url);
    let sent = mail.send(to, email_message, &page);
    let too_long = || Refusal::Silent(message!(delivery.mail_timed_out).to_owned());
    timeout(engine.timing.exchange, sent).await.unwrap_or_else(|_| Err(too_long()))
}

fn secret(engine: &Engine, channel: &AlertChannel) -> Result<SecretString, Refusal> {
    let lost = || Refusal::Final(message!(delivery.secret_unreadable).to_owned());
    let envelope = channel.envelope.as_deref().ok_or_else(lost)?;
    engine.keys.open(envelope, &AlertChannel::bound_to(channel.id)).map_err(|_| lost())
}

impl Engine {
    /// Sends a message that says that it is a test, once, and notes what came of it.
    pub async fn send_test_alert(&self, channel: &AlertChannel) -> store::Result<Result<(), Refusal>> {
        let now = self.environment.now();
        let notice = Notice::test(channel.id, self.environment.id(), now, &self.alerts.public_url);
        let sent = send(self, channel, &notice, Duration::MAX).await;
        let error = sent.as_ref().err().map(ToString::to_string);
        self.store.note_alert_channel(channel.id, error.as_deref(), now).await?;
        Ok(sent)
    }

    /// Sends the code that proves whose address it is.
    pub async fn send_address_code(&self, to: &str, code: &str) -> Result<(), Refusal> {
        mail(self, to, &message::letter_of_address(self.environment.id(), code, &self.alerts.public_url))
            .await
    }

    /// Sends the code that proves that an address is read by its member.
    pub async fn send_alert_code(&self, to: &str, code: &str) -> Result<(), Refusal> {
        mail(self, to, &message::letter_of_code(self.environment.id(), code, &self.alerts.public_url)).await
    }
}
