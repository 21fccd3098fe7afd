//! Organisations and the people in them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{MemberId, OrganisationId},
    run::Role,
};
use sqlx::SqliteConnection;
use store::{Action, Colleague, Error, Member, Members, NewMember, Organisation, Organisations, Result};

use crate::{
    actions::record,
    columns::{Place, instant},
    error::{missing, translate},
    people,
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

/// A member's row, as `member_columns!` lists it.
#[derive(sqlx::FromRow)]
pub(crate) struct MemberRow {
    id: String,
    person_id: String,
    organisation_id: String,
    email: String,
    address_proved_at: Option<String>,
    name: String,
    role: String,
    created_at: String,
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
            id: place.word("id", &row.id)?,
            person_id: place.word("person_id", &row.person_id)?,
            organisation_id: place.word("organisation_id", &row.organisation_id)?,
            proved_at: place.optional_time("proved_at", row.address_proved_at.as_deref())?,
            role: place.word("role", &row.role)?,
            created_at: place.time("created_at", &row.created_at)?,
            email: row.email,
            name: row.name,
        })
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

    async fn list_members(&self, organisation: OrganisationId) -> Result<Vec<Colleague>> {
        sqlx::query_as::<_, ColleagueRow>(concat!(
            "SELECT ",
            member_columns!(),
            ", f.confirmed_at IS NOT NULL AS has_second_factor
               FROM members m JOIN people p ON p.id = m.person_id LEFT JOIN second_factors f ON f.person_id = p.id
              WHERE m.organisation_id = ?1 ORDER BY m.created_at, m.id"
        ))
        .bind(organisation.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?
        .into_iter()
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
        let person: Option<Option<String>> = sqlx::query_scalar(
            "SELECT person_id FROM members WHERE organisation_id = ?1 AND id = ?2 AND removed_at IS NULL",
        )
        .bind(organisation.to_string())
        .bind(member.to_string())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(translate)?;
        let person = person.flatten().ok_or(Error::NotFound("the member"))?;
        withdraw_invitations_of(&mut transaction, member, now).await?;
        for statement in [
            "DELETE FROM sessions WHERE member_id = ?1",
            "DELETE FROM pending_sign_ins WHERE member_id = ?1",
            "DELETE FROM alert_deliveries WHERE channel_id IN (SELECT id FROM alert_channels WHERE member_id = ?1)",
            "DELETE FROM alert_channels WHERE member_id = ?1",
        ] {
            let of_member = sqlx::query(statement).bind(member.to_string());
            of_member.execute(&mut *transaction).await.map_err(translate)?;
        }
        sqlx::query(
            "UPDATE members
                SET removed_at = ?2, former_email = (SELECT email FROM people WHERE id = members.person_id), person_id = NULL
              WHERE id = ?1",
        )
        .bind(member.to_string())
        .bind(instant(now))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        people::forget_without_membership(&mut transaction, &person).await?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)
    }
}

/// Adds a member, and their person where it is new.
pub(crate) async fn insert(connection: &mut SqliteConnection, new: &NewMember) -> Result<()> {
    let NewMember { member, password_hash } = new;
    let (person, organisation) = (member.person_id.to_string(), member.organisation_id.to_string());
    let email = member.email.to_lowercase();
    if has_member(connection, &organisation, &email).await? {
        return Err(Error::Conflict("the e-mail address"));
    }
    sqlx::query(
        "INSERT INTO people (id, email, password_hash, proved_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(&person)
    .bind(&email)
    .bind(password_hash)
    .bind(member.proved_at.map(instant))
    .bind(instant(member.created_at))
    .execute(&mut *connection)
    .await
    .map_err(translate)?;
    sqlx::query(
        "INSERT INTO members (id, organisation_id, person_id, name, role, created_at, chosen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
    )
    .bind(member.id.to_string())
    .bind(&organisation)
    .bind(&person)
    .bind(&member.name)
    .bind(member.role.as_str())
    .bind(instant(member.created_at))
    .execute(connection)
    .await
    .map_err(missing("the organisation"))?;
    Ok(())
}

/// Whether a member of the organisation has this address, lower-cased.
pub(crate) async fn has_member(
    connection: &mut SqliteConnection,
    organisation: &str,
    email: &str,
) -> Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM people p JOIN members m ON m.person_id = p.id
                         WHERE p.email = ?2 AND m.organisation_id = ?1)",
    )
    .bind(organisation)
    .bind(email)
    .fetch_one(connection)
    .await
    .map_err(translate)
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
