//! Bindings: one Magento install tied to one Sage business.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{BindingId, OrganisationId},
    run::BindingStatus,
};

use crate::{Action, Result};

/// The Sage business of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SageBusiness {
    /// Sage's id (`X-Business`).
    pub id: String,
    /// Its name.
    pub name: String,
    /// ISO country code, such as `GB`.
    pub country: String,
}

/// A binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Id; the wire's `tenant_id`.
    pub id: BindingId,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// A name for people.
    pub name: String,
    /// The shop's base URL, without a slash at the end.
    pub magento_url: String,
    /// The Sage business, once connected.
    pub business: Option<SageBusiness>,
    /// Where it stands.
    pub status: BindingStatus,
    /// When it was paired.
    pub created_at: DateTime<Utc>,
    /// When its status last changed.
    pub status_changed_at: DateTime<Utc>,
    /// When another Sage business was connected or the settings changed last: safe mode's count of documents starts here.
    pub trusted_since: DateTime<Utc>,
}

/// A shop that was paired again: what its binding goes on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revival {
    /// The binding.
    pub id: BindingId,
    /// Its name, as typed now.
    pub name: String,
    /// Its address, as typed now.
    pub magento_url: String,
    /// The new key of the wire, sealed.
    pub key: String,
    /// When.
    pub now: DateTime<Utc>,
}

/// The status of a binding whose shop was paired again. `can_post`: it still has its business, and Sage's tokens. What a person
/// paused stays so, and who lacks Sage must still connect it.
pub fn revived(status: BindingStatus, refusal: Option<Code>, can_post: bool) -> BindingStatus {
    match status {
        BindingStatus::NeedsReauth if refusal == Some(Code::SageAuth) => status,
        BindingStatus::NeedsReauth | BindingStatus::Active if can_post => BindingStatus::Active,
        BindingStatus::Paused => status,
        // Whoever disconnected, Sage's tokens were revoked or are about to be.
        _ => BindingStatus::Pending,
    }
}

/// Bindings.
#[async_trait]
pub trait Bindings {
    /// Keeps a new binding. [`crate::Error::Conflict`] when its business has another binding that is not revoked.
    async fn create_binding(&self, binding: &Binding, action: Option<&Action>) -> Result<()>;

    /// Lets a binding go on whose shop was paired again: new key, the status that follows ([`revived`]), and a backfill of what the
    /// shop did meanwhile. Everything else stays as it was; only a business that another binding has by now is let go.
    async fn revive_binding(&self, revival: &Revival, action: Option<&Action>) -> Result<()>;

    /// The binding, whoever owns it: for the wire and the worker, which have proved their right by a token.
    async fn binding(&self, id: BindingId) -> Result<Option<Binding>>;

    /// The bindings of an organisation, oldest first.
    async fn list_bindings(&self, organisation: OrganisationId) -> Result<Vec<Binding>>;

    /// All bindings, oldest first: for the command line and upkeep.
    async fn list_all_bindings(&self) -> Result<Vec<Binding>>;

    /// Ties the binding to a Sage business; another one than before sets `trusted_since` to `now`. A revoked binding becomes `pending`
    /// with that. [`crate::Error::Conflict`] when another binding that is not revoked has the business.
    async fn set_business(
        &self,
        id: BindingId,
        business: &SageBusiness,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()>;

    /// Notes who refuses us, as a code, before the status says that the binding must be connected again. Only of a binding that
    /// works: what stopped before keeps its reason.
    async fn note_refusal(&self, id: BindingId, code: Code) -> Result<()>;

    /// Notes that the shop has thrown its keys away, whatever the status: it must be paired again.
    async fn note_shop_left(&self, id: BindingId) -> Result<()>;

    /// Who refused us; none while the binding works. [`Code::MagentoAuth`] says that the shop must be paired again.
    async fn refusal(&self, id: BindingId) -> Result<Option<Code>>;

    /// Sets the status. It touches no runs, however many wait: claims look at the status, and what people see is
    /// [`crate::waiting_code`]. Becoming `active` ends the binding's rests.
    async fn set_binding_status(
        &self,
        id: BindingId,
        status: BindingStatus,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()>;

    /// The same, but only while the status is `from`: what was disconnected or paused meanwhile stays so. `false` where nothing was done.
    async fn change_binding_status(
        &self,
        id: BindingId,
        from: BindingStatus,
        to: BindingStatus,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<bool>;
}
