//! The cached reference set of a binding's Sage business.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::BindingId;
use store::{Action, CachedReference, Error, References, Result};

use crate::{
    PostgresStore,
    actions::record,
    error::{Place, repeating, translate},
};

#[async_trait]
impl References for PostgresStore {
    async fn reference(&self, binding: BindingId) -> Result<Option<CachedReference>> {
        let row: Option<(String, DateTime<Utc>)> =
            sqlx::query_as("SELECT body, fetched_at FROM reference_sets WHERE binding_id = $1")
                .bind(binding.0)
                .fetch_optional(&self.pool)
                .await
                .map_err(translate)?;
        let Some((body, fetched_at)) = row else { return Ok(None) };
        let set = Place { table: "reference_sets", row: &binding }.json("body", &body)?;
        Ok(Some(CachedReference { set, fetched_at }))
    }

    async fn put_reference(
        &self,
        binding: BindingId,
        reference: &CachedReference,
        action: Option<&Action>,
    ) -> Result<()> {
        let body = serde_json::to_string(&reference.set).map_err(|error| Error::Driver(Box::new(error)))?;
        let body = body.as_str();
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            sqlx::query(
                "INSERT INTO reference_sets (binding_id, body, fetched_at) VALUES ($1, $2, $3)
                 ON CONFLICT (binding_id) DO UPDATE SET body = excluded.body, fetched_at = excluded.fetched_at",
            )
            .bind(binding.0)
            .bind(body)
            .bind(reference.fetched_at)
            .execute(&mut *transaction)
            .await?;
            record(&mut transaction, action).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }
}
