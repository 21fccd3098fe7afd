//! Leases over processes, and tokens that were used.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{BindingId, RunId};
use sqlx::PgConnection;
use store::{Leases, Result, SeenTokens, ahead_of};
use uuid::Uuid;

use crate::{
    PostgresStore,
    error::{Tried, clean, repeating},
};

#[async_trait]
impl Leases for PostgresStore {
    async fn acquire_lease(
        &self,
        name: &str,
        holder: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool> {
        repeating(move || async move {
            let taken = sqlx::query(
                "INSERT INTO leases (name, holder, until, taken_at) VALUES ($1, $2, $4, $3)
                 ON CONFLICT (name) DO UPDATE
                 SET holder = excluded.holder, until = excluded.until, taken_at = excluded.taken_at
                 WHERE leases.holder = excluded.holder OR leases.until <= $3 OR leases.taken_at > $5",
            )
            .bind(name)
            .bind(holder)
            .bind(now)
            .bind(until)
            .bind(ahead_of(now))
            .execute(&self.pool)
            .await?;
            Ok(taken.rows_affected() == 1)
        })
        .await
    }

    async fn release_lease(&self, name: &str, holder: &str) -> Result<()> {
        repeating(move || async move {
            sqlx::query("DELETE FROM leases WHERE name = $1 AND holder = $2")
                .bind(name)
                .bind(holder)
                .execute(&self.pool)
                .await?;
            Ok(())
        })
        .await
    }
}

/// Notes a token within a transaction; `false` when it was noted before.
pub(crate) async fn note_token(
    connection: &mut PgConnection,
    binding: BindingId,
    token_id: &str,
    expires_at: DateTime<Utc>,
) -> Tried<bool> {
    let noted = sqlx::query(
        "INSERT INTO seen_tokens (binding_id, token_id, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(binding.0)
    .bind(clean(token_id))
    .bind(expires_at)
    .execute(connection)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// Notes what a token was used for.
pub(crate) async fn note_run(
    connection: &mut PgConnection,
    binding: BindingId,
    token_id: &str,
    request: &str,
    run: RunId,
) -> Tried<()> {
    sqlx::query("UPDATE seen_tokens SET request = $3, run_id = $4 WHERE binding_id = $1 AND token_id = $2")
        .bind(binding.0)
        .bind(clean(token_id))
        .bind(request)
        .bind(run.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// The run that answered the very same request.
pub(crate) async fn run_of_token(
    connection: &mut PgConnection,
    binding: BindingId,
    token_id: &str,
    request: &str,
) -> Tried<Option<RunId>> {
    let run: Option<Option<Uuid>> = sqlx::query_scalar(
        "SELECT run_id FROM seen_tokens WHERE binding_id = $1 AND token_id = $2 AND request = $3",
    )
    .bind(binding.0)
    .bind(clean(token_id))
    .bind(request)
    .fetch_optional(connection)
    .await?;
    Ok(run.flatten().map(RunId))
}

#[async_trait]
impl SeenTokens for PostgresStore {
    async fn use_token(&self, binding: BindingId, token_id: &str, expires_at: DateTime<Utc>) -> Result<bool> {
        repeating(move || async move {
            let mut connection = self.pool.acquire().await?;
            note_token(&mut connection, binding, token_id, expires_at).await
        })
        .await
    }

    async fn purge_tokens(&self, now: DateTime<Utc>) -> Result<u64> {
        repeating(move || async move {
            let deleted = sqlx::query("DELETE FROM seen_tokens WHERE expires_at <= $1")
                .bind(now)
                .execute(&self.pool)
                .await?;
            Ok(deleted.rows_affected())
        })
        .await
    }
}
