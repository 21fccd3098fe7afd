//! Organisations and the people in them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{MemberId, OrganisationId, PersonId},
    run::Role,
};
use sqlx::{FromRow, PgConnection};
use store::{Action, Colleague, Error, Member, Members, NewMember, Organisation, Organisations, Result};
use uuid::Uuid;

use crate::{
    PostgresStore,
    actions::record,
    error::{Place, Tried, clean, repeating, translate},
    people,
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
    person_id: Uuid,
    organisation_id: Uuid,
    email: String,
    address_proved_at: Option<DateTime<Utc>>,
    name: String,
    role: String,
    created_at: DateTime<Utc>,
}

/// The columns of [`MemberRow`], from `members m` and `people p`. Who was removed is no person there.
macro_rules! member_columns {
    () => {
        "m.id, m.person_id, m.organisation_id, p.email, p.proved_at AS address_proved_at, m.name, m.role, m.created_at"
    };
}
pub(crate) use member_columns;

impl TryFrom<MemberRow> for Member {
    type Error = Error;

    fn try_from(row: MemberRow) -> Result<Self> {
        let place = Place { table: "members", row: &row.id };
        Ok(Self {
            id: MemberId(row.id),
            person_id: PersonId(row.person_id),
            proved_at: row.address_proved_at,
            organisation_id: OrganisationId(row.organisation_id),
            role: place.word("role", &row.role)?,
            email: row.email,
            name: row.name,
            created_at: row.created_at,
        })
    }
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

    async fn list_members(&self, organisation: OrganisationId) -> Result<Vec<Colleague>> {
        let rows: Vec<ColleagueRow> = sqlx::query_as(concat!(
            "SELECT ",
            member_columns!(),
            ", f.confirmed_at IS NOT NULL AS has_second_factor
               FROM members m JOIN people p ON p.id = m.person_id LEFT JOIN second_factors f ON f.person_id = p.id
              WHERE m.organisation_id = $1 ORDER BY m.created_at, m.id"
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
            let person: Option<Option<Uuid>> = sqlx::query_scalar(
                "SELECT person_id FROM members WHERE organisation_id = $1 AND id = $2 AND removed_at IS NULL FOR UPDATE",
            )
            .bind(organisation.0)
            .bind(member.0)
            .fetch_optional(&mut *transaction)
            .await?;
            let person = person.flatten().ok_or(Error::NotFound("the member"))?;
            people::hold(&mut transaction, PersonId(person)).await?;
            withdraw_invitations_of(&mut transaction, member, now).await?;
            for statement in [
                "DELETE FROM sessions WHERE member_id = $1",
                "DELETE FROM pending_sign_ins WHERE member_id = $1",
                "SELECT 1 FROM alert_channels WHERE member_id = $1 FOR UPDATE",
                "DELETE FROM alert_deliveries WHERE channel_id IN (SELECT id FROM alert_channels WHERE member_id = $1)",
                "DELETE FROM alert_channels WHERE member_id = $1",
            ] {
                sqlx::query(statement).bind(member.0).execute(&mut *transaction).await?;
            }
            sqlx::query(
                "UPDATE members
                 SET removed_at = $2, former_email = (SELECT email FROM people WHERE id = members.person_id), person_id = NULL
                 WHERE id = $1",
            )
            .bind(member.0)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
            people::forget_without_membership(&mut transaction, PersonId(person)).await?;
            record(&mut transaction, action).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }
}

/// Adds a member, and their person where it is new. The organisation is held, so that of two members with one address who are added
/// at once the second sees the first.
pub(crate) async fn insert(connection: &mut PgConnection, new: &NewMember) -> Tried<()> {
    let member = &new.member;
    let email = clean(&member.email).to_lowercase();
    hold(connection, member.organisation_id).await?;
    if has_member(connection, member.organisation_id, &email).await? {
        return Err(Error::Conflict("the e-mail address").into());
    }
    sqlx::query(
        "INSERT INTO people (id, email, password_hash, proved_at, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(member.person_id.0)
    .bind(&email)
    .bind(&new.password_hash)
    .bind(member.proved_at)
    .bind(member.created_at)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO members (id, organisation_id, person_id, name, role, created_at, chosen_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(member.id.0)
    .bind(member.organisation_id.0)
    .bind(member.person_id.0)
    .bind(clean(&member.name))
    .bind(member.role.as_str())
    .bind(member.created_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether a member of the organisation has this address, lower-cased.
pub(crate) async fn has_member(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    email: &str,
) -> Tried<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM people p JOIN members m ON m.person_id = p.id
                         WHERE p.email = $2 AND m.organisation_id = $1)",
    )
    .bind(organisation.0)
    .bind(email)
    .fetch_one(connection)
    .await?)
}

/// Holds an organisation: who changes its people next waits.
async fn hold(connection: &mut PgConnection, organisation: OrganisationId) -> Tried<()> {
    sqlx::query("SELECT 1 FROM organisations WHERE id = $1 FOR NO KEY UPDATE")
        .bind(organisation.0)
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
    hold(connection, organisation).await?;
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
