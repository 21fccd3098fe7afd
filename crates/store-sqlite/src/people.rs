//! People: their addresses, passwords and codes on their way.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{PersonId, SessionId};
use sqlx::SqliteConnection;
use store::{Action, Error, Membership, People, Person, Proof, ProofSubject, Result};

use crate::{
    actions::record_all,
    columns::instant,
    error::{ensure_affected, translate},
    members::{MemberRow, member_columns},
    sqlite::SqliteStore,
};

/// A person in one of their organisations.
#[derive(sqlx::FromRow)]
struct PersonRow {
    #[sqlx(flatten)]
    member: MemberRow,
    password_hash: String,
    organisation: String,
}

/// The columns of [`PersonRow`], and where they are.
macro_rules! people {
    () => {
        concat!(
            "SELECT ",
            member_columns!(),
            ", p.password_hash, o.name AS organisation
               FROM people p JOIN members m ON m.person_id = p.id JOIN organisations o ON o.id = m.organisation_id"
        )
    };
}

impl TryFrom<PersonRow> for Person {
    type Error = Error;

    fn try_from(row: PersonRow) -> Result<Self> {
        let member = store::Member::try_from(row.member)?;
        Ok(Self {
            id: member.person_id,
            email: member.email.clone(),
            proved_at: member.proved_at,
            password_hash: row.password_hash,
            memberships: vec![Membership { member, organisation: row.organisation }],
        })
    }
}

#[async_trait]
impl People for SqliteStore {
    async fn people_by_email(&self, email: &str, limit: u32) -> Result<Vec<Person>> {
        let rows = sqlx::query_as::<_, PersonRow>(concat!(
            people!(),
            " WHERE p.id IN (SELECT id FROM people WHERE email = ?1 ORDER BY proved_at IS NULL, created_at, id LIMIT ?2)
              ORDER BY p.proved_at IS NULL, p.created_at, p.id, m.chosen_at DESC, m.created_at, m.id"
        ))
        .bind(email.to_lowercase())
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?;
        Person::gathered(rows.into_iter().map(Person::try_from))
    }

    async fn person(&self, id: PersonId) -> Result<Option<Person>> {
        let rows = sqlx::query_as::<_, PersonRow>(concat!(
            people!(),
            " WHERE p.id = ?1 ORDER BY m.chosen_at DESC, m.created_at, m.id"
        ))
        .bind(id.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?;
        Ok(Person::gathered(rows.into_iter().map(Person::try_from))?.pop())
    }

    async fn count_unproved_people(&self) -> Result<u64> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM people WHERE proved_at IS NULL")
            .fetch_one(&self.readers)
            .await
            .map_err(translate)?;
        Ok(count.unsigned_abs())
    }

    async fn prove_person(&self, id: PersonId, now: DateTime<Utc>, actions: &[Action]) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let proved = sqlx::query("UPDATE people SET proved_at = ?2 WHERE id = ?1 AND proved_at IS NULL")
            .bind(id.to_string())
            .bind(instant(now))
            .execute(&mut *transaction)
            .await
            .map_err(translate)?;
        if proved.rows_affected() > 0 {
            record_all(&mut transaction, actions).await?;
        }
        transaction.commit().await.map_err(translate)
    }

    async fn set_password(
        &self,
        id: PersonId,
        password_hash: &str,
        keep: Option<SessionId>,
        actions: &[Action],
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let set = sqlx::query("UPDATE people SET password_hash = ?2 WHERE id = ?1")
            .bind(id.to_string())
            .bind(password_hash)
            .execute(&mut *transaction)
            .await
            .map_err(translate)?;
        ensure_affected(&set, 1)?;
        end_other_sessions(&mut transaction, id, keep).await?;
        record_all(&mut transaction, actions).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn begin_proof(&self, proof: &Proof) -> Result<()> {
        sqlx::query("INSERT OR REPLACE INTO proofs (subject, code_hash, tries_left, expires_at) VALUES (?1, ?2, ?3, ?4)")
            .bind(proof.subject.id().to_string())
            .bind(&proof.code_hash)
            .bind(proof.tries)
            .bind(instant(proof.expires_at))
            .execute(self.writer.pool())
            .await
            .map_err(translate)?;
        Ok(())
    }

    async fn try_proof(&self, subject: ProofSubject, code_hash: &str, now: DateTime<Utc>) -> Result<bool> {
        let right: Option<bool> = sqlx::query_scalar(
            "UPDATE proofs SET tries_left = tries_left - 1 WHERE subject = ?1 AND expires_at > ?3 AND tries_left > 0
             RETURNING code_hash = ?2",
        )
        .bind(subject.id().to_string())
        .bind(code_hash)
        .bind(instant(now))
        .fetch_optional(self.writer.pool())
        .await
        .map_err(translate)?;
        Ok(right == Some(true))
    }

    async fn erase_address(&self, email: &str) -> Result<u64> {
        let email = email.to_lowercase();
        let mut transaction = self.writer.begin().await?;
        let is_used: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM people WHERE email = ?1)")
            .bind(&email)
            .fetch_one(&mut *transaction)
            .await
            .map_err(translate)?;
        if is_used {
            return Err(Error::Conflict("the e-mail address"));
        }
        let mut erased = 0;
        for statement in [
            "UPDATE members SET former_email = NULL WHERE former_email = ?1",
            "DELETE FROM invitations WHERE email = ?1",
            "DELETE FROM alert_deliveries WHERE channel_id IN (SELECT id FROM alert_channels WHERE kind = 'email' AND target = ?1)",
            "DELETE FROM alert_channels WHERE kind = 'email' AND target = ?1",
        ] {
            let done = sqlx::query(statement).bind(&email).execute(&mut *transaction).await;
            erased += done.map_err(translate)?.rows_affected();
        }
        transaction.commit().await.map_err(translate)?;
        Ok(erased)
    }
}

/// Ends a person's sessions but one, and their sign-ins that wait for a code.
pub(crate) async fn end_other_sessions(
    connection: &mut SqliteConnection,
    person: PersonId,
    keep: Option<SessionId>,
) -> Result<()> {
    sqlx::query(
        "DELETE FROM sessions WHERE member_id IN (SELECT id FROM members WHERE person_id = ?1) AND id IS NOT ?2",
    )
    .bind(person.to_string())
    .bind(keep.map(|session| session.to_string()))
    .execute(&mut *connection)
    .await
    .map_err(translate)?;
    sqlx::query(
        "DELETE FROM pending_sign_ins WHERE member_id IN (SELECT id FROM members WHERE person_id = ?1)",
    )
    .bind(person.to_string())
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}

/// Forgets a person who is in no organisation any more.
pub(crate) async fn forget_without_membership(connection: &mut SqliteConnection, person: &str) -> Result<()> {
    let is_member: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM members WHERE person_id = ?1)")
        .bind(person)
        .fetch_one(&mut *connection)
        .await
        .map_err(translate)?;
    if is_member {
        return Ok(());
    }
    for statement in [
        "DELETE FROM proofs WHERE subject = ?1",
        "DELETE FROM recovery_codes WHERE person_id = ?1",
        "DELETE FROM second_factors WHERE person_id = ?1",
        "DELETE FROM people WHERE id = ?1",
    ] {
        sqlx::query(statement).bind(person).execute(&mut *connection).await.map_err(translate)?;
    }
    Ok(())
}
