//! A small world to test in: an organisation with an active binding, a clock and ids that count.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    code::Code,
    environment::Environment,
    health::Thresholds,
    ids::{AttemptId, BindingId, EventId, OrganisationId, RunId},
    run::{BindingStatus, EntityKind, EventName, RunStatus},
    settings::Settings,
};

use crate::{
    Attempt, Binding, Claimed, Error, Fence, FinishRun, Intent, IntentKey, NewEvent, Organisation, Outcome,
    Request, Result, Run, RunFacts, SageBusiness, SettingsVersion, Step, Store, SyncState,
};

/// 2026-01-05 10:00:00 UTC.
const START: i64 = 1_767_607_200_000;

/// A store with an organisation and an active binding in it, and the time.
pub struct World {
    /// What is tested.
    pub store: Arc<dyn Store>,
    /// The organisation.
    pub organisation: OrganisationId,
    /// Its active binding, of the business `business-1`.
    pub binding: BindingId,
    millis: AtomicI64,
    bytes: AtomicU64,
}

impl Environment for World {
    /// Each call is a millisecond later, so that all ids are in order.
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(START + self.millis.fetch_add(1, Ordering::Relaxed)).unwrap()
    }

    fn random(&self, bytes: &mut [u8]) {
        let count = self.bytes.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (byte, counted) in bytes.iter_mut().rev().zip(count.iter().rev().chain(std::iter::repeat(&0))) {
            *byte = *counted;
        }
    }
}

impl World {
    /// A world in this store.
    pub async fn new(store: Arc<dyn Store>) -> Self {
        let mut world = Self {
            store,
            organisation: OrganisationId(uuid::Uuid::nil()),
            binding: BindingId(uuid::Uuid::nil()),
            millis: AtomicI64::new(0),
            bytes: AtomicU64::new(0),
        };
        world.organisation = world.add_organisation("First").await;
        world.binding = world.add_binding("business-1").await;
        world
    }

    /// Lets time pass.
    pub fn pass(&self, time: TimeDelta) {
        self.millis.fetch_add(time.num_milliseconds(), Ordering::Relaxed);
    }

    /// An instant from now.
    pub fn after(&self, time: TimeDelta) -> DateTime<Utc> {
        self.now() + time
    }

    /// Adds an organisation.
    pub async fn add_organisation(&self, name: &str) -> OrganisationId {
        let id = OrganisationId(self.id());
        let organisation = Organisation { id, name: name.to_owned(), created_at: self.now() };
        self.store.create_organisation(&organisation).await.unwrap();
        id
    }

    /// An active binding that is not kept yet.
    pub fn new_binding(&self, organisation_id: OrganisationId, business: &str) -> Binding {
        let now = self.now();
        Binding {
            id: BindingId(self.id()),
            organisation_id,
            name: format!("Shop of {business}"),
            magento_url: "https://shop.example".to_owned(),
            business: Some(SageBusiness {
                id: business.to_owned(),
                name: "Example Ltd".to_owned(),
                country: "GB".to_owned(),
            }),
            status: BindingStatus::Active,
            created_at: now,
            status_changed_at: now,
            trusted_since: now,
        }
    }

    /// Adds an active binding to the organisation.
    pub async fn add_binding(&self, business: &str) -> BindingId {
        let binding = self.new_binding(self.organisation, business);
        self.store.create_binding(&binding, None).await.unwrap();
        binding.id
    }

    /// An event of a binding with a token of its own.
    pub fn event_of(&self, binding_id: BindingId, event: EventName, magento_id: i64) -> NewEvent {
        let now = self.now();
        NewEvent {
            id: EventId(self.id()),
            run_id: RunId(self.id()),
            binding_id,
            event,
            idempotency_key: format!("{event}:{magento_id}"),
            magento_id,
            increment_id: Some(format!("{magento_id:09}")),
            website_id: 1,
            store_id: 2,
            body: r#"{"payload":{}}"#.to_owned(),
            occurred_at: now - TimeDelta::seconds(30),
            received_at: now,
            token: Some((self.uuid_v4().to_string(), now + TimeDelta::minutes(5))),
            trace_parent: Some(format!("00-{magento_id:032x}-00000000000000aa-01")),
        }
    }

    /// An event of the first binding.
    pub fn event(&self, event: EventName, magento_id: i64) -> NewEvent {
        self.event_of(self.binding, event, magento_id)
    }

    /// Receives an event of a binding and tells the run that answers for it.
    pub async fn receive_of(&self, binding: BindingId, event: EventName, magento_id: i64) -> RunId {
        let event = self.event_of(binding, event, magento_id);
        self.store.receive(&event).await.unwrap().run_id().unwrap()
    }

    /// Receives an event of the first binding and tells the run that answers for it.
    pub async fn receive(&self, event: EventName, magento_id: i64) -> RunId {
        self.receive_of(self.binding, event, magento_id).await
    }

    /// Claims what is due, for a minute.
    pub async fn try_claim(&self) -> Option<Claimed> {
        let now = self.now();
        let attempt = AttemptId(self.id());
        self.store.claim_run(attempt, "worker-1", now, now + TimeDelta::minutes(1)).await.unwrap()
    }

    /// Claims what must be due. A claim passes over a row for as long as the refused write before it is being rolled back, which
    /// a driver may do in the background.
    pub async fn claim(&self) -> Claimed {
        for _ in 0..100 {
            if let Some(claimed) = self.try_claim().await {
                return claimed;
            }
        }
        panic!("a run is due");
    }

    /// The end of a claimed run.
    pub fn end(&self, claimed: &Claimed, outcome: Outcome) -> FinishRun {
        FinishRun {
            fence: fence(claimed),
            now: self.now(),
            outcome,
            facts: RunFacts::default(),
            xrefs: Vec::new(),
            sync_state: None,
            steps: Vec::new(),
            plan: None,
            thresholds: Thresholds::default(),
        }
    }

    /// Ends a claimed run.
    pub async fn finish(&self, claimed: &Claimed, outcome: Outcome) {
        self.store.finish_run(&self.end(claimed, outcome)).await.unwrap();
    }

    /// Receives an event, claims its run (nothing else may be due) and ends it.
    pub async fn run_through(&self, event: EventName, magento_id: i64, outcome: Outcome) -> RunId {
        let id = self.receive(event, magento_id).await;
        let claimed = self.claim().await;
        assert_eq!(claimed.run.id, id);
        self.finish(&claimed, outcome).await;
        id
    }

    /// A run of the organisation.
    pub async fn run(&self, id: RunId) -> Run {
        self.store.run(self.organisation, id).await.unwrap().expect("the run is there")
    }

    /// Where a run stands and why.
    pub async fn run_state(&self, id: RunId) -> (RunStatus, Option<Code>) {
        let run = self.run(id).await;
        (run.status, run.code)
    }

    /// The attempts of a run of the organisation.
    pub async fn attempts(&self, id: RunId) -> Vec<Attempt> {
        self.store.attempts(self.organisation, id).await.unwrap()
    }

    /// Saves a version of the first binding's settings.
    pub async fn save_settings(&self, version: i64) -> SettingsVersion {
        let created_at = self.now();
        let version = SettingsVersion {
            version,
            settings: Settings::default(),
            author: None,
            reason: None,
            created_at,
        };
        self.store.save_settings(self.binding, &version, None).await.unwrap();
        version
    }

    /// Sets the first binding's status and tells when.
    pub async fn set_status(&self, status: BindingStatus) -> DateTime<Utc> {
        let now = self.now();
        self.store.set_binding_status(self.binding, status, now, None).await.unwrap();
        now
    }

    /// A call to Sage.
    pub fn step(&self, name: &str) -> Step {
        Step {
            target: "sage".to_owned(),
            name: name.to_owned(),
            method: "POST".to_owned(),
            path: "/sales_invoices".to_owned(),
            status: Some(201),
            request_id: Some("req-1".to_owned()),
            idempotency_id: Some("idem-1".to_owned()),
            summary: "created".to_owned(),
            request: Some(r#"{"sales_invoice":{"date":"2026-01-05"}}"#.to_owned()),
            answer: Some(r#"{"id":"sage-1"}"#.to_owned()),
            started_at: self.now(),
            duration_ms: 120,
        }
    }

    /// What Magento is to be told of an invoice.
    pub fn synced(&self, magento_id: i64) -> SyncState {
        SyncState {
            entity: EntityKind::Invoice,
            magento_id,
            status: "synced".to_owned(),
            sage_id: Some(format!("sage-{magento_id}")),
            sage_reference: Some(format!("SI-{magento_id}")),
            skip_reason: None,
            error_code: None,
            at: self.now(),
        }
    }
}

/// The fence of a claimed run.
pub fn fence(claimed: &Claimed) -> Fence {
    Fence { run_id: claimed.run.id, attempt_id: claimed.attempt_id }
}

/// A create of an invoice that bears the mark in everything that can differ.
pub fn request(mark: &str) -> Request {
    Request {
        idempotency_id: format!("idem-{mark}"),
        body_digest: format!("digest-{mark}"),
        reference: Some(format!("WEB-{mark}")),
        contact_id: Some(format!("contact-{mark}")),
        sealed_call: Some(format!("sealed-{mark}")),
    }
}

/// The run was skipped.
pub fn skipped() -> Outcome {
    Outcome::Skipped { code: Code::UnpaidInvoice, message: Some("open".to_owned()), waits_for_invoice: None }
}

/// The run failed.
pub fn failed() -> Outcome {
    Outcome::Failed { code: Code::SageValidation, message: Some("Sage says no".to_owned()) }
}

/// The run waits for an invoice.
pub fn waiting_for(invoice: i64) -> Outcome {
    Outcome::Waiting { code: Code::WaitingForInvoice, message: None, waits_for_invoice: Some(invoice) }
}

/// The run waits for a mapping.
pub fn needs_mapping() -> Outcome {
    Outcome::Waiting {
        code: Code::NeedsMapping,
        message: Some("no bank".to_owned()),
        waits_for_invoice: None,
    }
}

/// The run is tried again.
pub fn retrying(next_at: DateTime<Utc>) -> Outcome {
    Outcome::Retrying { code: Code::SageUnavailable, message: Some("503".to_owned()), next_at }
}

/// The write met a fence or version that is no more.
pub fn assert_stale<T: std::fmt::Debug>(result: Result<T>) {
    match result {
        Err(Error::RowsAffected { expected: 1, actual: 0 }) => {}
        other => panic!("not refused as stale: {other:?}"),
    }
}

/// The value is taken.
pub fn assert_conflict<T: std::fmt::Debug>(result: Result<T>) {
    match result {
        Err(Error::Conflict(_)) => {}
        other => panic!("not refused as taken: {other:?}"),
    }
}

/// There is no such thing.
pub fn assert_not_found<T: std::fmt::Debug>(result: Result<T>) {
    match result {
        Err(Error::NotFound(_)) => {}
        other => panic!("found: {other:?}"),
    }
}

/// The intent of a key as it is kept.
pub async fn intent_of(world: &World, key: &IntentKey) -> Option<Intent> {
    let keys = std::slice::from_ref(&key.xref);
    world.store.intents(key.binding_id, &key.business_id, keys).await.unwrap().remove(&key.xref)
}
