//! Leases over processes, and tokens that were used.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::BindingId;

use crate::Result;

/// What is marked with a time later than now by more than this was written by a clock that was ahead: a lease of it holds nothing, and
/// what it has put off is due. Clocks that are kept by time servers differ by less, and are set back by less.
const AHEAD: TimeDelta = TimeDelta::minutes(1);

/// Marks that are later than this at `now` are of a clock that was ahead.
pub fn ahead_of(now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_add_signed(AHEAD).unwrap_or(now)
}

/// Named leases: one holder at a time, over all processes (refreshing a connection's tokens).
#[async_trait]
pub trait Leases {
    /// Takes or extends a lease; `false` when another holder's has not run out. One that was taken by a clock that was ahead
    /// ([`ahead_of`]) is none.
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
