//! Signed-in browsers.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{BindingId, MemberId, PersonId, SessionId};
use sqlx::FromRow;
use store::{Action, Error, Result, Session, Sessions, SignedIn};
use uuid::Uuid;

use crate::{
    PostgresStore,
    actions::record,
    error::{clean, repeating, translate},
    members::{MemberRow, member_columns},
};

#[derive(FromRow)]
struct SessionRow {
    id: Uuid,
    token_hash: String,
    member_id: Uuid,
    browser: String,
    created_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    embed_binding_id: Option<Uuid>,
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Self {
            id: SessionId(row.id),
            token_hash: row.token_hash,
            member_id: MemberId(row.member_id),
            browser: row.browser,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            expires_at: row.expires_at,
            embed: row.embed_binding_id.map(BindingId),
        }
    }
}

#[derive(FromRow)]
struct SignedInRow {
    #[sqlx(flatten)]
    member: MemberRow,
    session_id: Uuid,
    last_seen_at: DateTime<Utc>,
    proved_at: Option<DateTime<Utc>>,
}

impl TryFrom<SignedInRow> for SignedIn {
    type Error = Error;

    fn try_from(row: SignedInRow) -> Result<Self> {
        let (session, last_seen_at) = (SessionId(row.session_id), row.last_seen_at);
        Ok(Self { proved_at: row.proved_at, member: row.member.try_into()?, session, last_seen_at })
    }
}

#[async_trait]
impl Sessions for PostgresStore {
    async fn create_session(&self, session: &Session) -> Result<()> {
        repeating(move || async move {
            sqlx::query(
                "INSERT INTO sessions (id, token_hash, member_id, browser, created_at, last_seen_at, expires_at,
                                       embed_binding_id, proved_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $5)",
            )
            .bind(session.id.0)
            .bind(&session.token_hash)
            .bind(session.member_id.0)
            .bind(clean(&session.browser))
            .bind(session.created_at)
            .bind(session.last_seen_at)
            .bind(session.expires_at)
            .bind(session.embed.map(|binding| binding.0))
            .execute(&self.pool)
            .await?;
            Ok(())
        })
        .await
    }

    async fn signed_in(&self, token_hash: &str, now: DateTime<Utc>) -> Result<Option<SignedIn>> {
        let row: Option<SignedInRow> = sqlx::query_as(concat!(
            "SELECT ",
            member_columns!(),
            ", s.id AS session_id, s.last_seen_at, s.proved_at
               FROM sessions s JOIN members m ON m.id = s.member_id JOIN people p ON p.id = m.person_id
              WHERE s.token_hash = $1 AND s.expires_at > $2 AND s.embed_binding_id IS NULL"
        ))
        .bind(token_hash)
        .bind(now)
        .fetch_optional(&self.pool)
        .await
        .map_err(translate)?;
        row.map(SignedIn::try_from).transpose()
    }

    async fn signed_in_to(
        &self,
        binding: BindingId,
        token_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<SignedIn>> {
        let row: Option<SignedInRow> = sqlx::query_as(concat!(
            "SELECT ",
            member_columns!(),
            ", s.id AS session_id, s.last_seen_at, s.proved_at
               FROM sessions s JOIN members m ON m.id = s.member_id JOIN people p ON p.id = m.person_id
               JOIN bindings b ON b.id = s.embed_binding_id AND b.organisation_id = m.organisation_id
              WHERE s.token_hash = $1 AND s.expires_at > $2 AND s.embed_binding_id = $3"
        ))
        .bind(token_hash)
        .bind(now)
        .bind(binding.0)
        .fetch_optional(&self.pool)
        .await
        .map_err(translate)?;
        row.map(SignedIn::try_from).transpose()
    }

    async fn see_session(&self, session: SessionId, now: DateTime<Utc>) -> Result<()> {
        repeating(move || async move {
            sqlx::query("UPDATE sessions SET last_seen_at = $2 WHERE id = $1")
                .bind(session.0)
                .bind(now)
                .execute(&self.pool)
                .await?;
            Ok(())
        })
        .await
    }

    async fn prove_session(&self, session: SessionId, now: DateTime<Utc>) -> Result<()> {
        repeating(move || async move {
            sqlx::query("UPDATE sessions SET proved_at = $2 WHERE id = $1")
                .bind(session.0)
                .bind(now)
                .execute(&self.pool)
                .await?;
            Ok(())
        })
        .await
    }

    async fn switch_session(&self, session: SessionId, member: MemberId, now: DateTime<Utc>) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let switched = sqlx::query(
                "UPDATE sessions SET member_id = $2
                 WHERE id = $1 AND embed_binding_id IS NULL
                   AND EXISTS (SELECT 1 FROM members a JOIN members b ON b.person_id = a.person_id
                                WHERE a.id = sessions.member_id AND b.id = $2)",
            )
            .bind(session.0)
            .bind(member.0)
            .execute(&mut *transaction)
            .await?;
            if switched.rows_affected() == 0 {
                return Err(Error::NotFound("the session or the member").into());
            }
            sqlx::query("UPDATE members SET chosen_at = $2 WHERE id = $1")
                .bind(member.0)
                .bind(now)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn list_sessions(&self, person: PersonId, now: DateTime<Utc>) -> Result<Vec<Session>> {
        let rows: Vec<SessionRow> = sqlx::query_as(
            "SELECT * FROM sessions WHERE member_id IN (SELECT id FROM members WHERE person_id = $1) AND expires_at > $2
             ORDER BY last_seen_at DESC, id DESC",
        )
        .bind(person.0)
        .bind(now)
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        Ok(rows.into_iter().map(Session::from).collect())
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

    async fn end_session_of(
        &self,
        person: PersonId,
        session: SessionId,
        action: Option<&Action>,
    ) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let ended = sqlx::query(
                "DELETE FROM sessions WHERE member_id IN (SELECT id FROM members WHERE person_id = $1) AND id = $2",
            )
            .bind(person.0)
            .bind(session.0)
            .execute(&mut *transaction)
            .await?;
            if ended.rows_affected() > 0 {
                record(&mut transaction, action).await?;
            }
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn end_other_sessions(
        &self,
        person: PersonId,
        keep: SessionId,
        action: Option<&Action>,
    ) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let ended = sqlx::query(
                "DELETE FROM sessions WHERE member_id IN (SELECT id FROM members WHERE person_id = $1) AND id <> $2",
            )
            .bind(person.0)
            .bind(keep.0)
            .execute(&mut *transaction)
            .await?;
            if ended.rows_affected() > 0 {
                record(&mut transaction, action).await?;
            }
            transaction.commit().await?;
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
