//! Sign-ins under way, and counted tries.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::BindingId;
use store::{Member, PendingSignIn, Result, SignIns, TryLimit};

use crate::{
    columns::instant,
    error::{missing, translate},
    members::{MemberRow, member_columns},
    sqlite::SqliteStore,
};

#[async_trait]
impl SignIns for SqliteStore {
    async fn begin_sign_in(&self, pending: &PendingSignIn) -> Result<()> {
        sqlx::query(
            "INSERT INTO pending_sign_ins (token_hash, member_id, tries_left, expires_at, embed_binding_id) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(&pending.token_hash)
        .bind(pending.member_id.to_string())
        .bind(pending.tries)
        .bind(instant(pending.expires_at))
        .bind(pending.embed.map(|binding| binding.to_string()))
        .execute(self.writer.pool())
        .await
        .map_err(missing("the member"))?;
        Ok(())
    }

    async fn try_sign_in(
        &self,
        token_hash: &str,
        embed: Option<BindingId>,
        now: DateTime<Utc>,
    ) -> Result<Option<Member>> {
        let mut transaction = self.writer.begin().await?;
        let tried: Option<String> = sqlx::query_scalar(
            "UPDATE pending_sign_ins SET tries_left = tries_left - 1
              WHERE token_hash = ?1 AND expires_at > ?2 AND tries_left > 0 AND embed_binding_id IS ?3
             RETURNING member_id",
        )
        .bind(token_hash)
        .bind(instant(now))
        .bind(embed.map(|binding| binding.to_string()))
        .fetch_optional(&mut *transaction)
        .await
        .map_err(translate)?;
        let found = sqlx::query_as::<_, MemberRow>(concat!(
            "SELECT ",
            member_columns!(),
            " FROM members m JOIN people p ON p.id = m.person_id WHERE m.id = ?1"
        ))
        .bind(tried)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(translate)?;
        transaction.commit().await.map_err(translate)?;
        found.map(Member::try_from).transpose()
    }

    async fn end_sign_in(&self, token_hash: &str) -> Result<bool> {
        let ended = sqlx::query("DELETE FROM pending_sign_ins WHERE token_hash = ?1")
            .bind(token_hash)
            .execute(self.writer.pool())
            .await
            .map_err(translate)?;
        Ok(ended.rows_affected() == 1)
    }

    async fn take_try(
        &self,
        key: &str,
        limit: TryLimit,
        now: DateTime<Utc>,
    ) -> Result<std::result::Result<(), TimeDelta>> {
        let (now, every) = (now.timestamp_millis(), limit.every.num_milliseconds());
        let ahead = every * i64::from(limit.burst - 1);
        let mut transaction = self.writer.begin().await?;
        let taken = sqlx::query(
            "INSERT INTO tries (key, ahead_to) VALUES (?1, ?2 + ?3)
             ON CONFLICT (key) DO UPDATE SET ahead_to = max(tries.ahead_to, ?2) + ?3 WHERE tries.ahead_to <= ?2 + ?4",
        )
        .bind(key)
        .bind(now)
        .bind(every)
        .bind(ahead)
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        let wait = if taken.rows_affected() == 1 {
            None
        } else {
            let ahead_to: i64 = sqlx::query_scalar("SELECT ahead_to FROM tries WHERE key = ?1")
                .bind(key)
                .fetch_one(&mut *transaction)
                .await
                .map_err(translate)?;
            Some(TimeDelta::milliseconds(ahead_to - ahead - now))
        };
        transaction.commit().await.map_err(translate)?;
        Ok(wait.map_or(Ok(()), Err))
    }

    async fn give_back_try(&self, key: &str, limit: TryLimit) -> Result<()> {
        sqlx::query("UPDATE tries SET ahead_to = ahead_to - ?2 WHERE key = ?1")
            .bind(key)
            .bind(limit.every.num_milliseconds())
            .execute(self.writer.pool())
            .await
            .map_err(translate)?;
        Ok(())
    }

    async fn purge_sign_ins(&self, now: DateTime<Utc>) -> Result<u64> {
        let mut purged = 0;
        for statement in [
            "DELETE FROM pending_sign_ins WHERE expires_at <= ?1",
            "DELETE FROM proofs WHERE expires_at <= ?1",
        ] {
            let ended = sqlx::query(statement).bind(instant(now)).execute(self.writer.pool()).await;
            purged += ended.map_err(translate)?.rows_affected();
        }
        let settled = sqlx::query("DELETE FROM tries WHERE ahead_to <= ?1")
            .bind(now.timestamp_millis())
            .execute(self.writer.pool())
            .await
            .map_err(translate)?;
        Ok(purged + settled.rows_affected())
    }
}
