//! Policy versions: every save is kept.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{BindingId, MemberId},
};
use sqlx::{FromRow, PgConnection};
use store::{Action, Error, Policies, PolicyVersion, RELEASED_AT_ONCE, Result, SavedPolicy};
use uuid::Uuid;

use crate::{
    PostgresStore,
    actions::record,
    changes::announce_of,
    error::{Place, Tried, clean_option, repeating, translate},
};

#[derive(FromRow)]
struct PolicyRow {
    version: i64,
    policy: String,
    author: Option<Uuid>,
    reason: Option<String>,
    created_at: DateTime<Utc>,
}

impl PolicyRow {
    fn read(self, binding: BindingId) -> Result<PolicyVersion> {
        Ok(PolicyVersion {
            version: self.version,
            policy: Place { table: "policy_versions", row: &binding }.json("policy", &self.policy)?,
            author: self.author.map(MemberId),
            reason: self.reason,
            created_at: self.created_at,
        })
    }
}

#[async_trait]
impl Policies for PostgresStore {
    async fn save_policy(
        &self,
        binding: BindingId,
        version: &PolicyVersion,
        action: Option<&Action>,
    ) -> Result<()> {
        let policy =
            serde_json::to_string(&version.policy).map_err(|error| Error::Driver(Box::new(error)))?;
        let policy = policy.as_str();
        repeating(move || save(self, binding, (version, policy), action)).await
    }

    async fn release_held(&self, now: DateTime<Utc>) -> Result<bool> {
        repeating(move || release_more(self, now)).await
    }

    async fn current_policy(&self, binding: BindingId) -> Result<Option<PolicyVersion>> {
        let row: Option<PolicyRow> = sqlx::query_as(
            "SELECT version, policy, author, reason, created_at FROM policy_versions
             WHERE binding_id = $1 ORDER BY version DESC LIMIT 1",
        )
        .bind(binding.0)
        .fetch_optional(&self.pool)
        .await
        .map_err(translate)?;
        row.map(|row| row.read(binding)).transpose()
    }

    async fn policy(&self, binding: BindingId, version: i64) -> Result<Option<PolicyVersion>> {
        let row: Option<PolicyRow> = sqlx::query_as(
            "SELECT version, policy, author, reason, created_at FROM policy_versions
             WHERE binding_id = $1 AND version = $2",
        )
        .bind(binding.0)
        .bind(version)
        .fetch_optional(&self.pool)
        .await
        .map_err(translate)?;
        row.map(|row| row.read(binding)).transpose()
    }

    async fn policy_history(
        &self,
        binding: BindingId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<SavedPolicy>> {
        let rows: Vec<SavedRow> = sqlx::query_as(
            "SELECT p.version, p.policy, p.author, p.reason, p.created_at,
                    coalesce(nullif(m.name, ''), a.email, m.former_email) AS author_name,
                    (SELECT count(*) FROM runs r
                      WHERE r.binding_id = p.binding_id AND r.policy_version = p.version) AS runs
             FROM policy_versions p LEFT JOIN members m ON m.id = p.author LEFT JOIN people a ON a.id = m.person_id
             WHERE p.binding_id = $1 AND ($2::bigint IS NULL OR p.version < $2)
             ORDER BY p.version DESC LIMIT $3",
        )
        .bind(binding.0)
        .bind(before)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        let saved = |row: SavedRow| {
            let version = row.policy.read(binding)?;
            Ok(SavedPolicy { version, author_name: row.author_name, runs: row.runs })
        };
        rows.into_iter().map(saved).collect()
    }
}

#[derive(FromRow)]
struct SavedRow {
    #[sqlx(flatten)]
    policy: PolicyRow,
    author_name: Option<String>,
    runs: i64,
}

async fn save(
    store: &PostgresStore,
    binding: BindingId,
    (version, policy): (&PolicyVersion, &str),
    action: Option<&Action>,
) -> Tried<()> {
    let mut transaction = store.pool.begin().await?;
    // The binding's row makes savers, arriving events and ending runs take turns.
    let touched = sqlx::query("UPDATE bindings SET trusted_since = $2 WHERE id = $1")
        .bind(binding.0)
        .bind(version.created_at)
        .execute(&mut *transaction)
        .await?;
    if touched.rows_affected() == 0 {
        return Err(Error::NotFound("the binding").into());
    }
    let saved = sqlx::query(
        "INSERT INTO policy_versions (binding_id, version, policy, author, reason, created_at)
         SELECT $1, $2, $3, $4, $5, $6
         WHERE $2 = 1 + (SELECT coalesce(max(version), 0) FROM policy_versions WHERE binding_id = $1)",
    )
    .bind(binding.0)
    .bind(version.version)
    .bind(policy)
    .bind(version.author.map(|author| author.0))
    .bind(clean_option(version.reason.as_ref()))
    .bind(version.created_at)
    .execute(&mut *transaction)
    .await?;
    if saved.rows_affected() == 0 {
        return Err(Error::Conflict("the policy version").into());
    }
    release(&mut transaction, binding.0, version.created_at).await?;
    record(&mut transaction, action).await?;
    transaction.commit().await?;
    Ok(())
}

/// One more batch of a binding whose settings were saved.
async fn release_more(store: &PostgresStore, now: DateTime<Utc>) -> Tried<bool> {
    let mut transaction = store.pool.begin().await?;
    let binding: Option<Uuid> =
        sqlx::query_scalar("SELECT id FROM bindings WHERE releases_held LIMIT 1 FOR UPDATE SKIP LOCKED")
            .fetch_optional(&mut *transaction)
            .await?;
    let Some(binding) = binding else { return Ok(false) };
    release(&mut transaction, binding, now).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Lets the runs that settings mend go on under the current version, so many at once; notes whether more may be left.
async fn release(connection: &mut PgConnection, binding: Uuid, now: DateTime<Utc>) -> Tried<()> {
    let released = sqlx::query(
        "UPDATE runs SET status = 'queued', code = NULL, message = NULL, cause = NULL, next_at = $2, updated_at = $2,
                         policy_version = (SELECT max(p.version) FROM policy_versions p WHERE p.binding_id = $1)
         WHERE binding_id = $1 AND id = ANY (ARRAY (
             SELECT r.id FROM runs r WHERE r.binding_id = $1 AND r.status = 'waiting' AND r.code = ANY($3)
             ORDER BY r.id LIMIT $4 FOR UPDATE))",
    )
    .bind(binding)
    .bind(now)
    .bind(Code::FIXED_BY_SETTINGS.map(Code::as_str).as_slice())
    .bind(i64::from(RELEASED_AT_ONCE))
    .execute(&mut *connection)
    .await?
    .rows_affected();
    sqlx::query("UPDATE bindings SET releases_held = $2 WHERE id = $1 AND releases_held <> $2")
        .bind(binding)
        .bind(released == u64::from(RELEASED_AT_ONCE))
        .execute(&mut *connection)
        .await?;
    if released > 0 {
        announce_of(connection, binding).await?;
    }
    Ok(())
}
