//! Invitations into an organisation.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{InvitationId, MemberId, OrganisationId, PersonId};
use sqlx::{FromRow, PgConnection};
use store::{Acceptance, Action, Error, Invitation, Invitations, Joining, Member, Result};
use uuid::Uuid;

use crate::{
    PostgresStore,
    actions::record,
    error::{Place, Tried, clean, repeating, translate},
    members,
};

#[derive(FromRow)]
struct InvitationRow {
    id: Uuid,
    organisation_id: Uuid,
    email: String,
    role: String,
    invited_by: Uuid,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl TryFrom<InvitationRow> for Invitation {
    type Error = Error;

    fn try_from(row: InvitationRow) -> Result<Self> {
        let place = Place { table: "invitations", row: &row.id };
        Ok(Self {
            id: InvitationId(row.id),
            organisation_id: OrganisationId(row.organisation_id),
            role: place.word("role", &row.role)?,
            invited_by: MemberId(row.invited_by),
            email: row.email,
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
    }
}

#[derive(FromRow)]
struct NamedRow {
    #[sqlx(flatten)]
    invitation: InvitationRow,
    organisation: String,
}

#[async_trait]
impl Invitations for PostgresStore {
    async fn create_invitation(
        &self,
        invitation: &Invitation,
        token_hash: &str,
        action: Option<&Action>,
    ) -> Result<()> {
        let email = &*clean(&invitation.email).to_lowercase();
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            if members::has_member(&mut transaction, invitation.organisation_id, email).await? {
                return Err(Error::Conflict("the e-mail address").into());
            }
            sqlx::query(
                "UPDATE invitations SET withdrawn_at = $3
                 WHERE organisation_id = $1 AND email = $2 AND used_at IS NULL AND withdrawn_at IS NULL",
            )
            .bind(invitation.organisation_id.0)
            .bind(email)
            .bind(invitation.created_at)
            .execute(&mut *transaction)
            .await?;
            sqlx::query(
                "INSERT INTO invitations (id, organisation_id, email, role, invited_by, token_hash, created_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(invitation.id.0)
            .bind(invitation.organisation_id.0)
            .bind(email)
            .bind(invitation.role.as_str())
            .bind(invitation.invited_by.0)
            .bind(token_hash)
            .bind(invitation.created_at)
            .bind(invitation.expires_at)
            .execute(&mut *transaction)
            .await?;
            record(&mut transaction, action).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn list_invitations(
        &self,
        organisation: OrganisationId,
        now: DateTime<Utc>,
    ) -> Result<Vec<Invitation>> {
        let rows: Vec<InvitationRow> = sqlx::query_as(
            "SELECT * FROM invitations
             WHERE organisation_id = $1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $2
             ORDER BY created_at, id",
        )
        .bind(organisation.0)
        .bind(now)
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        rows.into_iter().map(Invitation::try_from).collect()
    }

    async fn invitation_by_token(
        &self,
        token_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<(Invitation, String)>> {
        let row: Option<NamedRow> = sqlx::query_as(
            "SELECT i.*, o.name AS organisation FROM invitations i JOIN organisations o ON o.id = i.organisation_id
             WHERE i.token_hash = $1 AND i.used_at IS NULL AND i.withdrawn_at IS NULL AND i.expires_at > $2",
        )
        .bind(token_hash)
        .bind(now)
        .fetch_optional(&self.pool)
        .await
        .map_err(translate)?;
        row.map(|row| Ok((row.invitation.try_into()?, row.organisation))).transpose()
    }

    async fn withdraw_invitation(
        &self,
        organisation: OrganisationId,
        invitation: InvitationId,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let withdrawn = sqlx::query(
                "UPDATE invitations SET withdrawn_at = $3
                 WHERE organisation_id = $1 AND id = $2 AND used_at IS NULL AND withdrawn_at IS NULL",
            )
            .bind(organisation.0)
            .bind(invitation.0)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
            if withdrawn.rows_affected() == 0 {
                return Err(Error::NotFound("the invitation").into());
            }
            record(&mut transaction, action).await?;
            transaction.commit().await?;
            Ok(())
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
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let used: Option<InvitationRow> = sqlx::query_as(
                "UPDATE invitations SET used_at = $2
                 WHERE token_hash = $1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $2
                 RETURNING *",
            )
            .bind(token_hash)
            .bind(now)
            .fetch_optional(&mut *transaction)
            .await?;
            let invitation = Invitation::try_from(used.ok_or(Error::NotFound("the invitation"))?)?;
            if let Joining::Known(person) = acceptance.person {
                ensure_invited(&mut transaction, &invitation, person).await?;
            }
            let mut new = acceptance.member(&invitation, now);
            new.member.name = clean(&new.member.name);
            members::insert(&mut transaction, &new).await?;
            sqlx::query("DELETE FROM proofs WHERE subject = $1")
                .bind(invitation.id.0)
                .execute(&mut *transaction)
                .await?;
            record(&mut transaction, action).await?;
            transaction.commit().await?;
            Ok(new.member)
        })
        .await
    }

    async fn purge_invitations(&self, before: DateTime<Utc>) -> Result<u64> {
        repeating(move || async move {
            let purged =
                sqlx::query("DELETE FROM invitations WHERE coalesce(used_at, withdrawn_at, expires_at) < $1")
                    .bind(before)
                    .execute(&self.pool)
                    .await?;
            Ok(purged.rows_affected())
        })
        .await
    }
}

/// An error unless the person has proved the address that is invited. The person is held, so that they are not forgotten meanwhile.
async fn ensure_invited(
    connection: &mut PgConnection,
    invitation: &Invitation,
    person: PersonId,
) -> Tried<()> {
    let found: Option<i32> = sqlx::query_scalar(
        "SELECT 1 FROM people WHERE id = $1 AND email = $2 AND proved_at IS NOT NULL FOR UPDATE",
    )
    .bind(person.0)
    .bind(&invitation.email)
    .fetch_optional(connection)
    .await?;
    if found.is_some() { Ok(()) } else { Err(Error::NotFound("the invitation").into()) }
}
