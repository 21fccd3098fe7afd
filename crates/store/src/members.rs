//! Organisations and the people in them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{MemberId, OrganisationId},
    run::Role,
};

use crate::Result;

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

/// Members.
#[async_trait]
pub trait Members {
    /// Adds a member; [`crate::Error::Conflict`] when the e-mail address is taken.
    async fn create_member(&self, member: &NewMember) -> Result<()>;

    /// The member with this e-mail address (compared lower-cased) and the password's hash, for signing in.
    async fn member_by_email(&self, email: &str) -> Result<Option<NewMember>>;
}
