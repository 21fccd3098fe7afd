//! Second factors and recovery codes.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{PersonId, SessionId};
use sqlx::{FromRow, PgConnection};
use store::{Action, Error, Result, SecondFactor, SecondFactors};
use uuid::Uuid;

use crate::{
    PostgresStore,
    actions::record_all,
    error::{Tried, ensure_affected, repeating, translate},
    people,
};

#[derive(FromRow)]
struct FactorRow {
    person_id: Uuid,
    envelope: String,
    confirmed_at: Option<DateTime<Utc>>,
    last_step: i64,
    version: i64,
    updated_at: DateTime<Utc>,
}

impl From<FactorRow> for SecondFactor {
    fn from(row: FactorRow) -> Self {
        Self {
            person_id: PersonId(row.person_id),
            envelope: row.envelope,
            confirmed_at: row.confirmed_at,
            last_step: row.last_step,
            version: row.version,
            updated_at: row.updated_at,
        }
    }
}

#[async_trait]
impl SecondFactors for PostgresStore {
    async fn second_factor(&self, person: PersonId) -> Result<Option<SecondFactor>> {
        let row: Option<FactorRow> = sqlx::query_as("SELECT * FROM second_factors WHERE person_id = $1")
            .bind(person.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(translate)?;
        Ok(row.map(SecondFactor::from))
    }

    async fn begin_second_factor(&self, person: PersonId, envelope: &str, now: DateTime<Utc>) -> Result<()> {
        repeating(move || async move {
            let begun = sqlx::query(
                "INSERT INTO second_factors (person_id, envelope, last_step, version, updated_at) VALUES ($1, $2, 0, 1, $3)
                 ON CONFLICT (person_id) DO UPDATE
                 SET envelope = excluded.envelope, version = second_factors.version + 1, updated_at = excluded.updated_at
                 WHERE second_factors.confirmed_at IS NULL",
            )
            .bind(person.0)
            .bind(envelope)
            .bind(now)
            .execute(&self.pool)
            .await?;
            if begun.rows_affected() == 0 { Err(Error::Conflict("the second factor").into()) } else { Ok(()) }
        })
        .await
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
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let confirmed = sqlx::query(
                "UPDATE second_factors SET confirmed_at = $4, last_step = $3
                 WHERE person_id = $1 AND version = $2 AND confirmed_at IS NULL",
            )
            .bind(person.0)
            .bind(version)
            .bind(step)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
            ensure_affected(&confirmed, 1)?;
            replace_codes(&mut transaction, person, code_hashes).await?;
            people::end_other_sessions(&mut transaction, person, keep).await?;
            record_all(&mut transaction, actions).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn take_step(&self, person: PersonId, step: i64) -> Result<bool> {
        repeating(move || async move {
            let taken = sqlx::query(
                "UPDATE second_factors SET last_step = $2
                 WHERE person_id = $1 AND last_step < $2 AND confirmed_at IS NOT NULL",
            )
            .bind(person.0)
            .bind(step)
            .execute(&self.pool)
            .await?;
            Ok(taken.rows_affected() == 1)
        })
        .await
    }

    async fn replace_recovery_codes(
        &self,
        person: PersonId,
        code_hashes: &[String],
        actions: &[Action],
    ) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            replace_codes(&mut transaction, person, code_hashes).await?;
            record_all(&mut transaction, actions).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn spend_recovery_code(
        &self,
        person: PersonId,
        code_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        repeating(move || async move {
            let spent = sqlx::query(
                "UPDATE recovery_codes SET used_at = $3 WHERE person_id = $1 AND code_hash = $2 AND used_at IS NULL",
            )
            .bind(person.0)
            .bind(code_hash)
            .bind(now)
            .execute(&self.pool)
            .await?;
            Ok(spent.rows_affected() == 1)
        })
        .await
    }

    async fn recovery_codes_left(&self, person: PersonId) -> Result<u32> {
        let left: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM recovery_codes WHERE person_id = $1 AND used_at IS NULL",
        )
        .bind(person.0)
        .fetch_one(&self.pool)
        .await
        .map_err(translate)?;
        Ok(u32::try_from(left).unwrap_or(u32::MAX))
    }

    async fn remove_second_factor(
        &self,
        person: PersonId,
        keep: Option<SessionId>,
        actions: &[Action],
    ) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            replace_codes(&mut transaction, person, &[]).await?;
            let removed = sqlx::query("DELETE FROM second_factors WHERE person_id = $1")
                .bind(person.0)
                .execute(&mut *transaction)
                .await?;
            if removed.rows_affected() > 0 {
                people::end_other_sessions(&mut transaction, person, keep).await?;
                record_all(&mut transaction, actions).await?;
            }
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn sealed_second_factors(&self, after: Option<PersonId>, limit: u32) -> Result<Vec<SecondFactor>> {
        let rows: Vec<FactorRow> = sqlx::query_as(
            "SELECT * FROM second_factors WHERE $1::uuid IS NULL OR person_id > $1 ORDER BY person_id LIMIT $2",
        )
        .bind(after.map(|person| person.0))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        Ok(rows.into_iter().map(SecondFactor::from).collect())
    }

    async fn reseal_second_factor(
        &self,
        person: PersonId,
        envelope: &str,
        replaces: i64,
        now: DateTime<Utc>,
    ) -> Result<()> {
        repeating(move || async move {
            let resealed = sqlx::query(
                "UPDATE second_factors SET envelope = $2, version = version + 1, updated_at = $4
                 WHERE person_id = $1 AND version = $3",
            )
            .bind(person.0)
            .bind(envelope)
            .bind(replaces)
            .bind(now)
            .execute(&self.pool)
            .await?;
            Ok(ensure_affected(&resealed, 1)?)
        })
        .await
    }
}

async fn replace_codes(connection: &mut PgConnection, person: PersonId, code_hashes: &[String]) -> Tried<()> {
    sqlx::query("DELETE FROM recovery_codes WHERE person_id = $1")
        .bind(person.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query("INSERT INTO recovery_codes (person_id, code_hash) SELECT $1, unnest($2::text[])")
        .bind(person.0)
        .bind(code_hashes)
        .execute(connection)
        .await?;
    Ok(())
}
