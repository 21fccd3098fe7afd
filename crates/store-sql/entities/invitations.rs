//! Invitations into an organisation.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{InvitationId, MemberId, OrganisationId, PersonId},
    run::Role,
};
use store::{Acceptance, Action, Error, Invitation, Invitations, Joining, Member, Result};
use store_sql::{Id, Instant, Text, Word};

use super::{
    Tried,
    audit::record,
    members, missing,
    rows::{self, Record},
};
use crate::{
    db::{Connection, kept},
    dialect::held,
    driver::Driver,
};

#[derive(sqlx::FromRow)]
struct InvitationRow {
    id: Id<InvitationId>,
    organisation_id: Id<OrganisationId>,
    email: String,
    role: Word<Role>,
    invited_by: Id<MemberId>,
    created_at: Instant,
    expires_at: Instant,
}

impl Record for InvitationRow {
    type Value = Invitation;
    const TABLE: &'static str = "invitations";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Invitation> {
        Ok(Invitation {
            id: self.id.0,
            organisation_id: self.organisation_id.0,
            email: self.email,
            role: self.role.0,
            invited_by: self.invited_by.0,
            created_at: self.created_at.0,
            expires_at: self.expires_at.0,
        })
    }
}

#[derive(sqlx::FromRow)]
struct NamedRow {
    #[sqlx(flatten)]
    invitation: InvitationRow,
    organisation: String,
}

impl Record for NamedRow {
    type Value = (Invitation, String);
    const TABLE: &'static str = "invitations";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Self::Value> {
        Ok((self.invitation.value()?, self.organisation))
    }
}

#[async_trait]
impl Invitations for Driver {
    async fn create_invitation(
        &self,
        invitation: &Invitation,
        token_hash: &str,
        action: Option<&Action>,
    ) -> Result<()> {
        let email = &*invitation.email.to_lowercase();
        self.write(move |mut transaction| async move {
            if members::has_member(&mut transaction, invitation.organisation_id, email).await? {
                return Err(Error::Conflict("the e-mail address").into());
            }
            sqlx::query(
                "UPDATE invitations SET withdrawn_at = $3
                 WHERE organisation_id = $1 AND email = $2 AND used_at IS NULL AND withdrawn_at IS NULL",
            )
            .bind(Id(invitation.organisation_id))
            .bind(Text(email))
            .bind(Instant(invitation.created_at))
            .execute(&mut *transaction)
            .await?;
            sqlx::query(
                "INSERT INTO invitations (id, organisation_id, email, role, invited_by, token_hash, created_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(Id(invitation.id))
            .bind(Id(invitation.organisation_id))
            .bind(Text(email))
            .bind(invitation.role.as_str())
            .bind(Id(invitation.invited_by))
            .bind(token_hash)
            .bind(Instant(invitation.created_at))
            .bind(Instant(invitation.expires_at))
            .execute(&mut *transaction)
            .await
            .map_err(missing("the organisation or the member"))?;
            record(&mut transaction, action).await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn list_invitations(
        &self,
        organisation: OrganisationId,
        now: DateTime<Utc>,
    ) -> Result<Vec<Invitation>> {
        let found = sqlx::query(
            "SELECT * FROM invitations
             WHERE organisation_id = $1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $2
             ORDER BY created_at, id",
        )
        .bind(Id(organisation))
        .bind(Instant(now));
        Ok(rows::all::<InvitationRow>(found, self.reader()).await?)
    }

    async fn invitation_by_token(
        &self,
        token_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<(Invitation, String)>> {
        let found = sqlx::query(
            "SELECT i.*, o.name AS organisation FROM invitations i JOIN organisations o ON o.id = i.organisation_id
             WHERE i.token_hash = $1 AND i.used_at IS NULL AND i.withdrawn_at IS NULL AND i.expires_at > $2",
        )
        .bind(token_hash)
        .bind(Instant(now));
        Ok(rows::optional::<NamedRow>(found, self.reader()).await?)
    }

    async fn withdraw_invitation(
        &self,
        organisation: OrganisationId,
        invitation: InvitationId,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()> {
        self.write(move |mut transaction| async move {
            let withdrawn = sqlx::query(
                "UPDATE invitations SET withdrawn_at = $3
                 WHERE organisation_id = $1 AND id = $2 AND used_at IS NULL AND withdrawn_at IS NULL",
            )
            .bind(Id(organisation))
            .bind(Id(invitation))
            .bind(Instant(now))
            .execute(&mut *transaction)
            .await?;
            if withdrawn.rows_affected() == 0 {
                return Err(Error::NotFound("the invitation").into());
            }
            record(&mut transaction, action).await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn accept_invitation(
        &self,
        token_hash: &str,
        acceptance: &Acceptance,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<Member> {
        self.write(move |mut transaction| async move {
            let used = sqlx::query(
                "UPDATE invitations SET used_at = $2
                 WHERE token_hash = $1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $2
                 RETURNING *",
            )
            .bind(token_hash)
            .bind(Instant(now));
            let used = rows::optional::<InvitationRow>(used, &mut *transaction).await?;
            let invitation = used.ok_or(Error::NotFound("the invitation"))?;
            if let Joining::Known(person) = acceptance.person {
                ensure_invited(&mut transaction, &invitation, person).await?;
            }
            let mut new = acceptance.member(&invitation, now);
            new.member.name = kept(new.member.name);
            members::insert(&mut transaction, &new).await?;
            sqlx::query("DELETE FROM proofs WHERE subject = $1")
                .bind(Id(invitation.id))
                .execute(&mut *transaction)
                .await?;
            record(&mut transaction, action).await?;
            transaction.commit(new.member).await
        })
        .await
    }

    async fn purge_invitations(&self, before: DateTime<Utc>) -> Result<u64> {
        Ok(self
            .execute(|| {
                sqlx::query("DELETE FROM invitations WHERE coalesce(used_at, withdrawn_at, expires_at) < $1")
                    .bind(Instant(before))
            })
            .await?)
    }
}

/// An error unless the person has proved the address that is invited. The person is held, so that they are not forgotten meanwhile.
async fn ensure_invited(connection: &mut Connection, invitation: &Invitation, person: PersonId) -> Tried<()> {
    let found = sqlx::query(held!(
        "SELECT 1 FROM people WHERE id = $1 AND email = $2 AND proved_at IS NOT NULL",
        "FOR UPDATE"
    ))
    .bind(Id(person))
    .bind(&invitation.email)
    .fetch_optional(connection)
    .await?;
    if found.is_some() { Ok(()) } else { Err(Error::NotFound("the invitation").into()) }
}
