//! Signed-in browsers.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{BindingId, MemberId, PersonId, SessionId};
use store::{Action, Error, Result, Session, Sessions, SignedIn};

use crate::{
    actions::record,
    columns::{Place, instant},
    error::{missing, translate},
    members::{MemberRow, member_columns},
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct SessionRow {
    id: String,
    token_hash: String,
    member_id: String,
    browser: String,
    created_at: String,
    last_seen_at: String,
    expires_at: String,
    embed_binding_id: Option<String>,
}

impl TryFrom<SessionRow> for Session {
    type Error = Error;

    fn try_from(row: SessionRow) -> Result<Self> {
        let place = Place { table: "sessions", row: &row.id };
        Ok(Self {
            id: place.word("id", &row.id)?,
            member_id: place.word("member_id", &row.member_id)?,
            created_at: place.time("created_at", &row.created_at)?,
            last_seen_at: place.time("last_seen_at", &row.last_seen_at)?,
            expires_at: place.time("expires_at", &row.expires_at)?,
            embed: place.optional_word("embed_binding_id", row.embed_binding_id.as_deref())?,
            token_hash: row.token_hash,
            browser: row.browser,
        })
    }
}

#[derive(sqlx::FromRow)]
struct SignedInRow {
    #[sqlx(flatten)]
    member: MemberRow,
    session_id: String,
    last_seen_at: String,
    proved_at: Option<String>,
}

impl TryFrom<SignedInRow> for SignedIn {
    type Error = Error;

    fn try_from(row: SignedInRow) -> Result<Self> {
        let place = Place { table: "sessions", row: &row.session_id };
        Ok(Self {
            session: place.word("id", &row.session_id)?,
            last_seen_at: place.time("last_seen_at", &row.last_seen_at)?,
            proved_at: place.optional_time("proved_at", row.proved_at.as_deref())?,
            member: row.member.try_into()?,
        })
    }
}

#[async_trait]
impl Sessions for SqliteStore {
    async fn create_session(&self, session: &Session) -> Result<()> {
        sqlx::query(
            "INSERT INTO sessions (id, token_hash, member_id, browser, created_at, last_seen_at, expires_at, embed_binding_id,
                                   proved_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?5)",
        )
        .bind(session.id.to_string())
        .bind(&session.token_hash)
        .bind(session.member_id.to_string())
        .bind(&session.browser)
        .bind(instant(session.created_at))
        .bind(instant(session.last_seen_at))
        .bind(instant(session.expires_at))
        .bind(session.embed.map(|binding| binding.to_string()))
        .execute(self.writer.pool())
        .await
        .map_err(missing("the member"))?;
        Ok(())
    }

    async fn signed_in(&self, token_hash: &str, now: DateTime<Utc>) -> Result<Option<SignedIn>> {
        sqlx::query_as::<_, SignedInRow>(concat!(
            "SELECT ",
            member_columns!(),
            ", s.id AS session_id, s.last_seen_at, s.proved_at
               FROM sessions s JOIN members m ON m.id = s.member_id JOIN people p ON p.id = m.person_id
              WHERE s.token_hash = ?1 AND s.expires_at > ?2 AND s.embed_binding_id IS NULL"
        ))
        .bind(token_hash)
        .bind(instant(now))
        .fetch_optional(&self.readers)
        .await
        .map_err(translate)?
        .map(SignedIn::try_from)
        .transpose()
    }

    async fn signed_in_to(
        &self,
        binding: BindingId,
        token_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<SignedIn>> {
        sqlx::query_as::<_, SignedInRow>(concat!(
            "SELECT ",
            member_columns!(),
            ", s.id AS session_id, s.last_seen_at, s.proved_at
               FROM sessions s JOIN members m ON m.id = s.member_id JOIN people p ON p.id = m.person_id
               JOIN bindings b ON b.id = s.embed_binding_id AND b.organisation_id = m.organisation_id
              WHERE s.token_hash = ?1 AND s.expires_at > ?2 AND s.embed_binding_id = ?3"
        ))
        .bind(token_hash)
        .bind(instant(now))
        .bind(binding.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(translate)?
        .map(SignedIn::try_from)
        .transpose()
    }

    async fn see_session(&self, session: SessionId, now: DateTime<Utc>) -> Result<()> {
        sqlx::query("UPDATE sessions SET last_seen_at = ?2 WHERE id = ?1")
            .bind(session.to_string())
            .bind(instant(now))
            .execute(self.writer.pool())
            .await
            .map_err(translate)?;
        Ok(())
    }

    async fn prove_session(&self, session: SessionId, now: DateTime<Utc>) -> Result<()> {
        sqlx::query("UPDATE sessions SET proved_at = ?2 WHERE id = ?1")
            .bind(session.to_string())
            .bind(instant(now))
            .execute(self.writer.pool())
            .await
            .map_err(translate)?;
        Ok(())
    }

    async fn switch_session(&self, session: SessionId, member: MemberId, now: DateTime<Utc>) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let switched = sqlx::query(
            "UPDATE sessions SET member_id = ?2
              WHERE id = ?1 AND embed_binding_id IS NULL
                AND EXISTS (SELECT 1 FROM members a JOIN members b ON b.person_id = a.person_id
                             WHERE a.id = sessions.member_id AND b.id = ?2)",
        )
        .bind(session.to_string())
        .bind(member.to_string())
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        if switched.rows_affected() == 0 {
            return Err(Error::NotFound("the session or the member"));
        }
        sqlx::query("UPDATE members SET chosen_at = ?2 WHERE id = ?1")
            .bind(member.to_string())
            .bind(instant(now))
            .execute(&mut *transaction)
            .await
            .map_err(translate)?;
        transaction.commit().await.map_err(translate)
    }

    async fn list_sessions(&self, person: PersonId, now: DateTime<Utc>) -> Result<Vec<Session>> {
        sqlx::query_as::<_, SessionRow>(
            "SELECT * FROM sessions WHERE member_id IN (SELECT id FROM members WHERE person_id = ?1) AND expires_at > ?2
              ORDER BY last_seen_at DESC, id DESC",
        )
        .bind(person.to_string())
        .bind(instant(now))
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?
        .into_iter()
        .map(Session::try_from)
        .collect()
    }

    async fn end_session(&self, token_hash: &str) -> Result<()> {
        sqlx::query("DELETE FROM sessions WHERE token_hash = ?1")
            .bind(token_hash)
            .execute(self.writer.pool())
            .await
            .map_err(translate)?;
        Ok(())
    }

    async fn end_session_of(
        &self,
        person: PersonId,
        session: SessionId,
        action: Option<&Action>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let ended = sqlx::query(
            "DELETE FROM sessions WHERE member_id IN (SELECT id FROM members WHERE person_id = ?1) AND id = ?2",
        )
        .bind(person.to_string())
        .bind(session.to_string())
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        if ended.rows_affected() > 0 {
            record(&mut transaction, action).await?;
        }
        transaction.commit().await.map_err(translate)
    }

    async fn end_other_sessions(
        &self,
        person: PersonId,
        keep: SessionId,
        action: Option<&Action>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let ended = sqlx::query(
            "DELETE FROM sessions WHERE member_id IN (SELECT id FROM members WHERE person_id = ?1) AND id <> ?2",
        )
        .bind(person.to_string())
        .bind(keep.to_string())
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        if ended.rows_affected() > 0 {
            record(&mut transaction, action).await?;
        }
        transaction.commit().await.map_err(translate)
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
