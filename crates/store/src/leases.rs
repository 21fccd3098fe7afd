//! Leases over processes, and tokens that were used.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::BindingId;

use crate::Result;

/// Named leases: one holder at a time, over all processes (refreshing a connection's tokens).
#[async_trait]
pub trait Leases {
    /// Takes or extends a lease; `false` when another holder's has not run out.
    async fn acquire_lease(
        &self,
        name: &str,
        holder: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool>;

    /// Gives a lease back; one that is not held is passed over.
    async fn release_lease(&self, name: &str, holder: &str) -> Result<()>;
}

/// Ids of tokens that were used, to refuse their second use.
#[async_trait]
pub trait SeenTokens {
    /// Notes a token's id; `false` when it was noted before.
    async fn use_token(&self, binding: BindingId, token_id: &str, expires_at: DateTime<Utc>) -> Result<bool>;

    /// Forgets the tokens that have ended.
    async fn purge_tokens(&self, now: DateTime<Utc>) -> Result<u64>;
}
