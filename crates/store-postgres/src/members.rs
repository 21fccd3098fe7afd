//! Organisations and the people in them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{MemberId, OrganisationId, SessionId},
    run::Role,
};
use sqlx::{FromRow, PgConnection};
use store::{Action, Colleague, Error, Member, Members, NewMember, Organisation, Organisations, Result};
use uuid::Uuid;

use crate::{
    PostgresStore,
    actions::record,
    error::{Place, Tried, clean, ensure_affected, repeating, translate},
};

#[async_trait]
impl Organisations for PostgresStore {
    async fn create_organisation(&self, organisation: &Organisation) -> Result<()> {
        repeating(move || async move {
            sqlx::query("INSERT INTO organisations (id, name, created_at) VALUES ($1, $2, $3)")
                .bind(organisation.id.0)
                .bind(clean(&organisation.name))
                .bind(organisation.created_at)
                .execute(&self.pool)
                .await?;
            Ok(())
        })
        .await
    }

    async fn list_organisations(&self) -> Result<Vec<Organisation>> {
        let rows: Vec<(Uuid, String, DateTime<Utc>)> =
            sqlx::query_as("SELECT id, name, created_at FROM organisations ORDER BY created_at, id")
                .fetch_all(&self.pool)
                .await
                .map_err(translate)?;
        Ok(rows
            .into_iter()
            .map(|(id, name, created_at)| Organisation { id: OrganisationId(id), name, created_at })
            .collect())
    }
}

/// A member's row, as `member_columns!` lists it.
#[derive(FromRow)]
pub(crate) struct MemberRow {
    id: Uuid,
    organisation_id: Uuid,
    email: String,
    name: String,
    role: String,
    created_at: DateTime<Utc>,
}

/// The columns of [`MemberRow`], from `members m`.
macro_rules! member_columns {
    () => {
        "m.id, m.organisation_id, m.email, m.name, m.role, m.created_at"
    };
}
pub(crate) use member_columns;

impl TryFrom<MemberRow> for Member {
    type Error = Error;

    fn try_from(row: MemberRow) -> Result<Self> {
        let place = Place { table: "members", row: &row.id };
        Ok(Self {
            id: MemberId(row.id),
            organisation_id: OrganisationId(row.organisation_id),
            role: place.word("role", &row.role)?,
            email: row.email,
            name: row.name,
            created_at: row.created_at,
        })
    }
}

#[derive(FromRow)]
struct SignInRow {
    #[sqlx(flatten)]
    member: MemberRow,
    password_hash: String,
}

#[derive(FromRow)]
struct ColleagueRow {
    #[sqlx(flatten)]
    member: MemberRow,
    has_second_factor: bool,
}

#[async_trait]
impl Members for PostgresStore {
    async fn create_member(&self, new: &NewMember, action: Option<&Action>) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            insert(&mut transaction, new).await?;
            record(&mut transaction, action).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn member_by_email(&self, email: &str) -> Result<Option<NewMember>> {
        let row: Option<SignInRow> = sqlx::query_as(concat!(
            "SELECT ",
            member_columns!(),
            ", m.password_hash FROM members m WHERE m.email = $1 AND m.removed_at IS NULL"
        ))
        .bind(clean(email).to_lowercase())
        .fetch_optional(&self.pool)
        .await
        .map_err(translate)?;
        row.map(|row| Ok(NewMember { member: row.member.try_into()?, password_hash: row.password_hash }))
            .transpose()
    }

    async fn list_members(&self, organisation: OrganisationId) -> Result<Vec<Colleague>> {
        let rows: Vec<ColleagueRow> = sqlx::query_as(concat!(
            "SELECT ",
            member_columns!(),
            ", f.confirmed_at IS NOT NULL AS has_second_factor
               FROM members m LEFT JOIN second_factors f ON f.member_id = m.id
              WHERE m.organisation_id = $1 AND m.removed_at IS NULL ORDER BY m.created_at, m.id"
        ))
        .bind(organisation.0)
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        rows.into_iter()
            .map(|row| {
                let has_second_factor = row.has_second_factor;
                Ok(Colleague { member: row.member.try_into()?, has_second_factor })
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
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            if role != Role::Owner {
                ensure_other_owner(&mut transaction, organisation, member).await?;
            }
            let changed = sqlx::query(
                "UPDATE members SET role = $3 WHERE organisation_id = $1 AND id = $2 AND removed_at IS NULL",
            )
            .bind(organisation.0)
            .bind(member.0)
            .bind(role.as_str())
            .execute(&mut *transaction)
            .await?;
            if changed.rows_affected() == 0 {
                return Err(Error::NotFound("the member").into());
            }
            if role != Role::Owner {
                withdraw_invitations_of(&mut transaction, member, now).await?;
            }
            record(&mut transaction, action).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn remove_member(
        &self,
        organisation: OrganisationId,
        member: MemberId,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            ensure_other_owner(&mut transaction, organisation, member).await?;
            let removed = sqlx::query(
                "UPDATE members SET removed_at = $3, former_email = email, email = 'removed:' || id
                 WHERE organisation_id = $1 AND id = $2 AND removed_at IS NULL",
            )
            .bind(organisation.0)
            .bind(member.0)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
            if removed.rows_affected() == 0 {
                return Err(Error::NotFound("the member").into());
            }
            withdraw_invitations_of(&mut transaction, member, now).await?;
            for statement in [
                "DELETE FROM sessions WHERE member_id = $1",
                "DELETE FROM pending_sign_ins WHERE member_id = $1",
                "DELETE FROM recovery_codes WHERE member_id = $1",
                "DELETE FROM second_factors WHERE member_id = $1",
                "SELECT 1 FROM alert_channels WHERE member_id = $1 FOR UPDATE",
                "DELETE FROM alert_deliveries WHERE channel_id IN (SELECT id FROM alert_channels WHERE member_id = $1)",
                "DELETE FROM alert_channels WHERE member_id = $1",
            ] {
                sqlx::query(statement).bind(member.0).execute(&mut *transaction).await?;
            }
            record(&mut transaction, action).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn set_password(
        &self,
        member: MemberId,
        password_hash: &str,
        keep: Option<SessionId>,
        action: Option<&Action>,
    ) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let set =
                sqlx::query("UPDATE members SET password_hash = $2 WHERE id = $1 AND removed_at IS NULL")
                    .bind(member.0)
                    .bind(password_hash)
                    .execute(&mut *transaction)
                    .await?;
            ensure_affected(&set, 1)?;
            end_other_sessions(&mut transaction, member, keep).await?;
            record(&mut transaction, action).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }
}

/// Ends a member's sessions but one, and their sign-ins that wait for a code.
pub(crate) async fn end_other_sessions(
    connection: &mut PgConnection,
    member: MemberId,
    keep: Option<SessionId>,
) -> Tried<()> {
    sqlx::query("DELETE FROM sessions WHERE member_id = $1 AND id IS DISTINCT FROM $2")
        .bind(member.0)
        .bind(keep.map(|session| session.0))
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM pending_sign_ins WHERE member_id = $1")
        .bind(member.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Adds a member.
pub(crate) async fn insert(connection: &mut PgConnection, new: &NewMember) -> Tried<()> {
    let member = &new.member;
    sqlx::query(
        "INSERT INTO members (id, organisation_id, email, name, role, password_hash, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(member.id.0)
    .bind(member.organisation_id.0)
    .bind(member.email.to_lowercase())
    .bind(clean(&member.name))
    .bind(member.role.as_str())
    .bind(&new.password_hash)
    .bind(member.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// An error when this member is the organisation's only owner. The organisation is held, so that of two who demote each other at
/// once the second sees the first.
async fn ensure_other_owner(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    member: MemberId,
) -> Tried<()> {
    sqlx::query("SELECT 1 FROM organisations WHERE id = $1 FOR NO KEY UPDATE")
        .bind(organisation.0)
        .execute(&mut *connection)
        .await?;
    let owners: Vec<Uuid> = sqlx::query_scalar(
        "SELECT id FROM members WHERE organisation_id = $1 AND role = 'owner' AND removed_at IS NULL",
    )
    .bind(organisation.0)
    .fetch_all(connection)
    .await?;
    if owners == [member.0] { Err(Error::LastOwner.into()) } else { Ok(()) }
}

/// Who may not invite any more might still hold the links they made.
async fn withdraw_invitations_of(
    connection: &mut PgConnection,
    member: MemberId,
    now: DateTime<Utc>,
) -> Tried<()> {
    sqlx::query(
        "UPDATE invitations SET withdrawn_at = $2 WHERE invited_by = $1 AND used_at IS NULL AND withdrawn_at IS NULL",
    )
    .bind(member.0)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
