//! Policy versions: every save is kept.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{code::Code, ids::BindingId};
use sqlx::SqliteConnection;
use store::{Action, Error, Policies, PolicyVersion, RELEASED_AT_ONCE, Result, SavedPolicy};

use crate::{
    actions::record,
    columns::{Place, instant, json},
    error::translate,
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct PolicyRow {
    binding_id: String,
    version: i64,
    policy: String,
    author: Option<String>,
    reason: Option<String>,
    created_at: String,
}

impl TryFrom<PolicyRow> for PolicyVersion {
    type Error = Error;

    fn try_from(row: PolicyRow) -> Result<Self> {
        let place = Place { table: "policy_versions", row: &row.binding_id };
        Ok(Self {
            version: row.version,
            policy: place.json("policy", &row.policy)?,
            author: place.optional_word("author", row.author.as_deref())?,
            created_at: place.time("created_at", &row.created_at)?,
            reason: row.reason,
        })
    }
}

#[derive(sqlx::FromRow)]
struct SavedRow {
    #[sqlx(flatten)]
    policy: PolicyRow,
    author_name: Option<String>,
    runs: i64,
}

#[async_trait]
impl Policies for SqliteStore {
    async fn save_policy(
        &self,
        binding: BindingId,
        version: &PolicyVersion,
        action: Option<&Action>,
    ) -> Result<()> {
        let (binding, now) = (binding.to_string(), instant(version.created_at));
        let mut transaction = self.writer.begin().await?;
        let touched = sqlx::query("UPDATE bindings SET trusted_since = ?2 WHERE id = ?1")
            .bind(&binding)
            .bind(&now)
            .execute(&mut *transaction)
            .await
            .map_err(translate)?;
        if touched.rows_affected() == 0 {
            return Err(Error::NotFound("the binding"));
        }
        let saved = sqlx::query(
            "INSERT INTO policy_versions (binding_id, version, policy, author, reason, created_at)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6
              WHERE ?2 = 1 + coalesce((SELECT max(version) FROM policy_versions WHERE binding_id = ?1), 0)",
        )
        .bind(&binding)
        .bind(version.version)
        .bind(json(&version.policy)?)
        .bind(version.author.map(|author| author.to_string()))
        .bind(&version.reason)
        .bind(&now)
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        if saved.rows_affected() == 0 {
            return Err(Error::Conflict("the policy version"));
        }
        release(&mut transaction, &binding, &now).await?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)?;
        self.announcer.binding(&binding).await;
        Ok(())
    }

    async fn release_held(&self, now: DateTime<Utc>) -> Result<bool> {
        let mut transaction = self.writer.begin().await?;
        let binding: Option<String> =
            sqlx::query_scalar("SELECT id FROM bindings WHERE releases_held = 1 LIMIT 1")
                .fetch_optional(&mut *transaction)
                .await
                .map_err(translate)?;
        let Some(binding) = binding else { return Ok(false) };
        release(&mut transaction, &binding, &instant(now)).await?;
        transaction.commit().await.map_err(translate)?;
        self.announcer.binding(&binding).await;
        Ok(true)
    }

    async fn current_policy(&self, binding: BindingId) -> Result<Option<PolicyVersion>> {
        sqlx::query_as::<_, PolicyRow>(
            "SELECT * FROM policy_versions WHERE binding_id = ?1 ORDER BY version DESC LIMIT 1",
        )
        .bind(binding.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(translate)?
        .map(PolicyVersion::try_from)
        .transpose()
    }

    async fn policy(&self, binding: BindingId, version: i64) -> Result<Option<PolicyVersion>> {
        sqlx::query_as::<_, PolicyRow>("SELECT * FROM policy_versions WHERE binding_id = ?1 AND version = ?2")
            .bind(binding.to_string())
            .bind(version)
            .fetch_optional(&self.readers)
            .await
            .map_err(translate)?
            .map(PolicyVersion::try_from)
            .transpose()
    }

    async fn policy_history(
        &self,
        binding: BindingId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<SavedPolicy>> {
        let rows: Vec<SavedRow> = sqlx::query_as(
            "SELECT p.*, coalesce(nullif(m.name, ''), a.email, m.former_email) AS author_name,
                    (SELECT count(*) FROM runs r
                      WHERE r.binding_id = p.binding_id AND r.policy_version = p.version) AS runs
               FROM policy_versions p LEFT JOIN members m ON m.id = p.author LEFT JOIN people a ON a.id = m.person_id
              WHERE p.binding_id = ?1 AND (?2 IS NULL OR p.version < ?2)
              ORDER BY p.version DESC LIMIT ?3",
        )
        .bind(binding.to_string())
        .bind(before)
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?;
        let saved = |row: SavedRow| {
            Ok(SavedPolicy { version: row.policy.try_into()?, author_name: row.author_name, runs: row.runs })
        };
        rows.into_iter().map(saved).collect()
    }
}

/// Lets the runs that settings mend go on under the current version, so many at once; notes whether more may be left.
async fn release(connection: &mut SqliteConnection, binding: &str, now: &str) -> Result<()> {
    let released = sqlx::query(
        "UPDATE runs SET status = 'queued', code = NULL, message = NULL, cause = NULL, next_at = ?2, updated_at = ?2,
                         policy_version = (SELECT max(p.version) FROM policy_versions p WHERE p.binding_id = ?1)
          WHERE id IN (SELECT r.id FROM runs r
                        WHERE r.binding_id = ?1 AND r.status = 'waiting' AND r.code IN (?3, ?4, ?5) ORDER BY r.id LIMIT ?6)",
    )
    .bind(binding)
    .bind(now)
    .bind(Code::FIXED_BY_SETTINGS[0].as_str())
    .bind(Code::FIXED_BY_SETTINGS[1].as_str())
    .bind(Code::FIXED_BY_SETTINGS[2].as_str())
    .bind(RELEASED_AT_ONCE)
    .execute(&mut *connection)
    .await
    .map_err(translate)?;
    sqlx::query("UPDATE bindings SET releases_held = ?2 WHERE id = ?1 AND releases_held <> ?2")
        .bind(binding)
        .bind(released.rows_affected() == u64::from(RELEASED_AT_ONCE))
        .execute(connection)
        .await
        .map_err(translate)?;
    Ok(())
}
