//! Deliveries of sync states to Magento: one row an entity, so that an older state can never overtake a newer one.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{BindingId, OrganisationId},
    run::EntityKind,
};

use crate::Result;

/// What Magento is to be told of an entity (`POST /sync-state`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncState {
    /// The entity.
    pub entity: EntityKind,
    /// Magento's id.
    pub magento_id: i64,
    /// `synced`, `skipped` or `failed`.
    pub status: String,
    /// Sage's id.
    pub sage_id: Option<String>,
    /// What people see in Sage.
    pub sage_reference: Option<String>,
    /// Why it was skipped.
    pub skip_reason: Option<String>,
    /// The class of the failure.
    pub error_code: Option<String>,
    /// When the state was reached.
    pub at: DateTime<Utc>,
}

impl SyncState {
    /// What is told of a document that a person has excluded.
    pub fn excluded(entity: EntityKind, magento_id: i64, at: DateTime<Utc>) -> Self {
        Self {
            entity,
            magento_id,
            status: "skipped".to_owned(),
            sage_id: None,
            sage_reference: None,
            skip_reason: Some(Code::ExcludedByPerson.as_str().to_owned()),
            error_code: None,
            at,
        }
    }
}

/// A delivery that a worker holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Whose shop.
    pub binding_id: BindingId,
    /// What to say.
    pub state: SyncState,
    /// Grows with every newer state of the entity.
    pub version: i64,
    /// How often this version was tried, this try counted.
    pub attempts: i32,
    /// The trace of the run whose end this tells, where traces are kept.
    pub trace_parent: Option<String>,
}

/// How the telling of an entity's newest state stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryState {
    /// What is or was to be said.
    pub state: SyncState,
    /// How often it was tried.
    pub attempts: i32,
    /// When it is tried again; none when it has arrived or was given up.
    pub next_at: Option<DateTime<Utc>>,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
    /// Why the last try failed.
    pub last_error: Option<String>,
}

/// Deliveries.
#[async_trait]
pub trait Deliveries {
    /// Takes up to `limit` due deliveries (newest state of each entity) of bindings that are not revoked, holding each until
    /// `lease_until`.
    async fn claim_deliveries(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Delivery>>;

    /// Notes that this version has arrived. A newer version that came meanwhile stays due.
    async fn delivery_arrived(&self, delivery: &Delivery, now: DateTime<Utc>) -> Result<()>;

    /// Notes a failed try: due again at `next_at`, or given up when there is none.
    async fn delivery_failed(
        &self,
        delivery: &Delivery,
        error: &str,
        next_at: Option<DateTime<Utc>>,
    ) -> Result<()>;

    /// How the telling of an entity's newest state stands; none when there is nothing to tell, or the organisation has no such
    /// binding.
    async fn delivery_of(
        &self,
        organisation: OrganisationId,
        binding: BindingId,
        entity: EntityKind,
        magento_id: i64,
    ) -> Result<Option<DeliveryState>>;

    /// When the next delivery is due; `None` when there is none.
    async fn next_delivery_due(&self) -> Result<Option<DateTime<Utc>>>;
}
