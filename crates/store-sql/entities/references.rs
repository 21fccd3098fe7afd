//! The cached reference set of a binding's Sage business.

use async_trait::async_trait;
use domain::{business::ReferenceSet, ids::BindingId};
use store::{Action, CachedReference, References, Result};
use store_sql::{Id, Instant, Json};

use super::{
    audit::record,
    missing,
    rows::{self, Record},
};
use crate::driver::Driver;

#[derive(sqlx::FromRow)]
struct ReferenceRow {
    body: Json<ReferenceSet>,
    fetched_at: Instant,
}

impl Record for ReferenceRow {
    type Value = CachedReference;
    const TABLE: &'static str = "reference_sets";
    const KEY: &'static str = "binding_id";

    fn value(self) -> Result<CachedReference> {
        Ok(CachedReference { set: self.body.0, fetched_at: self.fetched_at.0 })
    }
}

#[async_trait]
impl References for Driver {
    async fn reference(&self, binding: BindingId) -> Result<Option<CachedReference>> {
        let found =
            sqlx::query("SELECT binding_id, body, fetched_at FROM reference_sets WHERE binding_id = $1");
        Ok(rows::optional::<ReferenceRow>(found.bind(Id(binding)), self.reader()).await?)
    }

    async fn put_reference(
        &self,
        binding: BindingId,
        reference: &CachedReference,
        action: Option<&Action>,
    ) -> Result<()> {
        self.write(move |mut transaction| async move {
            sqlx::query(
                "INSERT INTO reference_sets (binding_id, body, fetched_at) VALUES ($1, $2, $3)
                 ON CONFLICT (binding_id) DO UPDATE SET body = excluded.body, fetched_at = excluded.fetched_at",
            )
            .bind(Id(binding))
            .bind(Json(&reference.set))
            .bind(Instant(reference.fetched_at))
            .execute(&mut *transaction)
            .await
            .map_err(missing("the binding"))?;
            record(&mut transaction, action).await?;
            transaction.commit(()).await
        })
        .await
    }
}
