//! Invitations into an organisation: a link that is good once.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{InvitationId, MemberId, OrganisationId, PersonId},
    run::Role,
};

use crate::{Action, Member, NewMember, Result};

/// An invitation, without what its link holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Id.
    pub id: InvitationId,
    /// Into which organisation.
    pub organisation_id: OrganisationId,
    /// Whom: the e-mail address that they will sign in with, lower-cased.
    pub email: String,
    /// As what.
    pub role: Role,
    /// By whom.
    pub invited_by: MemberId,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
}

/// Who accepts an invitation.
#[derive(Clone)]
pub struct Acceptance {
    /// The new member's id.
    pub member_id: MemberId,
    /// Their name.
    pub name: String,
    /// The person.
    pub person: Joining,
}

impl Acceptance {
    /// The member that an invitation makes of them. Of who is known already the address and the password are not written again.
    pub fn member(&self, invitation: &Invitation, now: DateTime<Utc>) -> NewMember {
        let (person_id, password_hash, is_proved) = match &self.person {
            Joining::New { id, password_hash, is_proved } => (*id, password_hash.clone(), *is_proved),
            Joining::Known(id) => (*id, String::new(), true),
        };
        let member = Member {
            id: self.member_id,
            person_id,
            organisation_id: invitation.organisation_id,
            email: invitation.email.clone(),
            proved_at: is_proved.then_some(now),
            name: self.name.clone(),
            role: invitation.role,
            created_at: now,
        };
        NewMember { member, password_hash }
    }
}

/// The person who joins.
#[derive(Clone)]
pub enum Joining {
    /// Somebody new.
    New {
        /// The new person's id.
        id: PersonId,
        /// Their password's argon2id hash in PHC form.
        password_hash: String,
        /// Whether they have proved that the address is theirs.
        is_proved: bool,
    },
    /// Somebody who is known, by the address that they have proved.
    Known(PersonId),
}

/// Invitations. An open one is neither used nor withdrawn nor past its time.
#[async_trait]
pub trait Invitations {
    /// Keeps a new invitation under the SHA-256 of its token, in hex, and withdraws the organisation's open ones to the same
    /// address; [`crate::Error::Conflict`] when the address is that of a member of the organisation.
    async fn create_invitation(
        &self,
        invitation: &Invitation,
        token_hash: &str,
        action: Option<&Action>,
    ) -> Result<()>;

    /// The organisation's open invitations, oldest first.
    async fn list_invitations(
        &self,
        organisation: OrganisationId,
        now: DateTime<Utc>,
    ) -> Result<Vec<Invitation>>;

    /// The open invitation of a token, with the organisation's name.
    async fn invitation_by_token(
        &self,
        token_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<(Invitation, String)>>;

    /// Withdraws an open invitation of the organisation.
    async fn withdraw_invitation(
        &self,
        organisation: OrganisationId,
        invitation: InvitationId,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()>;

    /// Uses an open invitation up and adds the member, both or neither; [`crate::Error::NotFound`] when it is not open, or not for the
    /// person who is known, and [`crate::Error::Conflict`] when the address is taken ([`crate::Members::create_member`]).
    async fn accept_invitation(
        &self,
        token_hash: &str,
        acceptance: &Acceptance,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<Member>;

    /// Deletes the invitations that were used, withdrawn or past their time before an instant.
    async fn purge_invitations(&self, before: DateTime<Utc>) -> Result<u64>;
}
