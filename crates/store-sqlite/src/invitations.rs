//! Invitations into an organisation.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{InvitationId, OrganisationId, PersonId};
use sqlx::SqliteConnection;
use store::{Acceptance, Action, Error, Invitation, Invitations, Joining, Member, Result};

use crate::{
    actions::record,
    columns::{Place, instant},
    error::{missing, translate},
    members,
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct InvitationRow {
    id: String,
    organisation_id: String,
    email: String,
    role: String,
    invited_by: String,
    created_at: String,
    expires_at: String,
}

impl TryFrom<InvitationRow> for Invitation {
    type Error = Error;

    fn try_from(row: InvitationRow) -> Result<Self> {
        let place = Place { table: "invitations", row: &row.id };
        Ok(Self {
            id: place.word("id", &row.id)?,
            organisation_id: place.word("organisation_id", &row.organisation_id)?,
            role: place.word("role", &row.role)?,
            invited_by: place.word("invited_by", &row.invited_by)?,
            created_at: place.time("created_at", &row.created_at)?,
            expires_at: place.time("expires_at", &row.expires_at)?,
            email: row.email,
        })
    }
}

#[derive(sqlx::FromRow)]
struct NamedRow {
    #[sqlx(flatten)]
    invitation: InvitationRow,
    organisation: String,
}

#[async_trait]
impl Invitations for SqliteStore {
    async fn create_invitation(
        &self,
        invitation: &Invitation,
        token_hash: &str,
        action: Option<&Action>,
    ) -> Result<()> {
        let organisation = invitation.organisation_id.to_string();
        let (email, now) = (invitation.email.to_lowercase(), instant(invitation.created_at));
        let mut transaction = self.writer.begin().await?;
        if members::has_member(&mut transaction, &organisation, &email).await? {
            return Err(Error::Conflict("the e-mail address"));
        }
        sqlx::query(
            "UPDATE invitations SET withdrawn_at = ?3
              WHERE organisation_id = ?1 AND email = ?2 AND used_at IS NULL AND withdrawn_at IS NULL",
        )
        .bind(&organisation)
        .bind(&email)
        .bind(&now)
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        sqlx::query(
            "INSERT INTO invitations (id, organisation_id, email, role, invited_by, token_hash, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .bind(invitation.id.to_string())
        .bind(&organisation)
        .bind(&email)
        .bind(invitation.role.as_str())
        .bind(invitation.invited_by.to_string())
        .bind(token_hash)
        .bind(&now)
        .bind(instant(invitation.expires_at))
        .execute(&mut *transaction)
        .await
        .map_err(missing("the organisation or the member"))?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn list_invitations(
        &self,
        organisation: OrganisationId,
        now: DateTime<Utc>,
    ) -> Result<Vec<Invitation>> {
        sqlx::query_as::<_, InvitationRow>(
            "SELECT * FROM invitations
              WHERE organisation_id = ?1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > ?2
              ORDER BY created_at, id",
        )
        .bind(organisation.to_string())
        .bind(instant(now))
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?
        .into_iter()
        .map(Invitation::try_from)
        .collect()
    }

    async fn invitation_by_token(
        &self,
        token_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<(Invitation, String)>> {
        let row = sqlx::query_as::<_, NamedRow>(
            "SELECT i.*, o.name AS organisation FROM invitations i JOIN organisations o ON o.id = i.organisation_id
              WHERE i.token_hash = ?1 AND i.used_at IS NULL AND i.withdrawn_at IS NULL AND i.expires_at > ?2",
        )
        .bind(token_hash)
        .bind(instant(now))
        .fetch_optional(&self.readers)
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
        let mut transaction = self.writer.begin().await?;
        let withdrawn = sqlx::query(
            "UPDATE invitations SET withdrawn_at = ?3
              WHERE organisation_id = ?1 AND id = ?2 AND used_at IS NULL AND withdrawn_at IS NULL",
        )
        .bind(organisation.to_string())
        .bind(invitation.to_string())
        .bind(instant(now))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        if withdrawn.rows_affected() == 0 {
            return Err(Error::NotFound("the invitation"));
        }
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn accept_invitation(
        &self,
        token_hash: &str,
        acceptance: &Acceptance,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<Member> {
        let mut transaction = self.writer.begin().await?;
        let used = sqlx::query_as::<_, InvitationRow>(
            "UPDATE invitations SET used_at = ?2
              WHERE token_hash = ?1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > ?2
             RETURNING *",
        )
        .bind(token_hash)
        .bind(instant(now))
        .fetch_optional(&mut *transaction)
        .await
        .map_err(translate)?;
        let invitation = Invitation::try_from(used.ok_or(Error::NotFound("the invitation"))?)?;
        if let Joining::Known(person) = acceptance.person {
            ensure_invited(&mut transaction, &invitation, person).await?;
        }
        let new = acceptance.member(&invitation, now);
        members::insert(&mut transaction, &new).await?;
        sqlx::query("DELETE FROM proofs WHERE subject = ?1")
            .bind(invitation.id.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(translate)?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)?;
        Ok(new.member)
    }

    async fn purge_invitations(&self, before: DateTime<Utc>) -> Result<u64> {
        let purged =
            sqlx::query("DELETE FROM invitations WHERE coalesce(used_at, withdrawn_at, expires_at) < ?1")
                .bind(instant(before))
                .execute(self.writer.pool())
                .await
                .map_err(translate)?;
        Ok(purged.rows_affected())
    }
}

/// An error unless the person has proved the address that is invited.
async fn ensure_invited(
    connection: &mut SqliteConnection,
    invitation: &Invitation,
    person: PersonId,
) -> Result<()> {
    let is_invited: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM people WHERE id = ?1 AND email = ?2 AND proved_at IS NOT NULL)",
    )
    .bind(person.to_string())
    .bind(&invitation.email)
    .fetch_one(connection)
    .await
    .map_err(translate)?;
    if is_invited { Ok(()) } else { Err(Error::NotFound("the invitation")) }
}
