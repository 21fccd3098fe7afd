//! Sign-ins under way, and counted tries.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::BindingId;
use store::{Member, PendingSignIn, Result, SignIns, TryLimit};

use crate::{
    PostgresStore,
    error::{repeating, translate},
    members::{MemberRow, member_columns},
};

#[async_trait]
impl SignIns for PostgresStore {
    async fn begin_sign_in(&self, pending: &PendingSignIn) -> Result<()> {
        repeating(move || async move {
            sqlx::query(
                "INSERT INTO pending_sign_ins (token_hash, member_id, tries_left, expires_at, embed_binding_id) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(&pending.token_hash)
            .bind(pending.member_id.0)
            .bind(pending.tries)
            .bind(pending.expires_at)
            .bind(pending.embed.map(|binding| binding.0))
            .execute(&self.pool)
            .await?;
            Ok(())
        })
        .await
    }

    async fn try_sign_in(
        &self,
        token_hash: &str,
        embed: Option<BindingId>,
        now: DateTime<Utc>,
    ) -> Result<Option<Member>> {
        let row: Option<MemberRow> = sqlx::query_as(concat!(
            "WITH tried AS (
               UPDATE pending_sign_ins SET tries_left = tries_left - 1
                WHERE token_hash = $1 AND expires_at > $2 AND tries_left > 0 AND embed_binding_id IS NOT DISTINCT FROM $3
               RETURNING member_id)
             SELECT ",
            member_columns!(),
            " FROM tried JOIN members m ON m.id = tried.member_id JOIN people p ON p.id = m.person_id"
        ))
        .bind(token_hash)
        .bind(now)
        .bind(embed.map(|binding| binding.0))
        .fetch_optional(&self.pool)
        .await
        .map_err(translate)?;
        row.map(Member::try_from).transpose()
    }

    async fn end_sign_in(&self, token_hash: &str) -> Result<bool> {
        repeating(move || async move {
            let ended = sqlx::query("DELETE FROM pending_sign_ins WHERE token_hash = $1")
                .bind(token_hash)
                .execute(&self.pool)
                .await?;
            Ok(ended.rows_affected() == 1)
        })
        .await
    }

    async fn take_try(
        &self,
        key: &str,
        limit: TryLimit,
        now: DateTime<Utc>,
    ) -> Result<std::result::Result<(), TimeDelta>> {
        let (now, every) = (now.timestamp_millis(), limit.every.num_milliseconds());
        let ahead = every * i64::from(limit.burst - 1);
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let taken = sqlx::query(
                "INSERT INTO tries (key, ahead_to) VALUES ($1, $2 + $3)
                 ON CONFLICT (key) DO UPDATE SET ahead_to = greatest(tries.ahead_to, $2) + $3
                 WHERE tries.ahead_to <= $2 + $4",
            )
            .bind(key)
            .bind(now)
            .bind(every)
            .bind(ahead)
            .execute(&mut *transaction)
            .await?;
            let wait = if taken.rows_affected() == 1 {
                Ok(())
            } else {
                let ahead_to: i64 = sqlx::query_scalar("SELECT ahead_to FROM tries WHERE key = $1")
                    .bind(key)
                    .fetch_one(&mut *transaction)
                    .await?;
                Err(TimeDelta::milliseconds(ahead_to - ahead - now))
            };
            transaction.commit().await?;
            Ok(wait)
        })
        .await
    }

    async fn give_back_try(&self, key: &str, limit: TryLimit) -> Result<()> {
        repeating(move || async move {
            sqlx::query("UPDATE tries SET ahead_to = ahead_to - $2 WHERE key = $1")
                .bind(key)
                .bind(limit.every.num_milliseconds())
                .execute(&self.pool)
                .await?;
            Ok(())
        })
        .await
    }

    async fn purge_sign_ins(&self, now: DateTime<Utc>) -> Result<u64> {
        repeating(move || async move {
            let mut purged = 0;
            for statement in [
                "DELETE FROM pending_sign_ins WHERE expires_at <= $1",
                "DELETE FROM proofs WHERE expires_at <= $1",
            ] {
                purged += sqlx::query(statement).bind(now).execute(&self.pool).await?.rows_affected();
            }
            let settled = sqlx::query("DELETE FROM tries WHERE ahead_to <= $1")
                .bind(now.timestamp_millis())
                .execute(&self.pool)
                .await?;
            Ok(purged + settled.rows_affected())
        })
        .await
    }
}
