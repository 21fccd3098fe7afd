//! Policy versions: every save is kept.

use async_trait::async_trait;
use domain::{code::Code, ids::BindingId};
use store::{Error, Policies, PolicyVersion, Result, SavedPolicy, Standing};

use crate::{
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
    async fn save_policy(&self, binding: BindingId, version: &PolicyVersion) -> Result<()> {
        let (binding, now) = (binding.to_string(), instant(version.created_at));
        let mut transaction = self.writer.begin().await?;
        let status: Option<String> =
            sqlx::query_scalar("UPDATE bindings SET trusted_since = ?2 WHERE id = ?1 RETURNING status")
                .bind(&binding)
                .bind(&now)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(translate)?;
        let status = status.ok_or(Error::NotFound("the binding"))?;
        let status = Place { table: "bindings", row: &binding }.word("status", &status)?;
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
        let onward = Standing::onward(status, version.created_at);
        sqlx::query(
            "UPDATE runs SET status = ?4, code = ?5, message = NULL, cause = NULL, next_at = ?3, updated_at = ?3, policy_version = ?2
              WHERE binding_id = ?1 AND status = 'waiting' AND code IN (?6, ?7, ?8)",
        )
        .bind(&binding)
        .bind(version.version)
        .bind(&now)
        .bind(onward.status.as_str())
        .bind(onward.code.map(Code::as_str))
        .bind(Code::MENDED_BY_SETTINGS[0].as_str())
        .bind(Code::MENDED_BY_SETTINGS[1].as_str())
        .bind(Code::MENDED_BY_SETTINGS[2].as_str())
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        transaction.commit().await.map_err(translate)?;
        self.announce();
        Ok(())
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
            "SELECT p.*, coalesce(nullif(m.name, ''), m.email) AS author_name,
                    (SELECT count(*) FROM runs r
                      WHERE r.binding_id = p.binding_id AND r.policy_version = p.version) AS runs
               FROM policy_versions p LEFT JOIN members m ON m.id = p.author
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
