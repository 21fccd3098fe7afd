//! Signed-in browsers.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{BindingId, MemberId, PersonId, SessionId};

use crate::{Action, Member, Result};

/// A signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Id, for people to end it by.
    pub id: SessionId,
    /// SHA-256 of the cookie's token, in hex: the token itself is never kept.
    pub token_hash: String,
    /// Who, in the organisation that it stands in.
    pub member_id: MemberId,
    /// Which browser, in a few words.
    pub browser: String,
    /// When they signed in.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to within a few minutes.
    pub last_seen_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// It opens nothing but the history of this binding, within Magento's admin; none opens all that its member may see.
    pub embed: Option<BindingId>,
}

/// Whom a session belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The member.
    pub member: Member,
    /// The session.
    pub session: SessionId,
    /// When it was last noted that the session is used.
    pub last_seen_at: DateTime<Utc>,
    /// When the password was last shown in it; none where that was not noted yet.
    pub proved_at: Option<DateTime<Utc>>,
}

/// Sessions.
#[async_trait]
pub trait Sessions {
    /// Keeps a new session, whose member has shown their password just now.
    async fn create_session(&self, session: &Session) -> Result<()>;

    /// Whom a session belongs to that has not ended. One that opens a single binding's history is none here.
    async fn signed_in(&self, token_hash: &str, now: DateTime<Utc>) -> Result<Option<SignedIn>>;

    /// Whom a session belongs to that has not ended and opens this binding's history alone; none where the member is not, or no more,
    /// of the binding's organisation.
    async fn signed_in_to(
        &self,
        binding: BindingId,
        token_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<SignedIn>>;

    /// Notes that a session is used; one that is gone is passed over.
    async fn see_session(&self, session: SessionId, now: DateTime<Utc>) -> Result<()>;

    /// Notes that the password was shown once more; one that is gone is passed over.
    async fn prove_session(&self, session: SessionId, now: DateTime<Utc>) -> Result<()>;

    /// Lets a session stand in another organisation of its person, who is this member there; [`crate::Error::NotFound`] when it is not
    /// theirs.
    async fn switch_session(&self, session: SessionId, member: MemberId, now: DateTime<Utc>) -> Result<()>;

    /// A person's sessions that have not ended, the last used first.
    async fn list_sessions(&self, person: PersonId, now: DateTime<Utc>) -> Result<Vec<Session>>;

    /// Ends a session; unknown ones are passed over.
    async fn end_session(&self, token_hash: &str) -> Result<()>;

    /// Ends a session of this person; another's is passed over as unknown ones are.
    async fn end_session_of(
        &self,
        person: PersonId,
        session: SessionId,
        action: Option<&Action>,
    ) -> Result<()>;

    /// Ends all sessions of a person but one.
    async fn end_other_sessions(
        &self,
        person: PersonId,
        keep: SessionId,
        action: Option<&Action>,
    ) -> Result<()>;

    /// Deletes the sessions that have ended.
    async fn purge_sessions(&self, now: DateTime<Utc>) -> Result<u64>;
}
