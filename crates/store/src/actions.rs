//! Who did what; and the documents that a person has excluded.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    environment::Environment,
    ids::{ActionId, AttemptId, BindingId, MemberId, OrganisationId, RunId},
    run::{ActionKind, EntityKind, EventName, RunStatus},
    xref::XrefKind,
};

use crate::{Error, Result};

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

impl Action {
    /// Somebody does something now.
    pub fn new(
        environment: &dyn Environment,
        organisation_id: OrganisationId,
        actor: Actor,
        kind: ActionKind,
    ) -> Self {
        Self {
            id: ActionId(environment.id()),
            organisation_id,
            binding_id: None,
            run_id: None,
            actor,
            kind,
            detail: String::new(),
            at: environment.now(),
        }
    }

    /// The same, with a binding.
    pub fn with_binding(self, binding: BindingId) -> Self {
        Self { binding_id: Some(binding), ..self }
    }

    /// The same, with a run.
    pub fn with_run(self, run: RunId) -> Self {
        Self { run_id: Some(run), ..self }
    }

    /// The same, with the reason or the particulars.
    pub fn saying(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// Ledger pauses a binding by itself, because so many of its documents failed one after another.
    pub fn paused_by_ledger(
        (run, attempt): (RunId, AttemptId),
        organisation_id: OrganisationId,
        binding: BindingId,
        failed: u32,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            // The same when the transaction is repeated.
            id: ActionId(attempt.0),
            organisation_id,
            binding_id: Some(binding),
            run_id: Some(run),
            actor: Actor { member: None, name: "Ledger".to_owned() },
            kind: ActionKind::Paused,
            detail: format!("{failed} documents failed one after another"),
            at,
        }
    }
}

/// Which actions are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionFilter {
    /// Of this kind.
    pub kind: Option<ActionKind>,
    /// Of this member.
    pub member: Option<MemberId>,
    /// With this binding.
    pub binding: Option<BindingId>,
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

/// A document that somebody wants to exclude, as a driver found it; decided here once for all drivers.
#[derive(Clone, Copy, Debug)]
pub struct Excluding<'a> {
    /// Its runs.
    pub runs: &'a [(EventName, RunStatus)],
    /// What Sage was asked to make for it and has not refused: it is in Sage, or may be.
    pub asked: &'a [XrefKind],
}

impl Excluding<'_> {
    /// [`Error::Conflict`] when one of its runs is at work, or what a run that has not ended well was to make is in Sage or may be.
    /// `event` is the event of the run that somebody looks at: what it has made stays.
    pub fn check(&self, event: EventName) -> Result<()> {
        let has = |event: EventName, status: RunStatus| self.runs.contains(&(event, status));
        let is_running = self.runs.iter().any(|(_, status)| *status == RunStatus::Running);
        let is_posted = event.happens_once() && has(event, RunStatus::Succeeded);
        let may_be_in_sage = self.runs.iter().any(|(event, _)| {
            !has(*event, RunStatus::Succeeded)
                && XrefKind::made_by(*event).is_some_and(|kind| self.asked.contains(&kind))
        });
        if is_running || is_posted || may_be_in_sage { Err(Error::Conflict("the document")) } else { Ok(()) }
    }

    /// Whether Magento is to see it as excluded: nothing of it is in Sage.
    pub fn is_all_out(&self) -> bool {
        self.asked.is_empty() && !self.runs.iter().any(|(_, status)| *status == RunStatus::Succeeded)
    }
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
        filter: &ActionFilter,
        before: Option<ActionId>,
        limit: u32,
    ) -> Result<Vec<Action>>;

    /// Excludes the document of a run, in one transaction with its record (`action`, whose detail is the reason). The document's runs
    /// that have not ended well become `skipped_by_policy` with `excluded`, Magento is told, and later events of the
    /// document are skipped the same way.
    ///
    /// [`crate::Error::NotFound`] when the organisation has no such run, [`crate::Error::Conflict`] when a run of the document is
    /// running, or the document is or may be in Sage ([`Excluding::check`]).
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
