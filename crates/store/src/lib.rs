#![doc = include_str!("../README.md")]

mod actions;
mod alert_channels;
mod alert_deliveries;
mod alerts;
mod announcements;
mod attempts;
mod backfills;
mod bindings;
mod bulk;
#[cfg(feature = "conformance")]
pub mod conformance;
mod credentials;
mod deliveries;
mod drafts;
mod error;
mod events;
mod figures;
mod find;
mod history;
mod intents;
mod invitations;
mod leases;
mod maintenance;
mod members;
mod overview;
mod people;
mod plans;
mod references;
mod rests;
mod run_state;
mod runs;
mod saved_views;
mod second_factors;
mod sessions;
mod settings_versions;
mod setups;
mod sign_ins;
mod unreadable;
mod xrefs;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::OrganisationId;
use tokio::sync::watch;

pub use actions::{Action, ActionFilter, Actions, Actor, Excluding, Exclusion};
pub use alert_channels::{AlertChannel, AlertChannels, AlertProof, AlertWants};
pub use alert_deliveries::{AlertDeliveries, AlertDelivery, ORGANISATIONS_SHARE};
pub use alerts::{Alert, Alerts, alert_id};
pub use announcements::{Announcements, Whose};
pub use attempts::{Attempt, Attempts, Step, calls_of};
pub use backfills::{Backfill, Backfills};
pub use bindings::{Binding, Bindings, Revival, SageBusiness, revived};
pub use bulk::{Advance, BulkFailure, BulkRetries, BulkRetry, CHUNK, FEED};
pub use credentials::{CredentialKind, Credentials, Sealed, SealedCredential};
pub use deliveries::{Deliveries, Delivery, DeliveryState, Failed, SyncState, Targets, Unanswered};
pub use drafts::{Draft, Drafts};
pub use error::{Error, Result};
pub use events::{Events, NewEvent, Received};
pub use figures::{BindingFigures, Figures};
pub use find::{Find, Hit, behind};
pub use history::{
    CauseGroup, Counted, History, Order, Page, PageRequest, Path, Reach, RunFilter, Seek, SortBy,
};
pub use intents::{Answer, Intent, IntentKey, IntentState, Intents, Request, SealedIntent};
pub use invitations::{Acceptance, Invitation, Invitations, Joining};
pub use leases::{Leases, SeenTokens, ahead_of};
pub use maintenance::{Maintenance, OldRuns, Requeued};
pub use members::{Colleague, Member, Members, NewMember, Organisation, Organisations};
pub use overview::{Load, Overviews, Span, Takings, Tally, Times, Volume};
pub use people::{Membership, People, Person, Proof, ProofSubject};
pub use plans::{Plans, RunPlan};
pub use references::{CachedReference, References};
pub use rests::{BindingRests, Rest, Rests};
pub use run_state::{Meanwhile, RunState};
pub use runs::{
    Claimed, Counts, Fence, FinishRun, KnownCustomer, Outcome, Posted, Run, RunFacts, Runs, waiting_code,
};
pub use saved_views::{SavedView, SavedViews};
pub use second_factors::{SecondFactor, SecondFactors};
pub use sessions::{Session, Sessions, SignedIn};
pub use settings_versions::{RELEASED_AT_ONCE, SavedSettings, SettingsVersion, SettingsVersions};
pub use setups::{SetupFacts, Setups};
pub use sign_ins::{PendingSignIn, SignIns, TryLimit};
pub use unreadable::{Unreadable, WORDS, Words, readable};
pub use xrefs::{NewXref, Xref, Xrefs};

/// A setting by which a crash of the database's server loses what was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// Commits of Ledger's own connections do not wait for the disk.
    OwnCommits,
    /// Those of everybody else on this database do not; Ledger asks for its own.
    OtherCommits,
    /// The server does not wait for its disk at all.
    NoSync,
}

/// Everything that is kept.
///
/// What changes who may do what, or where money goes, takes the record of who does it, and keeps it in the same transaction: neither is
/// there without the other. None is for what nobody does: Ledger itself, as a consequence of something, and what sets a scene for tests.
#[async_trait]
pub trait Store:
    Organisations
    + Members
    + People
    + Sessions
    + Invitations
    + SecondFactors
    + SignIns
    + Bindings
    + Backfills
    + Credentials
    + References
    + SettingsVersions
    + Setups
    + Events
    + Runs
    + History
    + Overviews
    + Attempts
    + Actions
    + BulkRetries
    + SavedViews
    + Drafts
    + Plans
    + Intents
    + Xrefs
    + Deliveries
    + Alerts
    + AlertChannels
    + AlertDeliveries
    + Leases
    + Rests
    + SeenTokens
    + Figures
    + Maintenance
    + Send
    + Sync
    + 'static
{
    /// Brings the schema to the newest version; safe to repeat.
    async fn migrate(&self) -> Result<()>;

    /// Proves that the store can be written (for `/readyz`).
    async fn ready(&self) -> Result<()>;

    /// How many steps of the schema that this program knows are missing; 0 also where another process has brought it further.
    async fn missing_migrations(&self) -> Result<usize>;

    /// What the database's own clock shows; none where that is this machine's. Processes on several machines go by it.
    async fn clock(&self) -> Result<Option<DateTime<Utc>>>;

    /// Settings of the database by which a crash loses what was answered as kept.
    async fn risks(&self) -> Result<Vec<Risk>>;

    /// A number that grows with every change of a run, in this process or another; workers watch it.
    fn changes(&self) -> watch::Receiver<u64>;

    /// The same for an organisation's runs alone, which its live pages watch. It may grow for nothing, never for another organisation's run
    /// as long as whose it is can be told.
    fn changes_of(&self, organisation: OrganisationId) -> watch::Receiver<u64>;

    /// Finishes what is under way and closes the connections.
    async fn close(&self);
}
