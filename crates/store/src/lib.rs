#![doc = include_str!("../README.md")]

mod attempts;
mod bindings;
#[cfg(feature = "conformance")]
pub mod conformance;
mod credentials;
mod deliveries;
mod error;
mod events;
mod intents;
mod leases;
mod members;
mod policies;
mod references;
mod runs;
mod sessions;
mod standing;
mod xrefs;

use async_trait::async_trait;
use tokio::sync::watch;

pub use attempts::{Attempt, Attempts, Step};
pub use bindings::{Binding, Bindings, SageBusiness};
pub use credentials::{CredentialKind, Credentials, Sealed};
pub use deliveries::{Deliveries, Delivery, SyncState};
pub use error::{Error, Result};
pub use events::{Events, NewEvent, Received};
pub use intents::{Answer, Intent, IntentKey, Intents};
pub use leases::{Leases, SeenTokens};
pub use members::{Member, Members, NewMember, Organisation, Organisations};
pub use policies::{Policies, PolicyVersion};
pub use references::{CachedReference, References};
pub use runs::{
    Claimed, Counts, Fence, FinishRun, Outcome, Page, PageRequest, Run, RunFacts, RunFilter, Runs, Seek,
};
pub use sessions::{Session, Sessions};
pub use standing::{Meanwhile, Standing, waiting_code};
pub use xrefs::{NewXref, Xref, Xrefs};

/// Everything that is kept.
#[async_trait]
pub trait Store:
    Organisations
    + Members
    + Sessions
    + Bindings
    + Credentials
    + References
    + Policies
    + Events
    + Runs
    + Attempts
    + Intents
    + Xrefs
    + Deliveries
    + Leases
    + SeenTokens
    + Send
    + Sync
    + 'static
{
    /// Brings the schema to the newest version; safe to repeat.
    async fn migrate(&self) -> Result<()>;

    /// Proves that the store can be written (for `/readyz`).
    async fn ready(&self) -> Result<()>;

    /// A number that grows with every change of a run, in this process or another; live pages watch it.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Finishes what is under way and closes the connections.
    async fn close(&self);
}
