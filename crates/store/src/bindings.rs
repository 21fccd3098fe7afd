//! Bindings: one Magento install tied to one Sage business.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{BindingId, OrganisationId},
    run::BindingStatus,
};

use crate::Result;

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
    /// When Sage was connected or the policy changed last: safe mode's count of documents starts here.
    pub trusted_since: DateTime<Utc>,
}

/// Bindings.
#[async_trait]
pub trait Bindings {
    /// Keeps a new binding.
    async fn create_binding(&self, binding: &Binding) -> Result<()>;

    /// The binding, whoever owns it: for the wire and the worker, which have proved their right by a token.
    async fn binding(&self, id: BindingId) -> Result<Option<Binding>>;

    /// The bindings of an organisation, oldest first.
    async fn list_bindings(&self, organisation: OrganisationId) -> Result<Vec<Binding>>;

    /// All bindings, oldest first: for the command line and upkeep.
    async fn list_all_bindings(&self) -> Result<Vec<Binding>>;

    /// Ties the binding to a Sage business, sets `trusted_since` to `now`.
    async fn set_business(&self, id: BindingId, business: &SageBusiness, now: DateTime<Utc>) -> Result<()>;

    /// Notes who refuses us, as a code, before the status says that the binding must be connected again.
    async fn note_refusal(&self, id: BindingId, code: Code) -> Result<()>;

    /// Who refused us last; it means something while the binding must be connected again.
    async fn refusal(&self, id: BindingId) -> Result<Option<Code>>;

    /// Sets the status. In the same transaction: leaving `active` makes its `queued` and `retrying` runs `waiting` with the code
    /// of the new status (`binding_paused` ...); from one stop to the next their code follows; becoming `active` makes the runs
    /// that wait with such a code `queued`, due now.
    async fn set_binding_status(
        &self,
        id: BindingId,
        status: BindingStatus,
        now: DateTime<Utc>,
    ) -> Result<()>;

    /// The same, but only while the status is `from`: what was disconnected or paused meanwhile stays so. `false` where nothing was done.
    async fn change_binding_status(
        &self,
        id: BindingId,
        from: BindingStatus,
        to: BindingStatus,
        now: DateTime<Utc>,
    ) -> Result<bool>;
}
