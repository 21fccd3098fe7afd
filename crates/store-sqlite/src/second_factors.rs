//! Second factors and recovery codes.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{PersonId, SessionId};
use sqlx::SqliteConnection;
use store::{Action, Error, Result, SecondFactor, SecondFactors};

use crate::{
    actions::record_all,
    columns::{Place, instant},
    error::{ensure_affected, missing, translate},
    people,
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct FactorRow {
    person_id: String,
    envelope: String,
    confirmed_at: Option<String>,
    last_step: i64,
    version: i64,
    updated_at: String,
}

impl TryFrom<FactorRow> for SecondFactor {
    type Error = Error;

    fn try_from(row: FactorRow) -> Result<Self> {
        let place = Place { table: "second_factors", row: &row.person_id };
        Ok(Self {
            person_id: place.word("person_id", &row.person_id)?,
            confirmed_at: place.optional_time("confirmed_at", row.confirmed_at.as_deref())?,
            updated_at: place.time("updated_at", &row.updated_at)?,
            envelope: row.envelope,
            last_step: row.last_step,
            version: row.version,
        })
    }
}

#[async_trait]
impl SecondFactors for SqliteStore {
    async fn second_factor(&self, person: PersonId) -> Result<Option<SecondFactor>> {
        sqlx::query_as::<_, FactorRow>("SELECT * FROM second_factors WHERE person_id = ?1")
            .bind(person.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(translate)?
            .map(SecondFactor::try_from)
            .transpose()
    }

    async fn begin_second_factor(&self, person: PersonId, envelope: &str, now: DateTime<Utc>) -> Result<()> {
        let begun = sqlx::query(
            "INSERT INTO second_factors (person_id, envelope, last_step, version, updated_at) VALUES (?1, ?2, 0, 1, ?3)
             ON CONFLICT (person_id) DO UPDATE
                SET envelope = excluded.envelope, version = second_factors.version + 1, updated_at = excluded.updated_at
              WHERE second_factors.confirmed_at IS NULL",
        )
        .bind(person.to_string())
        .bind(envelope)
        .bind(instant(now))
        .execute(self.writer.pool())
        .await
        .map_err(missing("the person"))?;
        if begun.rows_affected() == 0 { Err(Error::Conflict("the second factor")) } else { Ok(()) }
    }

    async fn confirm_second_factor(
        &self,
        person: PersonId,
        version: i64,
        step: i64,
        code_hashes: &[String],
        (now, keep): (DateTime<Utc>, Option<SessionId>),
        actions: &[Action],
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let confirmed = sqlx::query(
            "UPDATE second_factors SET confirmed_at = ?4, last_step = ?3
              WHERE person_id = ?1 AND version = ?2 AND confirmed_at IS NULL",
        )
        .bind(person.to_string())
        .bind(version)
        .bind(step)
        .bind(instant(now))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        ensure_affected(&confirmed, 1)?;
        replace_codes(&mut transaction, person, code_hashes).await?;
        people::end_other_sessions(&mut transaction, person, keep).await?;
        record_all(&mut transaction, actions).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn take_step(&self, person: PersonId, step: i64) -> Result<bool> {
        let taken = sqlx::query(
            "UPDATE second_factors SET last_step = ?2
              WHERE person_id = ?1 AND last_step < ?2 AND confirmed_at IS NOT NULL",
        )
        .bind(person.to_string())
        .bind(step)
        .execute(self.writer.pool())
        .await
        .map_err(translate)?;
        Ok(taken.rows_affected() == 1)
    }

    async fn replace_recovery_codes(
        &self,
        person: PersonId,
        code_hashes: &[String],
        actions: &[Action],
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        replace_codes(&mut transaction, person, code_hashes).await?;
        record_all(&mut transaction, actions).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn spend_recovery_code(
        &self,
        person: PersonId,
        code_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let spent = sqlx::query(
            "UPDATE recovery_codes SET used_at = ?3 WHERE person_id = ?1 AND code_hash = ?2 AND used_at IS NULL",
        )
        .bind(person.to_string())
        .bind(code_hash)
        .bind(instant(now))
        .execute(self.writer.pool())
        .await
        .map_err(translate)?;
        Ok(spent.rows_affected() == 1)
    }

    async fn recovery_codes_left(&self, person: PersonId) -> Result<u32> {
        sqlx::query_scalar("SELECT count(*) FROM recovery_codes WHERE person_id = ?1 AND used_at IS NULL")
            .bind(person.to_string())
            .fetch_one(&self.readers)
            .await
            .map_err(translate)
    }

    async fn remove_second_factor(
        &self,
        person: PersonId,
        keep: Option<SessionId>,
        actions: &[Action],
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        replace_codes(&mut transaction, person, &[]).await?;
        let removed = sqlx::query("DELETE FROM second_factors WHERE person_id = ?1")
            .bind(person.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(translate)?;
        if removed.rows_affected() > 0 {
            people::end_other_sessions(&mut transaction, person, keep).await?;
            record_all(&mut transaction, actions).await?;
        }
        transaction.commit().await.map_err(translate)
    }

    async fn sealed_second_factors(&self, after: Option<PersonId>, limit: u32) -> Result<Vec<SecondFactor>> {
        sqlx::query_as::<_, FactorRow>(
            "SELECT * FROM second_factors WHERE person_id > ?1 ORDER BY person_id LIMIT ?2",
        )
        .bind(after.map(|person| person.to_string()).unwrap_or_default())
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?
        .into_iter()
        .map(SecondFactor::try_from)
        .collect()
    }

    async fn reseal_second_factor(
        &self,
        person: PersonId,
        envelope: &str,
        replaces: i64,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let resealed = sqlx::query(
            "UPDATE second_factors SET envelope = ?2, version = version + 1, updated_at = ?4
              WHERE person_id = ?1 AND version = ?3",
        )
        .bind(person.to_string())
        .bind(envelope)
        .bind(replaces)
        .bind(instant(now))
        .execute(self.writer.pool())
        .await
        .map_err(translate)?;
        ensure_affected(&resealed, 1)
    }
}

async fn replace_codes(
    connection: &mut SqliteConnection,
    person: PersonId,
    code_hashes: &[String],
) -> Result<()> {
    sqlx::query("DELETE FROM recovery_codes WHERE person_id = ?1")
        .bind(person.to_string())
        .execute(&mut *connection)
        .await
        .map_err(translate)?;
    for code_hash in code_hashes {
        sqlx::query("INSERT INTO recovery_codes (person_id, code_hash) VALUES (?1, ?2)")
            .bind(person.to_string())
            .bind(code_hash)
            .execute(&mut *connection)
            .await
            .map_err(missing("the person"))?;
    }
    Ok(())
}
