//! Second factors and recovery codes.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{MemberId, SessionId};
use sqlx::SqliteConnection;
use store::{Action, Error, Result, SecondFactor, SecondFactors};

use crate::{
    actions::record,
    columns::{Place, instant},
    error::{ensure_affected, missing, translate},
    members,
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct FactorRow {
    member_id: String,
    envelope: String,
    confirmed_at: Option<String>,
    last_step: i64,
    version: i64,
    updated_at: String,
}

impl TryFrom<FactorRow> for SecondFactor {
    type Error = Error;

    fn try_from(row: FactorRow) -> Result<Self> {
        let place = Place { table: "second_factors", row: &row.member_id };
        Ok(Self {
            member_id: place.word("member_id", &row.member_id)?,
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
    async fn second_factor(&self, member: MemberId) -> Result<Option<SecondFactor>> {
        sqlx::query_as::<_, FactorRow>("SELECT * FROM second_factors WHERE member_id = ?1")
            .bind(member.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(translate)?
            .map(SecondFactor::try_from)
            .transpose()
    }

    async fn begin_second_factor(&self, member: MemberId, envelope: &str, now: DateTime<Utc>) -> Result<()> {
        let begun = sqlx::query(
            "INSERT INTO second_factors (member_id, envelope, last_step, version, updated_at) VALUES (?1, ?2, 0, 1, ?3)
             ON CONFLICT (member_id) DO UPDATE
                SET envelope = excluded.envelope, version = second_factors.version + 1, updated_at = excluded.updated_at
              WHERE second_factors.confirmed_at IS NULL",
        )
        .bind(member.to_string())
        .bind(envelope)
        .bind(instant(now))
        .execute(self.writer.pool())
        .await
        .map_err(missing("the member"))?;
        if begun.rows_affected() == 0 { Err(Error::Conflict("the second factor")) } else { Ok(()) }
    }

    async fn confirm_second_factor(
        &self,
        member: MemberId,
        version: i64,
        step: i64,
        code_hashes: &[String],
        (now, keep): (DateTime<Utc>, Option<SessionId>),
        action: Option<&Action>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let confirmed = sqlx::query(
            "UPDATE second_factors SET confirmed_at = ?4, last_step = ?3
              WHERE member_id = ?1 AND version = ?2 AND confirmed_at IS NULL",
        )
        .bind(member.to_string())
        .bind(version)
        .bind(step)
        .bind(instant(now))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        ensure_affected(&confirmed, 1)?;
        replace_codes(&mut transaction, member, code_hashes).await?;
        members::end_other_sessions(&mut transaction, member, keep).await?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn take_step(&self, member: MemberId, step: i64) -> Result<bool> {
        let taken = sqlx::query(
            "UPDATE second_factors SET last_step = ?2
              WHERE member_id = ?1 AND last_step < ?2 AND confirmed_at IS NOT NULL",
        )
        .bind(member.to_string())
        .bind(step)
        .execute(self.writer.pool())
        .await
        .map_err(translate)?;
        Ok(taken.rows_affected() == 1)
    }

    async fn replace_recovery_codes(
        &self,
        member: MemberId,
        code_hashes: &[String],
        action: Option<&Action>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        replace_codes(&mut transaction, member, code_hashes).await?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn spend_recovery_code(
        &self,
        member: MemberId,
        code_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let spent = sqlx::query(
            "UPDATE recovery_codes SET used_at = ?3 WHERE member_id = ?1 AND code_hash = ?2 AND used_at IS NULL",
        )
        .bind(member.to_string())
        .bind(code_hash)
        .bind(instant(now))
        .execute(self.writer.pool())
        .await
        .map_err(translate)?;
        Ok(spent.rows_affected() == 1)
    }

    async fn recovery_codes_left(&self, member: MemberId) -> Result<u32> {
        sqlx::query_scalar("SELECT count(*) FROM recovery_codes WHERE member_id = ?1 AND used_at IS NULL")
            .bind(member.to_string())
            .fetch_one(&self.readers)
            .await
            .map_err(translate)
    }

    async fn remove_second_factor(
        &self,
        member: MemberId,
        keep: Option<SessionId>,
        action: Option<&Action>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        replace_codes(&mut transaction, member, &[]).await?;
        let removed = sqlx::query("DELETE FROM second_factors WHERE member_id = ?1")
            .bind(member.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(translate)?;
        if removed.rows_affected() > 0 {
            members::end_other_sessions(&mut transaction, member, keep).await?;
            record(&mut transaction, action).await?;
        }
        transaction.commit().await.map_err(translate)
    }

    async fn sealed_second_factors(&self, after: Option<MemberId>, limit: u32) -> Result<Vec<SecondFactor>> {
        sqlx::query_as::<_, FactorRow>(
            "SELECT * FROM second_factors WHERE member_id > ?1 ORDER BY member_id LIMIT ?2",
        )
        .bind(after.map(|member| member.to_string()).unwrap_or_default())
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
        member: MemberId,
        envelope: &str,
        replaces: i64,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let resealed = sqlx::query(
            "UPDATE second_factors SET envelope = ?2, version = version + 1, updated_at = ?4
              WHERE member_id = ?1 AND version = ?3",
        )
        .bind(member.to_string())
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
    member: MemberId,
    code_hashes: &[String],
) -> Result<()> {
    sqlx::query("DELETE FROM recovery_codes WHERE member_id = ?1")
        .bind(member.to_string())
        .execute(&mut *connection)
        .await
        .map_err(translate)?;
    for code_hash in code_hashes {
        sqlx::query("INSERT INTO recovery_codes (member_id, code_hash) VALUES (?1, ?2)")
            .bind(member.to_string())
            .bind(code_hash)
            .execute(&mut *connection)
            .await
            .map_err(missing("the member"))?;
    }
    Ok(())
}
