//! Deliveries of sync states to Magento: one row an entity and one call at a time to a shop, so that an older state never overtakes a
//! newer one.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
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
            skip_reason: Some(Code::Excluded.as_str().to_owned()),
            error_code: None,
            at,
        }
    }
}

/// How long a call that was not answered may still be taken in by Magento: PHP works on after its caller has hung up, for as long
/// as a locked table keeps it waiting.
const SETTLED_AFTER: TimeDelta = TimeDelta::minutes(10);

/// Calls about an entity that left and were not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// The oldest version among them.
    pub version: i64,
    /// When the last of them left.
    pub at: DateTime<Utc>,
}

/// A delivery that a worker holds, and with it the shop.
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
    /// The fence: whoever holds the shop later has a greater one.
    pub claim: i64,
    /// How often, one after another, the shop had to be left alone.
    pub rests: u32,
    /// What may still arrive of earlier calls.
    pub unanswered: Option<Unanswered>,
}

impl Delivery {
    /// What may still arrive at `now` of earlier calls.
    pub fn unanswered_at(&self, now: DateTime<Utc>) -> Option<Unanswered> {
        self.unanswered.filter(|unanswered| unanswered.at + SETTLED_AFTER > now)
    }

    /// What may still arrive once this version has left as well, at `now`.
    pub fn unanswered_with(&self, now: DateTime<Utc>) -> Unanswered {
        let earlier = self.unanswered_at(now).map_or(self.version, |earlier| earlier.version);
        Unanswered { version: earlier.min(self.version), at: now }
    }

    /// When this state, which has arrived at `now`, is to be said once more: an older one may still arrive and overwrite it.
    pub fn repeat_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let older = self.unanswered_at(now).filter(|unanswered| unanswered.version < self.version)?;
        Some(older.at + SETTLED_AFTER)
    }
}

/// What came of a delivery that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed<'a> {
    /// Why.
    pub error: &'a str,
    /// When it is due again; none when it is given up.
    pub next_at: Option<DateTime<Utc>>,
    /// Until when its target is left alone, with all else that it is to be told.
    pub rests_until: Option<DateTime<Utc>>,
    /// Whether what was sent may still arrive.
    pub may_arrive: bool,
}

/// To whom something may go now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets {
    /// To everybody.
    All,
    /// Only to who answered last time: those that hang have their share already.
    Answering,
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
    /// Takes the state that is due longest of the shop whose turn was longest ago, holding the shop until `lease_until`: nobody else
    /// tells it anything meanwhile. Shops that rest or are revoked are passed over.
    async fn claim_delivery(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        targets: Targets,
    ) -> Result<Option<Delivery>>;

    /// Reads the entity's state again, immediately before it is sent, and holds the shop from now until `lease_until`: what is sent is
    /// the newest there is. None when the shop is held by another or nothing is left to tell; then nothing may be sent.
    async fn renew_delivery(
        &self,
        delivery: &Delivery,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Option<Delivery>>;

    /// Notes that this version has arrived. A newer version that came meanwhile stays due; one that had arrived before is due again,
    /// because this one has overwritten it. Where the shop had failed before, all that it did not take is due at once.
    async fn delivery_arrived(&self, delivery: &Delivery, now: DateTime<Utc>) -> Result<()>;

    /// Notes a failed try. A late word of one who does not hold the shop any more changes nothing.
    async fn delivery_failed(&self, delivery: &Delivery, failed: Failed<'_>) -> Result<()>;

    /// How the telling of an entity's newest state stands; none when there is nothing to tell, or the organisation has no such
    /// binding.
    async fn delivery_of(
        &self,
        organisation: OrganisationId,
        binding: BindingId,
        entity: EntityKind,
        magento_id: i64,
    ) -> Result<Option<DeliveryState>>;

    /// When the next delivery can be claimed; `None` when there is none.
    async fn next_delivery_due(&self, targets: Targets) -> Result<Option<DateTime<Utc>>>;
}
