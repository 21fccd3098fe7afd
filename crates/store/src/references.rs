//! The cached reference set of a binding's Sage business.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    business::{Books, ReferenceSet},
    ids::{BindingId, OrganisationId},
};

use crate::{Action, Result};

/// A reference set and when it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedReference {
    /// The lists.
    pub set: ReferenceSet,
    /// When they were fetched.
    pub fetched_at: DateTime<Utc>,
}

/// Reference sets.
#[async_trait]
pub trait References {
    /// The cached set, if there is one.
    async fn reference(&self, binding: BindingId) -> Result<Option<CachedReference>>;

    /// What the sums of each binding of an organisation are kept in, where its lists were fetched.
    async fn books(&self, organisation: OrganisationId) -> Result<Vec<(BindingId, Books)>>;

    /// Replaces the cached set.
    async fn put_reference(
        &self,
        binding: BindingId,
        reference: &CachedReference,
        action: Option<&Action>,
    ) -> Result<()>;
}
