//! Organisations and the people in them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{MemberId, OrganisationId, SessionId},
    run::Role,
};
use sqlx::SqliteConnection;
use store::{Action, Colleague, Error, Member, Members, NewMember, Organisation, Organisations, Result};

use crate::{
    actions::record,
    columns::{Place, instant},
    error::{ensure_affected, missing, translate},
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct OrganisationRow {
    id: String,
    name: String,
    created_at: String,
}

impl TryFrom<OrganisationRow> for Organisation {
    type Error = Error;

    fn try_from(row: OrganisationRow) -> Result<Self> {
        let place = Place { table: "organisations", row: &row.id };
        let (id, created_at) = (place.word("id", &row.id)?, place.time("created_at", &row.created_at)?);
        Ok(Self { id, name: row.name, created_at })
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct MemberRow {
    id: String,
    organisation_id: String,
    email: String,
    name: String,
    role: String,
    password_hash: String,
    created_at: String,
}

impl TryFrom<MemberRow> for NewMember {
    type Error = Error;

    fn try_from(row: MemberRow) -> Result<Self> {
        let place = Place { table: "members", row: &row.id };
        let member = Member {
            id: place.word("id", &row.id)?,
            organisation_id: place.word("organisation_id", &row.organisation_id)?,
            role: place.word("role", &row.role)?,
            created_at: place.time("created_at", &row.created_at)?,
            email: row.email,
            name: row.name,
        };
        Ok(Self { member, password_hash: row.password_hash })
    }
}

#[derive(sqlx::FromRow)]
struct ColleagueRow {
    #[sqlx(flatten)]
    member: MemberRow,
    has_second_factor: bool,
}

#[async_trait]
impl Organisations for SqliteStore {
    async fn create_organisation(&self, organisation: &Organisation) -> Result<()> {
        sqlx::query("INSERT INTO organisations (id, name, created_at) VALUES (?1, ?2, ?3)")
            .bind(organisation.id.to_string())
            .bind(&organisation.name)
            .bind(instant(organisation.created_at))
            .execute(self.writer.pool())
            .await
            .map_err(translate)?;
        Ok(())
    }

    async fn list_organisations(&self) -> Result<Vec<Organisation>> {
        sqlx::query_as::<_, OrganisationRow>(
            "SELECT id, name, created_at FROM organisations ORDER BY created_at, id",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?
        .into_iter()
        .map(Organisation::try_from)
        .collect()
    }
}

#[async_trait]
impl Members for SqliteStore {
    async fn create_member(&self, new: &NewMember, action: Option<&Action>) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        insert(&mut transaction, new).await?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn member_by_email(&self, email: &str) -> Result<Option<NewMember>> {
        sqlx::query_as::<_, MemberRow>("SELECT * FROM members WHERE email = ?1 AND removed_at IS NULL")
            .bind(email.to_lowercase())
            .fetch_optional(&self.readers)
            .await
            .map_err(translate)?
            .map(NewMember::try_from)
            .transpose()
    }

    async fn list_members(&self, organisation: OrganisationId) -> Result<Vec<Colleague>> {
        sqlx::query_as::<_, ColleagueRow>(
            "SELECT m.*, f.confirmed_at IS NOT NULL AS has_second_factor
               FROM members m LEFT JOIN second_factors f ON f.member_id = m.id
              WHERE m.organisation_id = ?1 AND m.removed_at IS NULL ORDER BY m.created_at, m.id",
        )
        .bind(organisation.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?
        .into_iter()
        .map(|row| {
            let member = NewMember::try_from(row.member)?.member;
            Ok(Colleague { member, has_second_factor: row.has_second_factor })
        })
        .collect()
    }

    async fn set_role(
        &self,
        organisation: OrganisationId,
        member: MemberId,
        role: Role,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        if role != Role::Owner {
            ensure_other_owner(&mut transaction, organisation, member).await?;
        }
        let changed = sqlx::query(
            "UPDATE members SET role = ?3 WHERE organisation_id = ?1 AND id = ?2 AND removed_at IS NULL",
        )
        .bind(organisation.to_string())
        .bind(member.to_string())
        .bind(role.as_str())
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        if changed.rows_affected() == 0 {
            return Err(Error::NotFound("the member"));
        }
        if role != Role::Owner {
            withdraw_invitations_of(&mut transaction, member, now).await?;
        }
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn remove_member(
        &self,
        organisation: OrganisationId,
        member: MemberId,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        ensure_other_owner(&mut transaction, organisation, member).await?;
        let removed = sqlx::query(
            "UPDATE members SET removed_at = ?3, former_email = email, email = 'removed:' || id
              WHERE organisation_id = ?1 AND id = ?2 AND removed_at IS NULL",
        )
        .bind(organisation.to_string())
        .bind(member.to_string())
        .bind(instant(now))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        if removed.rows_affected() == 0 {
            return Err(Error::NotFound("the member"));
        }
        withdraw_invitations_of(&mut transaction, member, now).await?;
        for statement in [
            "DELETE FROM sessions WHERE member_id = ?1",
            "DELETE FROM pending_sign_ins WHERE member_id = ?1",
            "DELETE FROM recovery_codes WHERE member_id = ?1",
            "DELETE FROM second_factors WHERE member_id = ?1",
            "DELETE FROM alert_deliveries WHERE channel_id IN (SELECT id FROM alert_channels WHERE member_id = ?1)",
            "DELETE FROM alert_channels WHERE member_id = ?1",
        ] {
            let of_member = sqlx::query(statement).bind(member.to_string());
            of_member.execute(&mut *transaction).await.map_err(translate)?;
        }
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn set_password(
        &self,
        member: MemberId,
        password_hash: &str,
        keep: Option<SessionId>,
        action: Option<&Action>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let set = sqlx::query("UPDATE members SET password_hash = ?2 WHERE id = ?1 AND removed_at IS NULL")
            .bind(member.to_string())
            .bind(password_hash)
            .execute(&mut *transaction)
            .await
            .map_err(translate)?;
        ensure_affected(&set, 1)?;
        end_other_sessions(&mut transaction, member, keep).await?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)
    }
}

/// Ends a member's sessions but one, and their sign-ins that wait for a code.
pub(crate) async fn end_other_sessions(
    connection: &mut SqliteConnection,
    member: MemberId,
    keep: Option<SessionId>,
) -> Result<()> {
    sqlx::query("DELETE FROM sessions WHERE member_id = ?1 AND id IS NOT ?2")
        .bind(member.to_string())
        .bind(keep.map(|session| session.to_string()))
        .execute(&mut *connection)
        .await
        .map_err(translate)?;
    sqlx::query("DELETE FROM pending_sign_ins WHERE member_id = ?1")
        .bind(member.to_string())
        .execute(connection)
        .await
        .map_err(translate)?;
    Ok(())
}

/// Adds a member.
pub(crate) async fn insert(connection: &mut SqliteConnection, new: &NewMember) -> Result<()> {
    let NewMember { member, password_hash } = new;
    sqlx::query(
        "INSERT INTO members (id, organisation_id, email, name, role, password_hash, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(member.id.to_string())
    .bind(member.organisation_id.to_string())
    .bind(member.email.to_lowercase())
    .bind(&member.name)
    .bind(member.role.as_str())
    .bind(password_hash)
    .bind(instant(member.created_at))
    .execute(connection)
    .await
    .map_err(missing("the organisation"))?;
    Ok(())
}

/// An error when this member is the organisation's only owner. The transaction holds the right to write, so nobody else is
/// demoted meanwhile.
async fn ensure_other_owner(
    connection: &mut SqliteConnection,
    organisation: OrganisationId,
    member: MemberId,
) -> Result<()> {
    let is_last: bool = sqlx::query_scalar(
        "SELECT count(*) = 1 AND coalesce(max(id), '') = ?2 FROM members
          WHERE organisation_id = ?1 AND role = 'owner' AND removed_at IS NULL",
    )
    .bind(organisation.to_string())
    .bind(member.to_string())
    .fetch_one(connection)
    .await
    .map_err(translate)?;
    if is_last { Err(Error::LastOwner) } else { Ok(()) }
}

/// Who may not invite any more might still hold the links they made.
async fn withdraw_invitations_of(
    connection: &mut SqliteConnection,
    member: MemberId,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "UPDATE invitations SET withdrawn_at = ?2 WHERE invited_by = ?1 AND used_at IS NULL AND withdrawn_at IS NULL",
    )
    .bind(member.to_string())
    .bind(instant(now))
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}
