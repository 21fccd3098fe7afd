//! Forms that were sent without being done: kept for the page that shows them again.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{BindingId, MemberId};

use crate::Result;

/// What a member sent from the settings of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Whose it is.
    pub member: MemberId,
    /// Of which binding.
    pub binding: BindingId,
    /// The form, sealed.
    pub sealed: String,
    /// Until when it is kept.
    pub expires_at: DateTime<Utc>,
}

/// Drafts of settings, one for each member and binding.
#[async_trait]
pub trait Drafts {
    /// Keeps a draft in place of an older one, and forgets all that have expired by now.
    async fn keep_draft(&self, draft: &Draft, now: DateTime<Utc>) -> Result<()>;

    /// What was kept. Returns `None` if there is none, or if it has expired.
    async fn draft(&self, member: MemberId, binding: BindingId, now: DateTime<Utc>)
    -> Result<Option<String>>;

    /// Forgets a draft; one that is not there is forgotten already.
    async fn forget_draft(&self, member: MemberId, binding: BindingId) -> Result<()>;
}
