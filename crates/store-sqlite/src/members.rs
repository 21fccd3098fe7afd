//! Organisations and the people in them.

use async_trait::async_trait;
use store::{Error, Member, Members, NewMember, Organisation, Organisations, Result};

use crate::{
    columns::{Place, instant},
    error::{missing, translate},
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
    async fn create_member(&self, member: &NewMember) -> Result<()> {
        let NewMember { member, password_hash } = member;
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
        .execute(self.writer.pool())
        .await
        .map_err(missing("the organisation"))?;
        Ok(())
    }

    async fn member_by_email(&self, email: &str) -> Result<Option<NewMember>> {
        sqlx::query_as::<_, MemberRow>("SELECT * FROM members WHERE email = ?1")
            .bind(email.to_lowercase())
            .fetch_optional(&self.readers)
            .await
            .map_err(translate)?
            .map(NewMember::try_from)
            .transpose()
    }
}
