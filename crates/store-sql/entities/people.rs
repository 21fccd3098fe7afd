//! People: their addresses, passwords and codes on their way.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{PersonId, SessionId};
use store::{Action, Error, Membership, People, Person, Proof, ProofSubject, Result};
use store_sql::{Id, Instant, Text};

use super::{
    Tried,
    audit::record_all,
    ensure_affected,
    member_rows::{MemberRow, member_columns},
    rows::{self, Record},
};
use crate::{db::Connection, dialect::held, driver::Driver, error::translate};

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

impl Record for PersonRow {
    type Value = Person;
    const TABLE: &'static str = "people";
    const KEY: &'static str = "person_id";

    fn value(self) -> Result<Person> {
        let member = self.member.value()?;
        Ok(Person {
            id: member.person_id,
            email: member.email.clone(),
            proved_at: member.proved_at,
            password_hash: self.password_hash,
            memberships: vec![Membership { member, organisation: self.organisation }],
        })
    }
}

#[async_trait]
impl People for Driver {
    async fn people_by_email(&self, email: &str, limit: u32) -> Result<Vec<Person>> {
        let found = sqlx::query(concat!(
            people!(),
            " WHERE p.id IN (SELECT id FROM people WHERE email = $1 ORDER BY proved_at IS NULL, created_at, id LIMIT $2)
              ORDER BY p.proved_at IS NULL, p.created_at, p.id, m.chosen_at DESC NULLS LAST, m.created_at, m.id"
        ))
        .bind(Text(email.to_lowercase()))
        .bind(i64::from(limit));
        Ok(Person::gathered(rows::all::<PersonRow>(found, self.reader()).await?))
    }

    async fn person(&self, id: PersonId) -> Result<Option<Person>> {
        let found = sqlx::query(concat!(
            people!(),
            " WHERE p.id = $1 ORDER BY m.chosen_at DESC NULLS LAST, m.created_at, m.id"
        ))
        .bind(Id(id));
        Ok(Person::gathered(rows::all::<PersonRow>(found, self.reader()).await?).pop())
    }

    async fn count_unproved_people(&self) -> Result<u64> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM people WHERE proved_at IS NULL")
            .fetch_one(self.reader())
            .await
            .map_err(translate)?;
        Ok(count.unsigned_abs())
    }

    async fn prove_person(&self, id: PersonId, now: DateTime<Utc>, actions: &[Action]) -> Result<()> {
        self.write(move |mut transaction| async move {
            let proved = sqlx::query("UPDATE people SET proved_at = $2 WHERE id = $1 AND proved_at IS NULL")
                .bind(Id(id))
                .bind(Instant(now))
                .execute(&mut *transaction)
                .await?;
            if proved.rows_affected() > 0 {
                record_all(&mut transaction, actions).await?;
            }
            transaction.commit(()).await
        })
        .await
    }

    async fn set_password(
        &self,
        id: PersonId,
        password_hash: &str,
        keep: Option<SessionId>,
        actions: &[Action],
    ) -> Result<()> {
        self.write(move |mut transaction| async move {
            let set = sqlx::query("UPDATE people SET password_hash = $2 WHERE id = $1")
                .bind(Id(id))
                .bind(password_hash)
                .execute(&mut *transaction)
                .await?;
            ensure_affected(set.rows_affected(), 1)?;
            end_other_sessions(&mut transaction, id, keep).await?;
            record_all(&mut transaction, actions).await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn begin_proof(&self, proof: &Proof) -> Result<()> {
        self.execute(|| {
            sqlx::query(
                "INSERT INTO proofs (subject, code_hash, tries_left, expires_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (subject) DO UPDATE
                    SET code_hash = excluded.code_hash, tries_left = excluded.tries_left,
                        expires_at = excluded.expires_at",
            )
            .bind(Id(proof.subject.id()))
            .bind(&proof.code_hash)
            .bind(proof.tries)
            .bind(Instant(proof.expires_at))
        })
        .await?;
        Ok(())
    }

    async fn try_proof(&self, subject: ProofSubject, code_hash: &str, now: DateTime<Utc>) -> Result<bool> {
        self.write(move |mut transaction| async move {
            let right: Option<bool> = sqlx::query_scalar(
                "UPDATE proofs SET tries_left = tries_left - 1 WHERE subject = $1 AND expires_at > $3 AND tries_left > 0
                 RETURNING code_hash = $2",
            )
            .bind(Id(subject.id()))
            .bind(code_hash)
            .bind(Instant(now))
            .fetch_optional(&mut *transaction)
            .await?;
            transaction.commit(right == Some(true)).await
        })
        .await
    }

    async fn erase_address(&self, email: &str) -> Result<u64> {
        let email = &*email.to_lowercase();
        self.write(move |mut transaction| async move {
            let is_used: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM people WHERE email = $1)")
                .bind(Text(email))
                .fetch_one(&mut *transaction)
                .await?;
            if is_used {
                return Err(Error::Conflict("the e-mail address").into());
            }
            let mut erased = 0;
            for statement in [
                "UPDATE members SET former_email = NULL WHERE former_email = $1",
                "DELETE FROM invitations WHERE email = $1",
                "DELETE FROM alert_deliveries WHERE channel_id IN (SELECT id FROM alert_channels WHERE kind = 'email' AND target = $1)",
                "DELETE FROM alert_channels WHERE kind = 'email' AND target = $1",
            ] {
                erased += sqlx::query(statement).bind(Text(email)).execute(&mut *transaction).await?.rows_affected();
            }
            transaction.commit(erased).await
        })
        .await
    }
}

/// Holds a person: of two organisations that remove them at once the second sees the first.
pub(crate) async fn hold(connection: &mut Connection, person: PersonId) -> Tried<()> {
    sqlx::query(held!("SELECT 1 FROM people WHERE id = $1", "FOR UPDATE"))
        .bind(Id(person))
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends a person's sessions but one, and their sign-ins that wait for a code.
pub(crate) async fn end_other_sessions(
    connection: &mut Connection,
    person: PersonId,
    keep: Option<SessionId>,
) -> Tried<()> {
    sqlx::query(
        "DELETE FROM sessions
         WHERE member_id IN (SELECT id FROM members WHERE person_id = $1) AND id IS DISTINCT FROM $2",
    )
    .bind(Id(person))
    .bind(keep.map(Id))
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "DELETE FROM pending_sign_ins WHERE member_id IN (SELECT id FROM members WHERE person_id = $1)",
    )
    .bind(Id(person))
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets a person who is in no organisation any more.
pub(crate) async fn forget_without_membership(connection: &mut Connection, person: PersonId) -> Tried<()> {
    let is_member: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM members WHERE person_id = $1)")
        .bind(Id(person))
        .fetch_one(&mut *connection)
        .await?;
    if is_member {
        return Ok(());
    }
    for statement in [
        "DELETE FROM proofs WHERE subject = $1",
        "DELETE FROM recovery_codes WHERE person_id = $1",
        "DELETE FROM second_factors WHERE person_id = $1",
        "DELETE FROM people WHERE id = $1",
    ] {
        sqlx::query(statement).bind(Id(person)).execute(&mut *connection).await?;
    }
    Ok(())
}
