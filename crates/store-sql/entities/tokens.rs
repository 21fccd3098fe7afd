//! Tokens that were used, and what for.

use chrono::{DateTime, Utc};
use domain::ids::{BindingId, RunId};
use sqlx::query::Query;
use store_sql::{Id, Instant, Text};

use super::{Tried, missing};
use crate::db::{Arguments, Connection, Db};

/// Notes a token within a transaction; `false` when it was noted before.
pub(crate) async fn note_token(
    connection: &mut Connection,
    binding: BindingId,
    token_id: &str,
    expires_at: DateTime<Utc>,
) -> Tried<bool> {
    let noted = sqlx::query(
        "INSERT INTO seen_tokens (binding_id, token_id, expires_at) VALUES ($1, $2, $3) ON CONFLICT (binding_id, token_id) DO NOTHING",
    )
    .bind(Id(binding))
    .bind(Text(token_id))
    .bind(Instant(expires_at))
    .execute(connection)
    .await
    .map_err(missing("the binding"))?;
    Ok(noted.rows_affected() == 1)
}

/// Notes what a token was used for.
pub(crate) async fn note_run(
    connection: &mut Connection,
    binding: BindingId,
    token_id: &str,
    request: &str,
    run: RunId,
) -> Tried<()> {
    sqlx::query("UPDATE seen_tokens SET request = $3, run_id = $4 WHERE binding_id = $1 AND token_id = $2")
        .bind(Id(binding))
        .bind(Text(token_id))
        .bind(request)
        .bind(Id(run))
        .execute(connection)
        .await?;
    Ok(())
}

/// The run that answered the very same request.
pub(crate) async fn run_of_token(
    connection: &mut Connection,
    binding: BindingId,
    token_id: &str,
    request: &str,
) -> Tried<Option<RunId>> {
    let run: Option<Option<Id<RunId>>> = sqlx::query_scalar(
        "SELECT run_id FROM seen_tokens WHERE binding_id = $1 AND token_id = $2 AND request = $3",
    )
    .bind(Id(binding))
    .bind(Text(token_id))
    .bind(request)
    .fetch_optional(connection)
    .await?;
    Ok(run.flatten().map(|run| run.0))
}

/// Forgets the tokens that are not valid any more anyway.
pub(crate) fn purge(now: DateTime<Utc>) -> Query<'static, Db, Arguments> {
    sqlx::query("DELETE FROM seen_tokens WHERE expires_at <= $1").bind(Instant(now))
}
