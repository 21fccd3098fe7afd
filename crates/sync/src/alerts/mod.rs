//! Members are told: by e-mail and by signed webhooks, from a queue of its own with its own retries.

mod hook;
mod mail;
mod message;

use std::fmt;

use domain::{alert::ChannelKind, health::Thresholds, retry};
use secrecy::SecretString;
use store::{AlertChannel, AlertParcel};
use tracing::{debug, warn};

pub use hook::{HookUrlError, Hooks, new_secret, signature};
pub use mail::{Mail, MailError};

use crate::Engine;
use message::{Letter, Notice};

/// How members are told.
pub struct Posts {
    /// How e-mail is sent; none where no server for it is set up.
    pub mail: Option<Mail>,
    /// How webhooks are called.
    pub hooks: Hooks,
    /// When documents that fail one after another are told of.
    pub thresholds: Thresholds,
    /// Where browsers reach Ledger, without a slash at the end.
    pub public_url: String,
}

/// Why a message did not arrive, in a sentence without its address.
#[derive(Debug)]
pub enum Refusal {
    /// It may arrive later.
    Again(String),
    /// This message never will.
    Final(String),
    /// No message will: the receiver says that it is gone for good.
    Gone(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Again(sentence) | Self::Final(sentence) | Self::Gone(sentence)) = self;
        f.write_str(sentence)
    }
}

/// Sends the message that is due longest; returns how many were tried.
pub async fn deliver_due(engine: &Engine) -> usize {
    let now = engine.outside.now();
    let parcel = match engine.store.claim_alert_parcel(now, now + engine.timing.lease).await {
        Ok(Some(parcel)) => parcel,
        Ok(None) => return 0,
        Err(problem) => {
            warn!(error = %problem, "no alert could be taken for delivery");
            return 0;
        }
    };
    if let Err(problem) = deliver(engine, &parcel).await {
        warn!(error = %problem, "an alert's end could not be recorded; it comes back when its lease ends");
    }
    1
}

async fn deliver(engine: &Engine, parcel: &AlertParcel) -> store::Result<()> {
    let store = &engine.store;
    let notice = Notice::of_parcel(parcel, &engine.alerts.public_url);
    let sent = send(engine, &parcel.channel, &notice).await;
    let now = engine.outside.now();
    let refusal = match sent {
        Ok(()) => {
            debug!(channel = %parcel.channel.id, alerts = parcel.alerts.len(), "alert delivered");
            return store.alert_parcel_arrived(parcel, now).await;
        }
        Err(refusal) => refusal,
    };
    warn!(channel = %parcel.channel.id, attempt = parcel.attempts, error = %refusal, "an alert did not arrive");
    let next = match refusal {
        Refusal::Gone(sentence) => {
            return store.disable_alert_channel(parcel.channel.id, &sentence, now).await;
        }
        Refusal::Final(_) => None,
        Refusal::Again(_) => {
            let attempts = u32::try_from(parcel.attempts).unwrap_or(u32::MAX);
            retry::next(&engine.timing.alert_schedule, attempts, None, engine.jitter(), now)
        }
    };
    store.alert_parcel_failed(parcel, &refusal.to_string(), next).await
}

async fn send(engine: &Engine, channel: &AlertChannel, notice: &Notice) -> Result<(), Refusal> {
    match channel.kind {
        ChannelKind::Email => mail(engine, &channel.target, &notice.letter()).await,
        ChannelKind::Webhook => {
            let secret = secret(engine, channel)?;
            let now = engine.outside.now().timestamp();
            engine.alerts.hooks.post(&channel.target, &secret, &notice.id, now, &notice.payload()).await
        }
    }
}

async fn mail(engine: &Engine, to: &str, letter: &Letter) -> Result<(), Refusal> {
    let Some(mail) = &engine.alerts.mail else {
        return Err(Refusal::Again("E-mail is not set up on this server.".to_owned()));
    };
    mail.send(to, letter, &message::page(&engine.alerts.public_url)).await
}

fn secret(engine: &Engine, channel: &AlertChannel) -> Result<SecretString, Refusal> {
    let lost = || Refusal::Final("The webhook\u{2019}s secret cannot be opened. Make a new one.".to_owned());
    let envelope = channel.envelope.as_deref().ok_or_else(lost)?;
    engine.keys.open(envelope, &AlertChannel::bound_to(channel.id)).map_err(|_| lost())
}

impl Engine {
    /// Sends a message that says that it is a test, once, and notes what came of it.
    pub async fn send_test_alert(&self, channel: &AlertChannel) -> store::Result<Result<(), Refusal>> {
        let now = self.outside.now();
        let notice = Notice::test(channel.id, self.outside.id(), now, &self.alerts.public_url);
        let sent = send(self, channel, &notice).await;
        let error = sent.as_ref().err().map(ToString::to_string);
        self.store.note_alert_channel(channel.id, error.as_deref(), now).await?;
        Ok(sent)
    }

    /// Sends the code that proves that an address is read by its member.
    pub async fn send_alert_code(&self, to: &str, code: &str) -> Result<(), Refusal> {
        mail(self, to, &message::letter_of_code(self.outside.id(), code, &self.alerts.public_url)).await
    }
}
