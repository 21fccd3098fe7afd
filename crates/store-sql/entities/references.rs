//! The cached reference set of a binding's Sage business.

use async_trait::async_trait;
use domain::{
    business::{Books, ReferenceSet},
    ids::{BindingId, OrganisationId},
};
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

#[derive(sqlx::FromRow)]
struct BooksRow {
    binding_id: Id<BindingId>,
    books: Json<Books>,
}

impl Record for BooksRow {
    type Value = (BindingId, Books);
    const TABLE: &'static str = "reference_sets";
    const KEY: &'static str = "binding_id";

    fn value(self) -> Result<(BindingId, Books)> {
        Ok((self.binding_id.0, self.books.0))
    }
}

#[async_trait]
impl References for Driver {
    async fn reference(&self, binding: BindingId) -> Result<Option<CachedReference>> {
        let found =
            sqlx::query("SELECT binding_id, body, fetched_at FROM reference_sets WHERE binding_id = $1");
        Ok(rows::optional::<ReferenceRow>(found.bind(Id(binding)), self.reader()).await?)
    }

    async fn books(&self, organisation: OrganisationId) -> Result<Vec<(BindingId, Books)>> {
        let found = sqlx::query(
            "SELECT r.binding_id, r.books FROM bindings b JOIN reference_sets r ON r.binding_id = b.id
              WHERE b.organisation_id = $1 AND r.books IS NOT NULL ORDER BY b.created_at, b.id",
        );
        // Those that cannot be read only cost their symbol: amounts are shown by their codes then.
        Ok(rows::readable::<BooksRow>(found.bind(Id(organisation)), self.reader()).await?)
    }

    async fn put_reference(
        &self,
        binding: BindingId,
        reference: &CachedReference,
        action: Option<&Action>,
    ) -> Result<()> {
        self.write(move |mut transaction| async move {
            sqlx::query(
                "INSERT INTO reference_sets (binding_id, body, fetched_at, books) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (binding_id) DO UPDATE
                    SET body = excluded.body, fetched_at = excluded.fetched_at, books = excluded.books",
            )
            .bind(Id(binding))
            .bind(Json(&reference.set))
            .bind(Instant(reference.fetched_at))
            .bind(Json(reference.set.books()))
            .execute(&mut *transaction)
            .await
            .map_err(missing("the binding"))?;
            record(&mut transaction, action).await?;
            transaction.commit(()).await
        })
        .await
    }
}
