//! Who did what; and the documents that a person has excluded.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{ActionId, BindingId, MemberId, OrganisationId, RunId},
    run::{ActionKind, EntityKind},
};

use crate::Result;

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The member; none is the command line, or Ledger itself.
    pub member: Option<MemberId>,
    /// How they are called at this moment.
    pub name: String,
}

/// What somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Id (sorted by time).
    pub id: ActionId,
    /// In which organisation.
    pub organisation_id: OrganisationId,
    /// With which binding, where it is about one.
    pub binding_id: Option<BindingId>,
    /// With which run, where it is about one.
    pub run_id: Option<RunId>,
    /// Who.
    pub actor: Actor,
    /// What.
    pub kind: ActionKind,
    /// The reason or the particulars, for a person; may be empty.
    pub detail: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A document that is not to be synced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// Why, as the person said.
    pub reason: String,
    /// Who said so.
    pub actor: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Actions and exclusions.
#[async_trait]
pub trait Actions {
    /// Keeps what somebody did, for ever.
    async fn record_action(&self, action: &Action) -> Result<()>;

    /// What was done with a run of the organisation, oldest first.
    async fn actions_of_run(&self, organisation: OrganisationId, run: RunId) -> Result<Vec<Action>>;

    /// What was done in an organisation, newest first, before an action where one is named.
    async fn list_actions(
        &self,
        organisation: OrganisationId,
        before: Option<ActionId>,
        limit: u32,
    ) -> Result<Vec<Action>>;

    /// Excludes the document of a run, in one transaction with its record (`action`, whose detail is the reason). The document's runs
    /// that have not ended well become `skipped_by_policy` with `excluded_by_person`, Magento is told, and later events of the
    /// document are skipped the same way.
    ///
    /// [`crate::Error::NotFound`] when the organisation has no such run, [`crate::Error::Conflict`] when a run of the document is
    /// running, or the document is in Sage already.
    async fn exclude_document(&self, run: RunId, action: &Action) -> Result<()>;

    /// Takes the exclusion of a run's document back, in one transaction with its record: the runs that it skipped go on, as by
    /// [`crate::Runs::retry_run`]. [`crate::Error::NotFound`] when there is no such run or exclusion.
    async fn include_document(&self, run: RunId, action: &Action) -> Result<()>;

    /// The exclusion of a document, where there is one.
    async fn exclusion(
        &self,
        binding: BindingId,
        entity: EntityKind,
        magento_id: i64,
    ) -> Result<Option<Exclusion>>;
}
