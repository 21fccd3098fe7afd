//! Organisations and the people in them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{MemberId, OrganisationId, SessionId},
    run::Role,
};

use crate::{Action, Result};

/// A merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Id.
    pub id: OrganisationId,
    /// Name.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Organisations.
#[async_trait]
pub trait Organisations {
    /// Keeps a new organisation.
    async fn create_organisation(&self, organisation: &Organisation) -> Result<()>;

    /// All organisations, oldest first.
    async fn list_organisations(&self) -> Result<Vec<Organisation>>;
}

/// A person who signs in, without the password's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Id.
    pub id: MemberId,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// E-mail address, lower-cased, unique over all organisations.
    pub email: String,
    /// Name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// When they were added.
    pub created_at: DateTime<Utc>,
}

/// A person to be added.
#[derive(Clone)]
pub struct NewMember {
    /// Who.
    pub member: Member,
    /// The password's argon2id hash in PHC form.
    pub password_hash: String,
}

/// A member, as an owner sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colleague {
    /// Who.
    pub member: Member,
    /// Whether a code is asked of them when they sign in.
    pub has_second_factor: bool,
}

/// Members. Who was removed is none any more for all of these.
#[async_trait]
pub trait Members {
    /// Adds a member; [`crate::Error::Conflict`] when the e-mail address is taken.
    async fn create_member(&self, member: &NewMember, action: Option<&Action>) -> Result<()>;

    /// The member with this e-mail address (compared lower-cased) and the password's hash, for signing in.
    async fn member_by_email(&self, email: &str) -> Result<Option<NewMember>>;

    /// The organisation's members in the order in which they came.
    async fn list_members(&self, organisation: OrganisationId) -> Result<Vec<Colleague>>;

    /// Gives a member of the organisation another role; [`crate::Error::LastOwner`] when no owner would be left. The open
    /// invitations of who is no owner any more are withdrawn.
    async fn set_role(
        &self,
        organisation: OrganisationId,
        member: MemberId,
        role: Role,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()>;

    /// Removes a member of the organisation, with their sessions, second factor and open invitations;
    /// [`crate::Error::LastOwner`] when no owner would be left. Their name stays for what they did, their address is free again.
    async fn remove_member(
        &self,
        organisation: OrganisationId,
        member: MemberId,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()>;

    /// Sets a member's password, and ends their sessions but the one to keep.
    async fn set_password(
        &self,
        member: MemberId,
        password_hash: &str,
        keep: Option<SessionId>,
        action: Option<&Action>,
    ) -> Result<()>;
}
