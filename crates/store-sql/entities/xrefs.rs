//! Cross-references: what a Magento entity is in Sage.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{ids::BindingId, xref::XrefKey};
use sqlx::{FromRow, PgConnection};
use store::{NewXref, Result, Xref, Xrefs};

use crate::{
    PostgresStore,
    error::{Place, Tried, clean, clean_option, translate},
};

#[derive(FromRow)]
struct XrefRow {
    kind: String,
    magento_key: String,
    sage_id: String,
    displayed_as: Option<String>,
    created_at: DateTime<Utc>,
    told: Option<String>,
}

#[async_trait]
impl Xrefs for PostgresStore {
    async fn xrefs(&self, binding: BindingId, business: &str, keys: &[XrefKey]) -> Result<Vec<Xref>> {
        let (kinds, magento_keys) = columns(keys);
        let rows: Vec<XrefRow> = sqlx::query_as(
            "SELECT kind, magento_key, x.sage_id, x.displayed_as, x.created_at, i.told
             FROM xrefs x LEFT JOIN intents i USING (binding_id, business_id, kind, magento_key)
             WHERE binding_id = $1 AND business_id = $2
               AND (kind, magento_key) IN (SELECT * FROM unnest($3::text[], $4::text[]))
             ORDER BY kind, magento_key",
        )
        .bind(binding.0)
        .bind(business)
        .bind(kinds)
        .bind(magento_keys)
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        rows.into_iter()
            .map(|row| {
                let kind = Place { table: "xrefs", row: &row.magento_key }.word("kind", &row.kind)?;
                let told = Place { table: "intents", row: &row.magento_key };
                let told = row.told.as_deref().map(|text| told.json("told", text)).transpose()?;
                Ok(Xref {
                    key: XrefKey { kind, magento_key: row.magento_key },
                    sage_id: row.sage_id,
                    displayed_as: row.displayed_as,
                    created_at: row.created_at,
                    told,
                })
            })
            .collect()
    }
}

/// The keys as the two arrays that a statement takes.
pub(crate) fn columns(keys: &[XrefKey]) -> (Vec<String>, Vec<String>) {
    keys.iter().map(|key| (key.kind.to_string(), clean(&key.magento_key))).unzip()
}

/// Keeps a cross-reference within a transaction; a record that was made again takes its place, its first day stays. What was sent to
/// make it need not be kept any more.
pub(crate) async fn keep(
    connection: &mut PgConnection,
    binding: uuid::Uuid,
    xref: &NewXref,
    now: DateTime<Utc>,
) -> Tried<()> {
    sqlx::query(
        "INSERT INTO xrefs (binding_id, business_id, kind, magento_key, sage_id, displayed_as, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (binding_id, business_id, kind, magento_key) DO UPDATE
         SET sage_id = excluded.sage_id, displayed_as = excluded.displayed_as",
    )
    .bind(binding)
    .bind(&xref.business_id)
    .bind(xref.key.kind.to_string())
    .bind(clean(&xref.key.magento_key))
    .bind(&xref.sage_id)
    .bind(clean_option(xref.displayed_as.as_ref()))
    .bind(now)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "UPDATE intents SET sealed_call = NULL
         WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4 AND sealed_call IS NOT NULL",
    )
    .bind(binding)
    .bind(&xref.business_id)
    .bind(xref.key.kind.to_string())
    .bind(clean(&xref.key.magento_key))
    .execute(connection)
    .await?;
    Ok(())
}
