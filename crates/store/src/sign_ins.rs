//! Sign-ins under way: those that wait for their second factor, and how many tries are left to whom.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{BindingId, MemberId};

use crate::{Member, Result};

/// A sign-in whose password was right and that waits for a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingSignIn {
    /// SHA-256 of the cookie's token, in hex.
    pub token_hash: String,
    /// Who.
    pub member_id: MemberId,
    /// How many codes may be tried.
    pub tries: i32,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// Within which shop's admin it began; none is Ledger itself. It ends there as well.
    pub embed: Option<BindingId>,
}

/// How often something may be tried: so many times at once, and then one more each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryLimit {
    /// At once.
    pub burst: i32,
    /// After how long one more is allowed.
    pub every: TimeDelta,
}

/// Sign-ins under way.
#[async_trait]
pub trait SignIns {
    /// Keeps a sign-in that waits for its code.
    async fn begin_sign_in(&self, pending: &PendingSignIn) -> Result<()>;

    /// Uses up one try of a sign-in that waits and tells whose it is; none when it has ended, no try is left, or it began elsewhere.
    async fn try_sign_in(
        &self,
        token_hash: &str,
        embed: Option<BindingId>,
        now: DateTime<Utc>,
    ) -> Result<Option<Member>>;

    /// Ends a sign-in that waits; true for the one who ended it.
    async fn end_sign_in(&self, token_hash: &str) -> Result<bool>;

    /// Takes one try under a key; when there is none, tells how long until there is. Keys are digests of who tries what.
    async fn take_try(
        &self,
        key: &str,
        limit: TryLimit,
        now: DateTime<Utc>,
    ) -> Result<std::result::Result<(), TimeDelta>>;

    /// Gives back a try that was not one: it succeeded.
    async fn give_back_try(&self, key: &str, limit: TryLimit) -> Result<()>;

    /// Deletes the sign-ins and the codes on their way that have ended, and the counts that count nothing any more.
    async fn purge_sign_ins(&self, now: DateTime<Utc>) -> Result<u64>;
}
