//! Signed-in browsers.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::MemberId;

use crate::{Member, Result};

/// A signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the cookie's token, in hex: the token itself is never kept.
    pub token_hash: String,
    /// Who.
    pub member_id: MemberId,
    /// When they signed in.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
}

/// Sessions.
#[async_trait]
pub trait Sessions {
    /// Keeps a new session.
    async fn create_session(&self, session: &Session) -> Result<()>;

    /// The member of a session that has not ended.
    async fn member_of_session(&self, token_hash: &str, now: DateTime<Utc>) -> Result<Option<Member>>;

    /// Ends a session; unknown ones are passed over.
    async fn end_session(&self, token_hash: &str) -> Result<()>;

    /// Deletes the sessions that have ended.
    async fn purge_sessions(&self, now: DateTime<Utc>) -> Result<u64>;
}
