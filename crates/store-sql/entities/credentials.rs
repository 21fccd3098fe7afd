//! Credentials, sealed by the vault.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::BindingId;
use store::{Action, CredentialKind, Credentials, Error, Result, Sealed, SealedCredential};
use uuid::Uuid;

use crate::{
    PostgresStore,
    actions::record,
    error::{Place, lost, repeating, translate},
};

#[derive(sqlx::FromRow)]
struct SealedRow {
    binding_id: Uuid,
    kind: String,
    envelope: String,
    version: i64,
    updated_at: DateTime<Utc>,
}

impl TryFrom<SealedRow> for SealedCredential {
    type Error = Error;

    fn try_from(row: SealedRow) -> Result<Self> {
        let kind = Place { table: "credentials", row: &row.binding_id }.word("kind", &row.kind)?;
        let SealedRow { envelope, version, updated_at, .. } = row;
        Ok(Self {
            binding: BindingId(row.binding_id),
            kind,
            sealed: Sealed { envelope, version, updated_at },
        })
    }
}

#[async_trait]
impl Credentials for PostgresStore {
    async fn credential(&self, binding: BindingId, kind: CredentialKind) -> Result<Option<Sealed>> {
        let row: Option<(String, i64, DateTime<Utc>)> = sqlx::query_as(
            "SELECT envelope, version, updated_at FROM credentials
             WHERE binding_id = $1 AND kind = $2 AND envelope IS NOT NULL",
        )
        .bind(binding.0)
        .bind(kind.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(translate)?;
        Ok(row.map(|(envelope, version, updated_at)| Sealed { envelope, version, updated_at }))
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
        // A deleted one is replaced by 0 like one that never was, but its numbers go on.
        let statement = if replaces == 0 {
            "INSERT INTO credentials (binding_id, kind, envelope, version, updated_at) VALUES ($1, $2, $3, $4 + 1, $5)
             ON CONFLICT (binding_id, kind) DO UPDATE
             SET envelope = excluded.envelope, version = credentials.version + 1, updated_at = excluded.updated_at
             WHERE credentials.envelope IS NULL
             RETURNING version"
        } else {
            "UPDATE credentials SET envelope = $3, version = version + 1, updated_at = $5
             WHERE binding_id = $1 AND kind = $2 AND version = $4 AND envelope IS NOT NULL
             RETURNING version"
        };
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let version: Option<i64> = sqlx::query_scalar(statement)
                .bind(binding.0)
                .bind(kind.as_str())
                .bind(envelope)
                .bind(replaces)
                .bind(now)
                .fetch_optional(&mut *transaction)
                .await?;
            let version = version.ok_or_else(lost)?;
            record(&mut transaction, action).await?;
            transaction.commit().await?;
            Ok(version)
        })
        .await
    }

    async fn page_credentials(
        &self,
        after: Option<(BindingId, CredentialKind)>,
        limit: u32,
    ) -> Result<Vec<SealedCredential>> {
        // No id is smaller than nil, and every word is greater than the empty text.
        let (binding, kind) = after.map_or((Uuid::nil(), ""), |(binding, kind)| (binding.0, kind.as_str()));
        let rows = sqlx::query_as::<_, SealedRow>(
            "SELECT binding_id, kind, envelope, version, updated_at FROM credentials
             WHERE envelope IS NOT NULL AND (binding_id, kind) > ($1, $2)
             ORDER BY binding_id, kind LIMIT $3",
        )
        .bind(binding)
        .bind(kind)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
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
        repeating(move || async move {
            let withdrawn = sqlx::query(
                "UPDATE credentials SET envelope = NULL
                 WHERE binding_id = $1 AND kind = $2 AND version = $3 AND envelope IS NOT NULL",
            )
            .bind(binding.0)
            .bind(kind.as_str())
            .bind(version)
            .execute(&self.pool)
            .await?;
            Ok(withdrawn.rows_affected() == 1)
        })
        .await
    }

    async fn delete_credential(&self, binding: BindingId, kind: CredentialKind) -> Result<()> {
        repeating(move || async move {
            sqlx::query("UPDATE credentials SET envelope = NULL WHERE binding_id = $1 AND kind = $2")
                .bind(binding.0)
                .bind(kind.as_str())
                .execute(&self.pool)
                .await?;
            Ok(())
        })
        .await
    }
}
