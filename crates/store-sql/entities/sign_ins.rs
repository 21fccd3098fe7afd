//! Sign-ins under way, and counted tries.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{BindingId, MemberId};
use store::{Member, PendingSignIn, Result, SignIns, TryLimit};
use store_sql::{Id, Instant};

use super::{
    member_rows::{MemberRow, member_columns},
    missing, rows,
};
use crate::{dialect::greatest, driver::Driver};

#[async_trait]
impl SignIns for Driver {
    async fn begin_sign_in(&self, pending: &PendingSignIn) -> Result<()> {
        self.execute(|| {
            sqlx::query(
                "INSERT INTO pending_sign_ins (token_hash, member_id, tries_left, expires_at, embed_binding_id)
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(&pending.token_hash)
            .bind(Id(pending.member_id))
            .bind(pending.tries)
            .bind(Instant(pending.expires_at))
            .bind(pending.embed.map(Id))
        })
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
        self.write(move |mut transaction| async move {
            let tried: Option<Id<MemberId>> = sqlx::query_scalar(
                "UPDATE pending_sign_ins SET tries_left = tries_left - 1
                  WHERE token_hash = $1 AND expires_at > $2 AND tries_left > 0 AND embed_binding_id IS NOT DISTINCT FROM $3
                 RETURNING member_id",
            )
            .bind(token_hash)
            .bind(Instant(now))
            .bind(embed.map(Id))
            .fetch_optional(&mut *transaction)
            .await?;
            let member = sqlx::query(concat!(
                "SELECT ",
                member_columns!(),
                " FROM members m JOIN people p ON p.id = m.person_id WHERE m.id = $1"
            ))
            .bind(tried);
            let member = rows::optional::<MemberRow>(member, &mut *transaction).await?;
            transaction.commit(member).await
        })
        .await
    }

    async fn end_sign_in(&self, token_hash: &str) -> Result<bool> {
        Ok(self
            .execute(|| sqlx::query("DELETE FROM pending_sign_ins WHERE token_hash = $1").bind(token_hash))
            .await?
            == 1)
    }

    async fn take_try(
        &self,
        key: &str,
        limit: TryLimit,
        now: DateTime<Utc>,
    ) -> Result<std::result::Result<(), TimeDelta>> {
        let (now, every) = (now.timestamp_millis(), limit.every.num_milliseconds());
        let ahead = every * i64::from(limit.burst - 1);
        self.write(move |mut transaction| async move {
            let taken = sqlx::query(concat!(
                "INSERT INTO tries (key, ahead_to) VALUES ($1, $2 + $3)
                 ON CONFLICT (key) DO UPDATE SET ahead_to = ",
                greatest!("tries.ahead_to", "$2"),
                " + $3 WHERE tries.ahead_to <= $2 + $4"
            ))
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
            transaction.commit(wait).await
        })
        .await
    }

    async fn give_back_try(&self, key: &str, limit: TryLimit) -> Result<()> {
        self.execute(|| {
            sqlx::query("UPDATE tries SET ahead_to = ahead_to - $2 WHERE key = $1")
                .bind(key)
                .bind(limit.every.num_milliseconds())
        })
        .await?;
        Ok(())
    }

    async fn purge_sign_ins(&self, now: DateTime<Utc>) -> Result<u64> {
        let mut purged = 0;
        for statement in [
            "DELETE FROM pending_sign_ins WHERE expires_at <= $1",
            "DELETE FROM proofs WHERE expires_at <= $1",
        ] {
            purged += self.execute(|| sqlx::query(statement).bind(Instant(now))).await?;
        }
        let settled = self
            .execute(|| sqlx::query("DELETE FROM tries WHERE ahead_to <= $1").bind(now.timestamp_millis()));
        Ok(purged + settled.await?)
    }
}
