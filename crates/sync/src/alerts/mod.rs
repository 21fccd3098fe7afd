//! Members are told: by e-mail and by signed webhooks, from a queue of its own with its own retries.

mod hook;
mod mail;
mod message;

use std::{fmt, time::Duration};

use chrono::{DateTime, Utc};
use domain::{alert::ChannelKind, health::Thresholds, outside::unless_late, retry};
use secrecy::SecretString;
use store::{AlertChannel, AlertDelivery, Failed, Targets};
use tokio::time::timeout;
use tracing::{debug, warn};

pub use hook::{HookUrlError, Hooks, new_secret, signature};
pub use mail::{Mail, MailError};

use crate::{
    Engine,
    outbox::{self, Hold, Outbox},
    under_way::Work,
};
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

/// How many webhooks are called at once.
const WEBHOOKS: usize = 32;
/// How many letters are handed to the mail server at once.
const LETTERS: usize = 8;

/// Why a message did not arrive, in a sentence without its address.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It may arrive later, no sooner than after so many seconds where the receiver said so.
    Again {
        /// Why.
        sentence: String,
        /// Seconds.
        after: Option<i64>,
    },
    /// There was no answer in time: the receiver is left alone for a while.
    Silent(String),
    /// This message never will.
    Final(String),
    /// No message will: the receiver says that it is gone for good.
    Gone(String),
}

impl Refusal {
    /// It may arrive later.
    fn again(sentence: impl Into<String>) -> Self {
        Self::Again { sentence: sentence.into(), after: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Again { sentence, .. }
        | Self::Silent(sentence)
        | Self::Final(sentence)
        | Self::Gone(sentence)) = self;
        f.write_str(sentence)
    }
}

/// The alerts of all members by one kind of channel. Letters and webhooks go out beside each other: a mail server that says nothing
/// stops no webhook.
#[derive(Clone, Copy)]
pub(crate) struct Alerts(ChannelKind);

impl Alerts {
    /// By e-mail.
    pub(crate) const LETTERS: Self = Self(ChannelKind::Email);
    /// To webhooks.
    pub(crate) const WEBHOOKS: Self = Self(ChannelKind::Webhook);
}

impl Outbox for Alerts {
    type Parcel = AlertDelivery;

    fn room(self) -> usize {
        match self.0 {
            ChannelKind::Email => LETTERS,
            ChannelKind::Webhook => WEBHOOKS,
        }
    }

    async fn claim(
        self,
        engine: &Engine,
        hold: Hold,
        targets: Targets,
    ) -> store::Result<Option<AlertDelivery>> {
        engine.store.claim_alert_delivery(self.0, hold.now, hold.until, targets).await
    }

    fn is_doubtful(parcel: &AlertDelivery) -> bool {
        parcel.rests > 0
    }

    async fn send(self, engine: &Engine, parcel: AlertDelivery, hold: Hold) -> store::Result<()> {
        let _under_way = engine.under_way.begin(match self.0 {
            ChannelKind::Email => Work::Letter,
            ChannelKind::Webhook => Work::Webhook,
        });
        deliver(engine, &parcel, hold).await
    }

    async fn next_due(self, engine: &Engine, targets: Targets) -> store::Result<Option<DateTime<Utc>>> {
        engine.store.next_alert_due(self.0, targets).await
    }

    fn beat(self, _: &Engine) {}
}

/// Sends one message by each kind of channel, where one is due; returns how many were tried.
pub async fn deliver_due(engine: &Engine) -> usize {
    outbox::send_next(engine, Alerts::WEBHOOKS).await + outbox::send_next(engine, Alerts::LETTERS).await
}

async fn deliver(engine: &Engine, parcel: &AlertDelivery, hold: Hold) -> store::Result<()> {
    let store = &engine.store;
    let notice = Notice::of_parcel(parcel, &engine.alerts.public_url);
    let sent = send(engine, &parcel.channel, &notice, hold.latest).await;
    let now = engine.outside.now();
    let refusal = match sent {
        Ok(()) => {
            debug!(channel = %parcel.channel.id, alerts = parcel.alerts.len(), "alert delivered");
            return store.alert_delivery_arrived(parcel, now).await;
        }
        Err(refusal) => refusal,
    };
    warn!(channel = %parcel.channel.id, attempt = parcel.attempts, error = %refusal, "an alert did not arrive");
    let (after, rests) = match &refusal {
        Refusal::Gone(sentence) => {
            return store.disable_alert_channel(parcel.channel.id, sentence, now).await;
        }
        Refusal::Final(_) => (None, None),
        Refusal::Again { after, .. } => (*after, *after),
        Refusal::Silent(_) => (None, Some(0)),
    };
    let attempts = u32::try_from(parcel.attempts).unwrap_or(u32::MAX);
    let (timing, jitter) = (&engine.timing, engine.jitter());
    let next_at = match refusal {
        Refusal::Final(_) => None,
        _ => retry::next(&timing.alert_schedule, attempts, after, jitter, now),
    };
    let rests_until =
        rests.and_then(|least| retry::rest(&timing.rest_schedule, parcel.rests, Some(least), jitter, now));
    let error = refusal.to_string();
    store
        .alert_delivery_failed(parcel, Failed { error: &error, next_at, rests_until, may_arrive: false })
        .await
}

/// Sends a message within the limit of an exchange, unless the uptime is `latest`.
async fn send(
    engine: &Engine,
    channel: &AlertChannel,
    notice: &Notice,
    latest: Duration,
) -> Result<(), Refusal> {
    let sending = async {
        match channel.kind {
            ChannelKind::Email => mail(engine, &channel.target, &notice.letter()).await,
            ChannelKind::Webhook => {
                let secret = secret(engine, channel)?;
                let now = engine.outside.now().timestamp();
                engine.alerts.hooks.post(&channel.target, &secret, &notice.id, now, &notice.payload()).await
            }
        }
    };
    unless_late(&*engine.outside, latest, sending)
        .await
        .unwrap_or_else(|| Err(Refusal::again("Ledger was interrupted while it sent this.")))
}

async fn mail(engine: &Engine, to: &str, letter: &Letter) -> Result<(), Refusal> {
    let Some(mail) = &engine.alerts.mail else {
        return Err(Refusal::again("E-mail is not set up on this server."));
    };
    let page = message::page(&engine.alerts.public_url);
    let sent = mail.send(to, letter, &page);
    let too_long = || Refusal::Silent("The mail server took too long to answer.".to_owned());
    timeout(engine.timing.exchange, sent).await.unwrap_or_else(|_| Err(too_long()))
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
        let sent = send(self, channel, &notice, Duration::MAX).await;
        let error = sent.as_ref().err().map(ToString::to_string);
        self.store.note_alert_channel(channel.id, error.as_deref(), now).await?;
        Ok(sent)
    }

    /// Sends the code that proves whose address it is.
    pub async fn send_address_code(&self, to: &str, code: &str) -> Result<(), Refusal> {
        mail(self, to, &message::letter_of_address(self.outside.id(), code, &self.alerts.public_url)).await
    }

    /// Sends the code that proves that an address is read by its member.
    pub async fn send_alert_code(&self, to: &str, code: &str) -> Result<(), Refusal> {
        mail(self, to, &message::letter_of_code(self.outside.id(), code, &self.alerts.public_url)).await
    }
}
