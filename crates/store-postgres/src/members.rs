//! Organisations and the people in them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{MemberId, OrganisationId};
use sqlx::FromRow;
use store::{Error, Member, Members, NewMember, Organisation, Organisations, Result};
use uuid::Uuid;

use crate::{
    PostgresStore,
    error::{Place, clean, repeating, translate},
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

#[async_trait]
impl Members for PostgresStore {
    async fn create_member(&self, new: &NewMember) -> Result<()> {
        let member = &new.member;
        repeating(move || async move {
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
            .execute(&self.pool)
            .await?;
            Ok(())
        })
        .await
    }

    async fn member_by_email(&self, email: &str) -> Result<Option<NewMember>> {
        let row: Option<SignInRow> = sqlx::query_as(concat!(
            "SELECT ",
            member_columns!(),
            ", m.password_hash FROM members m WHERE m.email = $1"
        ))
        .bind(clean(email).to_lowercase())
        .fetch_optional(&self.pool)
        .await
        .map_err(translate)?;
        row.map(|row| Ok(NewMember { member: row.member.try_into()?, password_hash: row.password_hash }))
            .transpose()
    }
}
