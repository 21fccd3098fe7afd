//! Organisations and the people in them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{MemberId, OrganisationId, PersonId},
    run::Role,
};
use store::{Action, Colleague, Error, Members, NewMember, Organisation, Organisations, Result};
use store_sql::{Id, Instant, Text};

use super::{
    Tried,
    audit::record,
    member_rows::{MemberRow, member_columns},
    missing, people,
    rows::{self, Record},
};
use crate::{db::Connection, dialect::held, driver::Driver};

#[derive(sqlx::FromRow)]
struct OrganisationRow {
    id: Id<OrganisationId>,
    name: String,
    created_at: Instant,
}

impl Record for OrganisationRow {
    type Value = Organisation;
    const TABLE: &'static str = "organisations";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Organisation> {
        Ok(Organisation { id: self.id.0, name: self.name, created_at: self.created_at.0 })
    }
}

#[async_trait]
impl Organisations for Driver {
    async fn create_organisation(&self, organisation: &Organisation) -> Result<()> {
        self.execute(|| {
            sqlx::query("INSERT INTO organisations (id, name, created_at) VALUES ($1, $2, $3)")
                .bind(Id(organisation.id))
                .bind(Text(&organisation.name))
                .bind(Instant(organisation.created_at))
        })
        .await?;
        Ok(())
    }

    async fn list_organisations(&self) -> Result<Vec<Organisation>> {
        let found = sqlx::query("SELECT id, name, created_at FROM organisations ORDER BY created_at, id");
        Ok(rows::all::<OrganisationRow>(found, self.reader()).await?)
    }
}

#[derive(sqlx::FromRow)]
struct ColleagueRow {
    #[sqlx(flatten)]
    member: MemberRow,
    has_second_factor: bool,
}

impl Record for ColleagueRow {
    type Value = Colleague;
    const TABLE: &'static str = "members";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Colleague> {
        Ok(Colleague { member: self.member.value()?, has_second_factor: self.has_second_factor })
    }
}

#[async_trait]
impl Members for Driver {
    async fn create_member(&self, new: &NewMember, action: Option<&Action>) -> Result<()> {
        self.write(move |mut transaction| async move {
            insert(&mut transaction, new).await?;
            record(&mut transaction, action).await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn list_members(&self, organisation: OrganisationId) -> Result<Vec<Colleague>> {
        let found = sqlx::query(concat!(
            "SELECT ",
            member_columns!(),
            ", f.confirmed_at IS NOT NULL AS has_second_factor
               FROM members m JOIN people p ON p.id = m.person_id LEFT JOIN second_factors f ON f.person_id = p.id
              WHERE m.organisation_id = $1 ORDER BY m.created_at, m.id"
        ))
        .bind(Id(organisation));
        Ok(rows::all::<ColleagueRow>(found, self.reader()).await?)
    }

    async fn set_role(
        &self,
        organisation: OrganisationId,
        member: MemberId,
        role: Role,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()> {
        self.write(move |mut transaction| async move {
            if role != Role::Owner {
                ensure_other_owner(&mut transaction, organisation, member).await?;
            }
            let changed = sqlx::query(
                "UPDATE members SET role = $3 WHERE organisation_id = $1 AND id = $2 AND removed_at IS NULL",
            )
            .bind(Id(organisation))
            .bind(Id(member))
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
            transaction.commit(()).await
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
        self.write(move |mut transaction| async move {
            ensure_other_owner(&mut transaction, organisation, member).await?;
            let person: Option<Option<Id<PersonId>>> = sqlx::query_scalar(held!(
                "SELECT person_id FROM members WHERE organisation_id = $1 AND id = $2 AND removed_at IS NULL",
                "FOR UPDATE"
            ))
            .bind(Id(organisation))
            .bind(Id(member))
            .fetch_optional(&mut *transaction)
            .await?;
            let Id(person) = person.flatten().ok_or(Error::NotFound("the member"))?;
            people::hold(&mut transaction, person).await?;
            withdraw_invitations_of(&mut transaction, member, now).await?;
            for statement in [
                "DELETE FROM sessions WHERE member_id = $1",
                "DELETE FROM pending_sign_ins WHERE member_id = $1",
                held!("SELECT 1 FROM alert_channels WHERE member_id = $1", "FOR UPDATE"),
                "DELETE FROM alert_deliveries WHERE channel_id IN (SELECT id FROM alert_channels WHERE member_id = $1)",
                "DELETE FROM alert_channels WHERE member_id = $1",
            ] {
                sqlx::query(statement).bind(Id(member)).execute(&mut *transaction).await?;
            }
            sqlx::query(
                "UPDATE members
                 SET removed_at = $2, former_email = (SELECT email FROM people WHERE id = members.person_id), person_id = NULL
                 WHERE id = $1",
            )
            .bind(Id(member))
            .bind(Instant(now))
            .execute(&mut *transaction)
            .await?;
            people::forget_without_membership(&mut transaction, person).await?;
            record(&mut transaction, action).await?;
            transaction.commit(()).await
        })
        .await
    }
}

/// Adds a member, and their person where it is new. The organisation is held, so that of two members with one address who are added
/// at once the second sees the first.
pub(crate) async fn insert(connection: &mut Connection, new: &NewMember) -> Tried<()> {
    let member = &new.member;
    let email = member.email.to_lowercase();
    hold(connection, member.organisation_id).await?;
    if has_member(connection, member.organisation_id, &email).await? {
        return Err(Error::Conflict("the e-mail address").into());
    }
    sqlx::query(
        "INSERT INTO people (id, email, password_hash, proved_at, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(Id(member.person_id))
    .bind(Text(&email))
    .bind(&new.password_hash)
    .bind(member.proved_at.map(Instant))
    .bind(Instant(member.created_at))
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO members (id, organisation_id, person_id, name, role, created_at, chosen_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(Id(member.id))
    .bind(Id(member.organisation_id))
    .bind(Id(member.person_id))
    .bind(Text(&member.name))
    .bind(member.role.as_str())
    .bind(Instant(member.created_at))
    .execute(connection)
    .await
    .map_err(missing("the organisation"))?;
    Ok(())
}

/// Whether a member of the organisation has this address, lower-cased.
pub(crate) async fn has_member(
    connection: &mut Connection,
    organisation: OrganisationId,
    email: &str,
) -> Tried<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM people p JOIN members m ON m.person_id = p.id
                         WHERE p.email = $2 AND m.organisation_id = $1)",
    )
    .bind(Id(organisation))
    .bind(Text(email))
    .fetch_one(connection)
    .await?)
}

/// Holds an organisation: who changes its people next waits.
async fn hold(connection: &mut Connection, organisation: OrganisationId) -> Tried<()> {
    sqlx::query(held!("SELECT 1 FROM organisations WHERE id = $1", "FOR NO KEY UPDATE"))
        .bind(Id(organisation))
        .execute(connection)
        .await?;
    Ok(())
}

/// An error when this member is the organisation's only owner. The organisation is held, so that of two who demote each other at
/// once the second sees the first.
async fn ensure_other_owner(
    connection: &mut Connection,
    organisation: OrganisationId,
    member: MemberId,
) -> Tried<()> {
    hold(connection, organisation).await?;
    let owners: Vec<Id<MemberId>> = sqlx::query_scalar(
        "SELECT id FROM members WHERE organisation_id = $1 AND role = 'owner' AND removed_at IS NULL",
    )
    .bind(Id(organisation))
    .fetch_all(connection)
    .await?;
    if owners == [Id(member)] { Err(Error::LastOwner.into()) } else { Ok(()) }
}

/// Who may not invite any more might still hold the links they made.
async fn withdraw_invitations_of(
    connection: &mut Connection,
    member: MemberId,
    now: DateTime<Utc>,
) -> Tried<()> {
    sqlx::query(
        "UPDATE invitations SET withdrawn_at = $2 WHERE invited_by = $1 AND used_at IS NULL AND withdrawn_at IS NULL",
    )
    .bind(Id(member))
    .bind(Instant(now))
    .execute(connection)
    .await?;
    Ok(())
}
