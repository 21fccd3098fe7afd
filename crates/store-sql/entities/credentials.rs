//! Credentials, sealed by the vault.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::BindingId;
use store::{Action, CredentialKind, Credentials, Result, Sealed, SealedCredential};
use store_sql::{Id, Instant, Word};
use uuid::Uuid;

use super::{
    audit::record,
    missing,
    rows::{self, Record},
    stale,
};
use crate::driver::Driver;

#[derive(sqlx::FromRow)]
struct SealedRow {
    binding_id: Id<BindingId>,
    kind: Word<CredentialKind>,
    envelope: String,
    version: i64,
    updated_at: Instant,
}

impl Record for SealedRow {
    type Value = SealedCredential;
    const TABLE: &'static str = "credentials";
    const KEY: &'static str = "binding_id";

    fn value(self) -> Result<SealedCredential> {
        let SealedRow { binding_id, kind, envelope, version, updated_at } = self;
        let sealed = Sealed { envelope, version, updated_at: updated_at.0 };
        Ok(SealedCredential { binding: binding_id.0, kind: kind.0, sealed })
    }
}

#[async_trait]
impl Credentials for Driver {
    async fn credential(&self, binding: BindingId, kind: CredentialKind) -> Result<Option<Sealed>> {
        let found = sqlx::query(
            "SELECT binding_id, kind, envelope, version, updated_at FROM credentials
              WHERE binding_id = $1 AND kind = $2 AND envelope IS NOT NULL",
        )
        .bind(Id(binding))
        .bind(kind.as_str());
        let found = rows::optional::<SealedRow>(found, self.reader()).await?;
        Ok(found.map(|credential| credential.sealed))
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
        self.write(move |mut transaction| async move {
            let version: Option<i64> = sqlx::query_scalar(statement)
                .bind(Id(binding))
                .bind(kind.as_str())
                .bind(envelope)
                .bind(replaces)
                .bind(Instant(now))
                .fetch_optional(&mut *transaction)
                .await
                .map_err(missing("the binding"))?;
            let version = version.ok_or_else(stale)?;
            record(&mut transaction, action).await?;
            transaction.commit(version).await
        })
        .await
    }

    async fn page_credentials(
        &self,
        after: Option<(BindingId, CredentialKind)>,
        limit: u32,
    ) -> Result<Vec<SealedCredential>> {
        // No id is smaller than nil, and every word is greater than the empty text.
        let (binding, kind) =
            after.map_or((Uuid::nil(), ""), |(binding, kind)| (binding.into(), kind.as_str()));
        let found = sqlx::query(
            "SELECT binding_id, kind, envelope, version, updated_at FROM credentials
             WHERE envelope IS NOT NULL AND (binding_id, kind) > ($1, $2)
             ORDER BY binding_id, kind LIMIT $3",
        )
        .bind(Id(binding))
        .bind(kind)
        .bind(i64::from(limit));
        Ok(rows::all::<SealedRow>(found, self.reader()).await?)
    }

    async fn withdraw_credential(
        &self,
        binding: BindingId,
        kind: CredentialKind,
        version: i64,
    ) -> Result<bool> {
        Ok(self
            .execute(|| {
                sqlx::query(
                    "UPDATE credentials SET envelope = NULL
                 WHERE binding_id = $1 AND kind = $2 AND version = $3 AND envelope IS NOT NULL",
                )
                .bind(Id(binding))
                .bind(kind.as_str())
                .bind(version)
            })
            .await?
            == 1)
    }

    async fn delete_credential(&self, binding: BindingId, kind: CredentialKind) -> Result<()> {
        self.execute(|| {
            sqlx::query("UPDATE credentials SET envelope = NULL WHERE binding_id = $1 AND kind = $2")
                .bind(Id(binding))
                .bind(kind.as_str())
        })
        .await?;
        Ok(())
    }
}
