//! Cached reference sets.

use async_trait::async_trait;
use domain::ids::BindingId;
use store::{Action, CachedReference, Error, References, Result};

use crate::{
    actions::record,
    columns::{Place, instant, json},
    error::{missing, translate},
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct ReferenceRow {
    binding_id: String,
    body: String,
    fetched_at: String,
}

impl TryFrom<ReferenceRow> for CachedReference {
    type Error = Error;

    fn try_from(row: ReferenceRow) -> Result<Self> {
        let place = Place { table: "reference_sets", row: &row.binding_id };
        Ok(Self {
            set: place.json("body", &row.body)?,
            fetched_at: place.time("fetched_at", &row.fetched_at)?,
        })
    }
}

#[async_trait]
impl References for SqliteStore {
    async fn reference(&self, binding: BindingId) -> Result<Option<CachedReference>> {
        sqlx::query_as::<_, ReferenceRow>(
            "SELECT binding_id, body, fetched_at FROM reference_sets WHERE binding_id = ?1",
        )
        .bind(binding.to_string())
        .fetch_optional(&self.readers)
        .await
        .map_err(translate)?
        .map(CachedReference::try_from)
        .transpose()
    }

    async fn put_reference(
        &self,
        binding: BindingId,
        reference: &CachedReference,
        action: Option<&Action>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        sqlx::query(
            "INSERT INTO reference_sets (binding_id, body, fetched_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (binding_id) DO UPDATE SET body = excluded.body, fetched_at = excluded.fetched_at",
        )
        .bind(binding.to_string())
        .bind(json(&reference.set)?)
        .bind(instant(reference.fetched_at))
        .execute(&mut *transaction)
        .await
        .map_err(missing("the binding"))?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)
    }
}
