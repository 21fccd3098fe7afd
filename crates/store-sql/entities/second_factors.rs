//! Second factors and recovery codes.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{PersonId, SessionId};
use store::{Action, Error, Result, SecondFactor, SecondFactors};
use store_sql::{Id, Instant};
use uuid::Uuid;

use super::{
    Tried,
    audit::record_all,
    ensure_affected, missing, people,
    rows::{self, Record},
};
use crate::{db::Connection, driver::Driver, error::translate};

#[derive(sqlx::FromRow)]
struct FactorRow {
    person_id: Id<PersonId>,
    envelope: String,
    confirmed_at: Option<Instant>,
    last_step: i64,
    version: i64,
    updated_at: Instant,
}

impl Record for FactorRow {
    type Value = SecondFactor;
    const TABLE: &'static str = "second_factors";
    const KEY: &'static str = "person_id";

    fn value(self) -> Result<SecondFactor> {
        Ok(SecondFactor {
            person_id: self.person_id.0,
            envelope: self.envelope,
            confirmed_at: self.confirmed_at.map(|at| at.0),
            last_step: self.last_step,
            version: self.version,
            updated_at: self.updated_at.0,
        })
    }
}

#[async_trait]
impl SecondFactors for Driver {
    async fn second_factor(&self, person: PersonId) -> Result<Option<SecondFactor>> {
        let found = sqlx::query("SELECT * FROM second_factors WHERE person_id = $1").bind(Id(person));
        Ok(rows::optional::<FactorRow>(found, self.reader()).await?)
    }

    async fn begin_second_factor(&self, person: PersonId, envelope: &str, now: DateTime<Utc>) -> Result<()> {
        let begun = self
            .execute(|| {
                sqlx::query(
                    "INSERT INTO second_factors (person_id, envelope, last_step, version, updated_at) VALUES ($1, $2, 0, 1, $3)
                     ON CONFLICT (person_id) DO UPDATE
                        SET envelope = excluded.envelope, version = second_factors.version + 1, updated_at = excluded.updated_at
                      WHERE second_factors.confirmed_at IS NULL",
                )
                .bind(Id(person))
                .bind(envelope)
                .bind(Instant(now))
            })
            .await
            .map_err(missing("the person"))?;
        if begun == 0 { Err(Error::Conflict("the second factor")) } else { Ok(()) }
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
        self.write(move |mut transaction| async move {
            let confirmed = sqlx::query(
                "UPDATE second_factors SET confirmed_at = $4, last_step = $3
                 WHERE person_id = $1 AND version = $2 AND confirmed_at IS NULL",
            )
            .bind(Id(person))
            .bind(version)
            .bind(step)
            .bind(Instant(now))
            .execute(&mut *transaction)
            .await?;
            ensure_affected(confirmed.rows_affected(), 1)?;
            replace_codes(&mut transaction, person, code_hashes).await?;
            people::end_other_sessions(&mut transaction, person, keep).await?;
            record_all(&mut transaction, actions).await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn take_step(&self, person: PersonId, step: i64) -> Result<bool> {
        Ok(self
            .execute(|| {
                sqlx::query(
                    "UPDATE second_factors SET last_step = $2
                 WHERE person_id = $1 AND last_step < $2 AND confirmed_at IS NOT NULL",
                )
                .bind(Id(person))
                .bind(step)
            })
            .await?
            == 1)
    }

    async fn replace_recovery_codes(
        &self,
        person: PersonId,
        code_hashes: &[String],
        actions: &[Action],
    ) -> Result<()> {
        self.write(move |mut transaction| async move {
            replace_codes(&mut transaction, person, code_hashes).await?;
            record_all(&mut transaction, actions).await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn spend_recovery_code(
        &self,
        person: PersonId,
        code_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let spent = self.execute(|| {
            sqlx::query(
                "UPDATE recovery_codes SET used_at = $3
                  WHERE person_id = $1 AND code_hash = $2 AND used_at IS NULL",
            )
            .bind(Id(person))
            .bind(code_hash)
            .bind(Instant(now))
        });
        Ok(spent.await? == 1)
    }

    async fn recovery_codes_left(&self, person: PersonId) -> Result<u32> {
        let left: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM recovery_codes WHERE person_id = $1 AND used_at IS NULL",
        )
        .bind(Id(person))
        .fetch_one(self.reader())
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
        self.write(move |mut transaction| async move {
            replace_codes(&mut transaction, person, &[]).await?;
            let removed = sqlx::query("DELETE FROM second_factors WHERE person_id = $1")
                .bind(Id(person))
                .execute(&mut *transaction)
                .await?;
            if removed.rows_affected() > 0 {
                people::end_other_sessions(&mut transaction, person, keep).await?;
                record_all(&mut transaction, actions).await?;
            }
            transaction.commit(()).await
        })
        .await
    }

    async fn sealed_second_factors(&self, after: Option<PersonId>, limit: u32) -> Result<Vec<SecondFactor>> {
        let found =
            sqlx::query("SELECT * FROM second_factors WHERE person_id > $1 ORDER BY person_id LIMIT $2")
                .bind(Id(after.map_or(Uuid::nil(), Uuid::from)))
                .bind(i64::from(limit));
        Ok(rows::all::<FactorRow>(found, self.reader()).await?)
    }

    async fn reseal_second_factor(
        &self,
        person: PersonId,
        envelope: &str,
        replaces: i64,
        now: DateTime<Utc>,
    ) -> Result<()> {
        ensure_affected(
            self.execute(|| {
                sqlx::query(
                    "UPDATE second_factors SET envelope = $2, version = version + 1, updated_at = $4
                 WHERE person_id = $1 AND version = $3",
                )
                .bind(Id(person))
                .bind(envelope)
                .bind(replaces)
                .bind(Instant(now))
            })
            .await?,
            1,
        )
    }
}

async fn replace_codes(connection: &mut Connection, person: PersonId, code_hashes: &[String]) -> Tried<()> {
    sqlx::query("DELETE FROM recovery_codes WHERE person_id = $1")
        .bind(Id(person))
        .execute(&mut *connection)
        .await?;
    for code_hash in code_hashes {
        sqlx::query("INSERT INTO recovery_codes (person_id, code_hash) VALUES ($1, $2)")
            .bind(Id(person))
            .bind(code_hash)
            .execute(&mut *connection)
            .await
            .map_err(missing("the person"))?;
    }
    Ok(())
}
