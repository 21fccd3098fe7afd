//! The alerts' outbox: claimed by kind of channel, sent, and what came of it noted.

use chrono::{DateTime, Utc};
use domain::{alert::ChannelKind, retry};
use store::{AlertDelivery, Failed, Targets};
use tracing::{debug, warn};

use super::{message::Notice, refusal::Refusal, send::send};
use crate::{
    Engine,
    delivery::outbox::{self, DeliveryLease, Outbox},
    under_way::WorkKind,
};

/// How many webhooks are called at once.
const WEBHOOKS: usize = 32;
/// How many letters are handed to the mail server at once.
const LETTERS: usize = 8;

/// The alerts of all members by one kind of channel. Letters and webhooks go out beside each other: a mail server that says nothing
/// stops no webhook.
#[derive(Clone, Copy)]
pub struct AlertOutbox(ChannelKind);

impl AlertOutbox {
    /// By e-mail.
    pub const LETTERS: Self = Self(ChannelKind::Email);
    /// To webhooks.
    pub const WEBHOOKS: Self = Self(ChannelKind::Webhook);
}

impl Outbox for AlertOutbox {
    type Message = AlertDelivery;

    fn room(self) -> usize {
        match self.0 {
            ChannelKind::Email => LETTERS,
            ChannelKind::Webhook => WEBHOOKS,
        }
    }

    async fn claim(
        self,
        engine: &Engine,
        hold: DeliveryLease,
        targets: Targets,
    ) -> store::Result<Option<AlertDelivery>> {
        engine.store.claim_alert_delivery(self.0, hold.now, hold.until, targets).await
    }

    fn is_doubtful(message: &AlertDelivery) -> bool {
        message.rests > 0
    }

    async fn send(self, engine: &Engine, message: AlertDelivery, hold: DeliveryLease) -> store::Result<()> {
        let _under_way = engine.under_way.begin(match self.0 {
            ChannelKind::Email => WorkKind::EmailMessage,
            ChannelKind::Webhook => WorkKind::Webhook,
        });
        deliver(engine, &message, hold).await
    }

    async fn next_due(self, engine: &Engine, targets: Targets) -> store::Result<Option<DateTime<Utc>>> {
        engine.store.next_alert_due(self.0, targets).await
    }

    fn beat(self, _: &Engine) {}
}

/// Sends one message by each kind of channel, where one is due; returns how many were tried.
pub async fn deliver_due(engine: &Engine) -> usize {
    outbox::send_next(engine, AlertOutbox::WEBHOOKS).await
        + outbox::send_next(engine, AlertOutbox::LETTERS).await
}

async fn deliver(engine: &Engine, message: &AlertDelivery, hold: DeliveryLease) -> store::Result<()> {
    let store = &engine.store;
    let notice = Notice::of_delivery(message, &engine.alerts.public_url);
    let sent = send(engine, &message.channel, &notice, hold.latest).await;
    let now = engine.environment.now();
    let refusal = match sent {
        Ok(()) => {
            debug!(channel = %message.channel.id, alerts = message.alerts.len(), "alert delivered");
            return store.alert_delivery_arrived(message, now).await;
        }
        Err(refusal) => refusal,
    };
    warn!(channel = %message.channel.id, attempt = message.attempts, error = %refusal, "an alert did not arrive");
    let (after, rests) = match &refusal {
        Refusal::Gone(sentence) => {
            return store.disable_alert_channel(message.channel.id, sentence, now).await;
        }
        Refusal::Final(_) => (None, None),
        Refusal::Again { after, .. } => (*after, *after),
        Refusal::Silent(_) => (None, Some(0)),
    };
    let attempts = u32::try_from(message.attempts).unwrap_or(u32::MAX);
    let (timing, jitter) = (&engine.timing, engine.jitter());
    let next_at = match refusal {
        Refusal::Final(_) => None,
        _ => retry::next(&timing.alert_schedule, attempts, after, jitter, now),
    };
    let rests_until =
        rests.and_then(|least| retry::rest(&timing.rest_schedule, message.rests, Some(least), jitter, now));
    let error = refusal.to_string();
    store
        .alert_delivery_failed(message, Failed { error: &error, next_at, rests_until, may_arrive: false })
        .await
}
