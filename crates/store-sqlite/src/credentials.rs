//! Sealed credentials.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::BindingId;
use store::{Action, CredentialKind, Credentials, Error, Result, Sealed, SealedCredential};

use crate::{
    actions::record,
    columns::{Place, instant},
    error::{missing, stale, translate},
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct SealedRow {
    binding_id: String,
    kind: String,
    envelope: String,
    version: i64,
    updated_at: String,
}

impl TryFrom<SealedRow> for Sealed {
    type Error = Error;

    fn try_from(row: SealedRow) -> Result<Self> {
        let updated_at =
            Place { table: "credentials", row: &row.binding_id }.time("updated_at", &row.updated_at)?;
        Ok(Self { envelope: row.envelope, version: row.version, updated_at })
    }
}

impl TryFrom<SealedRow> for SealedCredential {
    type Error = Error;

    fn try_from(row: SealedRow) -> Result<Self> {
        let place = Place { table: "credentials", row: &row.binding_id };
        let binding = place.word("binding_id", &row.binding_id)?;
        let kind = place.word("kind", &row.kind)?;
        Ok(Self { binding, kind, sealed: row.try_into()? })
    }
}

#[async_trait]
impl Credentials for SqliteStore {
    async fn credential(&self, binding: BindingId, kind: CredentialKind) -> Result<Option<Sealed>> {
        sqlx::query_as::<_, SealedRow>(
            "SELECT binding_id, kind, envelope, version, updated_at FROM credentials
              WHERE binding_id = ?1 AND kind = ?2 AND envelope IS NOT NULL",
        )
        .bind(binding.to_string())
        .bind(kind.as_str())
        .fetch_optional(&self.readers)
        .await
        .map_err(translate)?
        .map(Sealed::try_from)
        .transpose()
    }

    async fn put_credential(
        &self,
        binding: BindingId,
        kind: CredentialKind,
        envelope: &str,
        replaces: i64,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<i64> {
        let query = if replaces == 0 {
            // A deleted one counts as none, but its version goes on.
            sqlx::query_scalar(
                "INSERT INTO credentials (binding_id, kind, envelope, version, updated_at) VALUES (?1, ?2, ?3, 1, ?4)
                 ON CONFLICT (binding_id, kind) DO UPDATE
                    SET envelope = excluded.envelope, version = credentials.version + 1, updated_at = excluded.updated_at
                  WHERE credentials.envelope IS NULL
                 RETURNING version",
            )
        } else {
            sqlx::query_scalar(
                "UPDATE credentials SET envelope = ?3, version = version + 1, updated_at = ?4
                  WHERE binding_id = ?1 AND kind = ?2 AND envelope IS NOT NULL AND version = ?5
                 RETURNING version",
            )
        };
        let query = query.bind(binding.to_string()).bind(kind.as_str()).bind(envelope).bind(instant(now));
        let query = if replaces == 0 { query } else { query.bind(replaces) };
        let mut transaction = self.writer.begin().await?;
        let version = query.fetch_optional(&mut *transaction).await.map_err(missing("the binding"))?;
        let version = version.ok_or_else(stale)?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)?;
        Ok(version)
    }

    async fn page_credentials(
        &self,
        after: Option<(BindingId, CredentialKind)>,
        limit: u32,
    ) -> Result<Vec<SealedCredential>> {
        // Every id and every word is greater than the empty text.
        let (binding, kind) =
            after.map_or_else(|| (String::new(), ""), |(binding, kind)| (binding.to_string(), kind.as_str()));
        let rows = sqlx::query_as::<_, SealedRow>(
            "SELECT binding_id, kind, envelope, version, updated_at FROM credentials
              WHERE envelope IS NOT NULL AND (binding_id, kind) > (?1, ?2)
              ORDER BY binding_id, kind LIMIT ?3",
        )
        .bind(binding)
        .bind(kind)
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?;
        rows.into_iter().map(SealedCredential::try_from).collect()
    }

    async fn withdraw_credential(
        &self,
        binding: BindingId,
        kind: CredentialKind,
        version: i64,
    ) -> Result<bool> {
        let withdrawn = sqlx::query(
            "UPDATE credentials SET envelope = NULL
              WHERE binding_id = ?1 AND kind = ?2 AND version = ?3 AND envelope IS NOT NULL",
        )
        .bind(binding.to_string())
        .bind(kind.as_str())
        .bind(version)
        .execute(self.writer.pool())
        .await
        .map_err(translate)?;
        Ok(withdrawn.rows_affected() == 1)
    }

    async fn delete_credential(&self, binding: BindingId, kind: CredentialKind) -> Result<()> {
        sqlx::query("UPDATE credentials SET envelope = NULL WHERE binding_id = ?1 AND kind = ?2")
            .bind(binding.to_string())
            .bind(kind.as_str())
            .execute(self.writer.pool())
            .await
            .map_err(translate)?;
        Ok(())
    }
}
