//! Named leases, and tokens that were used.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{BindingId, RunId};
use sqlx::SqliteConnection;
use store::{Leases, Result, SeenTokens, ahead_of};

use crate::{
    columns::{Place, instant},
    error::{missing, translate},
    sqlite::SqliteStore,
};

#[async_trait]
impl Leases for SqliteStore {
    async fn acquire_lease(
        &self,
        name: &str,
        holder: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool> {
        let result = sqlx::query(
            "INSERT INTO leases (name, holder, until, taken_at) VALUES (?1, ?2, ?4, ?3)
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until, taken_at = excluded.taken_at
             WHERE leases.holder = excluded.holder OR leases.until <= ?3 OR leases.taken_at > ?5",
        )
        .bind(name)
        .bind(holder)
        .bind(instant(now))
        .bind(instant(until))
        .bind(instant(ahead_of(now)))
        .execute(self.writer.pool())
        .await
        .map_err(translate)?;
        Ok(result.rows_affected() == 1)
    }

    async fn release_lease(&self, name: &str, holder: &str) -> Result<()> {
        sqlx::query("DELETE FROM leases WHERE name = ?1 AND holder = ?2")
            .bind(name)
            .bind(holder)
            .execute(self.writer.pool())
            .await
            .map_err(translate)?;
        Ok(())
    }
}

#[async_trait]
impl SeenTokens for SqliteStore {
    async fn use_token(&self, binding: BindingId, token_id: &str, expires_at: DateTime<Utc>) -> Result<bool> {
        self.inbox.use_token(binding, token_id.to_owned(), expires_at).await
    }

    async fn purge_tokens(&self, now: DateTime<Utc>) -> Result<u64> {
        let result = sqlx::query("DELETE FROM seen_tokens WHERE expires_at <= ?1")
            .bind(instant(now))
            .execute(self.writer.pool())
            .await
            .map_err(translate)?;
        Ok(result.rows_affected())
    }
}

/// Notes a token within the transaction of those that came with it.
pub(crate) async fn use_token(
    connection: &mut SqliteConnection,
    binding: BindingId,
    token_id: &str,
    expires_at: DateTime<Utc>,
) -> Result<bool> {
    let result = sqlx::query(
        "INSERT INTO seen_tokens (binding_id, token_id, expires_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (binding_id, token_id) DO NOTHING",
    )
    .bind(binding.to_string())
    .bind(token_id)
    .bind(instant(expires_at))
    .execute(connection)
    .await
    .map_err(missing("the binding"))?;
    Ok(result.rows_affected() == 1)
}

/// Notes what a token was used for.
pub(crate) async fn note_run(
    connection: &mut SqliteConnection,
    binding: BindingId,
    token_id: &str,
    request: &str,
    run: RunId,
) -> Result<()> {
    sqlx::query("UPDATE seen_tokens SET request = ?3, run_id = ?4 WHERE binding_id = ?1 AND token_id = ?2")
        .bind(binding.to_string())
        .bind(token_id)
        .bind(request)
        .bind(run.to_string())
        .execute(connection)
        .await
        .map_err(translate)?;
    Ok(())
}

/// The run that answered the very same request.
pub(crate) async fn run_of(
    connection: &mut SqliteConnection,
    binding: BindingId,
    token_id: &str,
    request: &str,
) -> Result<Option<RunId>> {
    let run: Option<Option<String>> = sqlx::query_scalar(
        "SELECT run_id FROM seen_tokens WHERE binding_id = ?1 AND token_id = ?2 AND request = ?3",
    )
    .bind(binding.to_string())
    .bind(token_id)
    .bind(request)
    .fetch_optional(connection)
    .await
    .map_err(translate)?;
    Place { table: "seen_tokens", row: token_id }.optional_word("run_id", run.flatten().as_deref())
}
