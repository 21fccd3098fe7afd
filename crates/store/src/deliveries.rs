//! Deliveries of sync states to Magento: one row an entity, so that an older state can never overtake a newer one.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{ids::BindingId, run::EntityKind};

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

    /// When the next delivery is due; `None` when there is none.
    async fn next_delivery_due(&self) -> Result<Option<DateTime<Utc>>>;
}
