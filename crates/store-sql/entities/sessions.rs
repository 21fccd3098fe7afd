//! Signed-in browsers.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{BindingId, MemberId, PersonId, SessionId};
use store::{Action, Error, Result, Session, Sessions, SignedIn};
use store_sql::{Id, Instant, Text};

use super::{
    audit::record,
    member_rows::{MemberRow, member_columns},
    missing,
    rows::{self, Record},
};
use crate::driver::{Driver, Transaction};

#[derive(sqlx::FromRow)]
struct SessionRow {
    id: Id<SessionId>,
    token_hash: String,
    member_id: Id<MemberId>,
    browser: String,
    created_at: Instant,
    last_seen_at: Instant,
    expires_at: Instant,
    embed_binding_id: Option<Id<BindingId>>,
}

impl Record for SessionRow {
    type Value = Session;
    const TABLE: &'static str = "sessions";
    const KEY: &'static str = "id";

    fn value(self) -> Result<Session> {
        Ok(Session {
            id: self.id.0,
            token_hash: self.token_hash,
            member_id: self.member_id.0,
            browser: self.browser,
            created_at: self.created_at.0,
            last_seen_at: self.last_seen_at.0,
            expires_at: self.expires_at.0,
            embed: self.embed_binding_id.map(|id| id.0),
        })
    }
}

/// The sessions of the token `$1` that are not over at `$2`, as [`SignedInRow`].
macro_rules! signed_in {
    () => {
        concat!(
            "SELECT ",
            member_columns!(),
            ", s.id AS session_id, s.last_seen_at, s.proved_at
               FROM sessions s JOIN members m ON m.id = s.member_id JOIN people p ON p.id = m.person_id
              WHERE s.token_hash = $1 AND s.expires_at > $2"
        )
    };
}

#[derive(sqlx::FromRow)]
struct SignedInRow {
    #[sqlx(flatten)]
    member: MemberRow,
    session_id: Id<SessionId>,
    last_seen_at: Instant,
    proved_at: Option<Instant>,
}

impl Record for SignedInRow {
    type Value = SignedIn;
    const TABLE: &'static str = "sessions";
    const KEY: &'static str = "session_id";

    fn value(self) -> Result<SignedIn> {
        Ok(SignedIn {
            session: self.session_id.0,
            last_seen_at: self.last_seen_at.0,
            proved_at: self.proved_at.map(|at| at.0),
            member: self.member.value()?,
        })
    }
}

/// The sessions of the person `$1`.
macro_rules! delete_of_person {
    () => {
        "DELETE FROM sessions WHERE member_id IN (SELECT id FROM members WHERE person_id = $1)"
    };
}

#[async_trait]
impl Sessions for Driver {
    async fn create_session(&self, session: &Session) -> Result<()> {
        self.execute(|| {
            sqlx::query(
                "INSERT INTO sessions (id, token_hash, member_id, browser, created_at, last_seen_at,
                                       expires_at, embed_binding_id, proved_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $5)",
            )
            .bind(Id(session.id))
            .bind(&session.token_hash)
            .bind(Id(session.member_id))
            .bind(Text(&session.browser))
            .bind(Instant(session.created_at))
            .bind(Instant(session.last_seen_at))
            .bind(Instant(session.expires_at))
            .bind(session.embed.map(Id))
        })
        .await
        .map_err(missing("the member"))?;
        Ok(())
    }

    async fn signed_in(&self, token_hash: &str, now: DateTime<Utc>) -> Result<Option<SignedIn>> {
        let found = sqlx::query(concat!(signed_in!(), " AND s.embed_binding_id IS NULL"))
            .bind(token_hash)
            .bind(Instant(now));
        Ok(rows::optional::<SignedInRow>(found, self.reader()).await?)
    }

    async fn signed_in_to(
        &self,
        binding: BindingId,
        token_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<SignedIn>> {
        let found = sqlx::query(concat!(
            signed_in!(),
            " AND s.embed_binding_id = $3
              AND EXISTS (SELECT 1 FROM bindings b WHERE b.id = $3 AND b.organisation_id = m.organisation_id)"
        ))
        .bind(token_hash)
        .bind(Instant(now))
        .bind(Id(binding));
        Ok(rows::optional::<SignedInRow>(found, self.reader()).await?)
    }

    async fn see_session(&self, session: SessionId, now: DateTime<Utc>) -> Result<()> {
        self.execute(|| {
            sqlx::query("UPDATE sessions SET last_seen_at = $2 WHERE id = $1")
                .bind(Id(session))
                .bind(Instant(now))
        })
        .await?;
        Ok(())
    }

    async fn prove_session(&self, session: SessionId, now: DateTime<Utc>) -> Result<()> {
        self.execute(|| {
            sqlx::query("UPDATE sessions SET proved_at = $2 WHERE id = $1")
                .bind(Id(session))
                .bind(Instant(now))
        })
        .await?;
        Ok(())
    }

    async fn switch_session(&self, session: SessionId, member: MemberId, now: DateTime<Utc>) -> Result<()> {
        self.write(move |mut transaction| async move {
            let switched = sqlx::query(
                "UPDATE sessions SET member_id = $2
                 WHERE id = $1 AND embed_binding_id IS NULL
                   AND EXISTS (SELECT 1 FROM members a JOIN members b ON b.person_id = a.person_id
                                WHERE a.id = sessions.member_id AND b.id = $2)",
            )
            .bind(Id(session))
            .bind(Id(member))
            .execute(&mut *transaction)
            .await?;
            if switched.rows_affected() == 0 {
                return Err(Error::NotFound("the session or the member").into());
            }
            sqlx::query("UPDATE members SET chosen_at = $2 WHERE id = $1")
                .bind(Id(member))
                .bind(Instant(now))
                .execute(&mut *transaction)
                .await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn list_sessions(&self, person: PersonId, now: DateTime<Utc>) -> Result<Vec<Session>> {
        let found = sqlx::query(
            "SELECT * FROM sessions WHERE member_id IN (SELECT id FROM members WHERE person_id = $1) AND expires_at > $2
             ORDER BY last_seen_at DESC, id DESC",
        )
        .bind(Id(person))
        .bind(Instant(now));
        Ok(rows::all::<SessionRow>(found, self.reader()).await?)
    }

    async fn end_session(&self, token_hash: &str) -> Result<()> {
        self.execute(|| sqlx::query("DELETE FROM sessions WHERE token_hash = $1").bind(token_hash)).await?;
        Ok(())
    }

    async fn end_session_of(
        &self,
        person: PersonId,
        session: SessionId,
        action: Option<&Action>,
    ) -> Result<()> {
        let that = concat!(delete_of_person!(), " AND id = $2");
        end(self, that, (person, session), action).await
    }

    async fn end_other_sessions(
        &self,
        person: PersonId,
        keep: SessionId,
        action: Option<&Action>,
    ) -> Result<()> {
        let others = concat!(delete_of_person!(), " AND id <> $2");
        end(self, others, (person, keep), action).await
    }

    async fn purge_sessions(&self, now: DateTime<Utc>) -> Result<u64> {
        Ok(self
            .execute(|| sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(Instant(now)))
            .await?)
    }
}

/// Ends sessions of a person, and keeps who did it where there was one.
async fn end(
    store: &Driver,
    statement: &'static str,
    (person, session): (PersonId, SessionId),
    action: Option<&Action>,
) -> Result<()> {
    let work = move |mut transaction: Transaction| async move {
        let ended = sqlx::query(statement).bind(Id(person)).bind(Id(session));
        if ended.execute(&mut *transaction).await?.rows_affected() > 0 {
            record(&mut transaction, action).await?;
        }
        transaction.commit(()).await
    };
    store.write(work).await
}
