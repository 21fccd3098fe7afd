//! Signed-in browsers.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use store::{Member, NewMember, Result, Session, Sessions};

use crate::{
    columns::instant,
    error::{missing, translate},
    members::MemberRow,
    sqlite::SqliteStore,
};

#[async_trait]
impl Sessions for SqliteStore {
    async fn create_session(&self, session: &Session) -> Result<()> {
        sqlx::query(
            "INSERT INTO sessions (token_hash, member_id, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
        )
        .bind(&session.token_hash)
        .bind(session.member_id.to_string())
        .bind(instant(session.created_at))
        .bind(instant(session.expires_at))
        .execute(self.writer.pool())
        .await
        .map_err(missing("the member"))?;
        Ok(())
    }

    async fn member_of_session(&self, token_hash: &str, now: DateTime<Utc>) -> Result<Option<Member>> {
        let row = sqlx::query_as::<_, MemberRow>(
            "SELECT m.* FROM sessions s JOIN members m ON m.id = s.member_id WHERE s.token_hash = ?1 AND s.expires_at > ?2",
        )
        .bind(token_hash)
        .bind(instant(now))
        .fetch_optional(&self.readers)
        .await
        .map_err(translate)?;
        Ok(row.map(NewMember::try_from).transpose()?.map(|found| found.member))
    }

    async fn end_session(&self, token_hash: &str) -> Result<()> {
        sqlx::query("DELETE FROM sessions WHERE token_hash = ?1")
            .bind(token_hash)
            .execute(self.writer.pool())
            .await
            .map_err(translate)?;
        Ok(())
    }

    async fn purge_sessions(&self, now: DateTime<Utc>) -> Result<u64> {
        let result = sqlx::query("DELETE FROM sessions WHERE expires_at <= ?1")
            .bind(instant(now))
            .execute(self.writer.pool())
            .await
            .map_err(translate)?;
        Ok(result.rows_affected())
    }
}
