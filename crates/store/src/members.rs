//! Organisations and the people in them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{MemberId, OrganisationId, PersonId},
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

/// A person in an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Id.
    pub id: MemberId,
    /// The person.
    pub person_id: PersonId,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// E-mail address, lower-cased, unique in the organisation.
    pub email: String,
    /// When it was shown that the address is the person's; until then somebody else may have typed it.
    pub proved_at: Option<DateTime<Utc>>,
    /// How they are called in this organisation.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// When they were added.
    pub created_at: DateTime<Utc>,
}

/// A member to be added.
#[derive(Clone)]
pub struct NewMember {
    /// Who.
    pub member: Member,
    /// The argon2id hash of a new person's password in PHC form.
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
    /// Adds a member, and their person where it is new; one who is known keeps address and password.
    ///
    /// [`crate::Error::Conflict`] when a member of the organisation has the e-mail address, or somebody else has proved the one that
    /// counts as proved here.
    async fn create_member(&self, member: &NewMember, action: Option<&Action>) -> Result<()>;

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

    /// Removes a member of the organisation, with their sessions and open invitations; [`crate::Error::LastOwner`] when no owner would be
    /// left. Their name stays for what they did, their address is free again. With the last of their organisations goes the person:
    /// address, password and second factor.
    async fn remove_member(
        &self,
        organisation: OrganisationId,
        member: MemberId,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()>;
}
