//! Events as they arrive from Magento, each with its run.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{BindingId, EventId, RunId},
    run::EventName,
};
use sha2::{Digest, Sha256};

use crate::Result;

/// An event whose token was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// Id for the event's row.
    pub id: EventId,
    /// Id for the run's row, if this becomes one.
    pub run_id: RunId,
    /// Whose.
    pub binding_id: BindingId,
    /// What happened.
    pub event: EventName,
    /// The `Idempotency-Key`.
    pub idempotency_key: String,
    /// Magento's id of the entity.
    pub magento_id: i64,
    /// The number that people see, where the event brings it.
    pub increment_id: Option<String>,
    /// 0 = unknown.
    pub website_id: i64,
    /// 0 = unknown.
    pub store_id: i64,
    /// The body as it came.
    pub body: String,
    /// When it happened in Magento.
    pub occurred_at: DateTime<Utc>,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// The token's id and when the token ends, to refuse its second use; none for events that Ledger makes itself.
    pub token: Option<(String, DateTime<Utc>)>,
    /// The trace that the run continues (W3C Trace Context's `traceparent`), where traces are kept.
    pub trace_parent: Option<String>,
}

impl NewEvent {
    /// What Ledger asks for by itself, as if Magento had sent it just now: it goes through the same door, so that a document still
    /// has one run.
    pub fn asked_for(
        (id, run_id): (EventId, RunId),
        binding_id: BindingId,
        event: EventName,
        magento_id: i64,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            run_id,
            binding_id,
            event,
            idempotency_key: format!("{event}:{magento_id}"),
            magento_id,
            increment_id: None,
            website_id: 0,
            store_id: 0,
            body: "{}".to_owned(),
            occurred_at: now,
            received_at: now,
            token: None,
            trace_parent: None,
        }
    }

    /// Tells the request from every other one that bears the same token.
    pub fn request(&self) -> String {
        let request = [self.event.as_str(), &self.idempotency_key, &self.body].join("\0");
        hex::encode(Sha256::digest(request.as_bytes()))
    }
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// A new run was made, with the id handed in.
    Queued(RunId),
    /// The event is known, or was folded into a run that is still queued, or the very same request came before (a proxy repeats one
    /// whose answer was lost): the id of that run.
    Known(RunId),
    /// The token was used before, for another request: nothing was written.
    Replayed,
}

impl Received {
    /// The run that answers for the event.
    pub const fn run_id(self) -> Option<RunId> {
        match self {
            Self::Queued(id) | Self::Known(id) => Some(id),
            Self::Replayed => None,
        }
    }
}

/// Events.
#[async_trait]
pub trait Events {
    /// Writes event and run in one durable transaction (a 202 must survive a power cut), after noting the token's id as used.
    ///
    /// For events that happen once (`EventName::happens_once`) a key that is known answers its first run. For the others a key
    /// folds into the entity's run that is still `queued` or `waiting`, else makes a new run. The run takes the binding's current
    /// settings version (0 = none yet) and is due at once; while the binding is not active no claim takes it.
    async fn receive(&self, event: &NewEvent) -> Result<Received>;
}
