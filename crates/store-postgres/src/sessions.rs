//! Signed-in browsers.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use store::{Member, Result, Session, Sessions};

use crate::{
    PostgresStore,
    error::{repeating, translate},
    members::{MemberRow, member_columns},
};

#[async_trait]
impl Sessions for PostgresStore {
    async fn create_session(&self, session: &Session) -> Result<()> {
        repeating(move || async move {
            sqlx::query(
                "INSERT INTO sessions (token_hash, member_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
            )
            .bind(&session.token_hash)
            .bind(session.member_id.0)
            .bind(session.created_at)
            .bind(session.expires_at)
            .execute(&self.pool)
            .await?;
            Ok(())
        })
        .await
    }

    async fn member_of_session(&self, token_hash: &str, now: DateTime<Utc>) -> Result<Option<Member>> {
        let row: Option<MemberRow> = sqlx::query_as(concat!(
            "SELECT ",
            member_columns!(),
            " FROM sessions s JOIN members m ON m.id = s.member_id WHERE s.token_hash = $1 AND s.expires_at > $2"
        ))
        .bind(token_hash)
        .bind(now)
        .fetch_optional(&self.pool)
        .await
        .map_err(translate)?;
        row.map(Member::try_from).transpose()
    }

    async fn end_session(&self, token_hash: &str) -> Result<()> {
        repeating(move || async move {
            sqlx::query("DELETE FROM sessions WHERE token_hash = $1")
                .bind(token_hash)
                .execute(&self.pool)
                .await?;
            Ok(())
        })
        .await
    }

    async fn purge_sessions(&self, now: DateTime<Utc>) -> Result<u64> {
        repeating(move || async move {
            let deleted = sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
                .bind(now)
                .execute(&self.pool)
                .await?;
            Ok(deleted.rows_affected())
        })
        .await
    }
}
