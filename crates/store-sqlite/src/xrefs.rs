//! Cross-references: what a Magento entity is in Sage.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{ids::BindingId, xref::XrefKey};
use sqlx::SqliteConnection;
use store::{Error, NewXref, Result, Xref, Xrefs};

use crate::{
    columns::{Place, instant, json},
    error::translate,
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct XrefRow {
    kind: String,
    magento_key: String,
    sage_id: String,
    displayed_as: Option<String>,
    created_at: String,
    told: Option<String>,
}

impl TryFrom<XrefRow> for Xref {
    type Error = Error;

    fn try_from(row: XrefRow) -> Result<Self> {
        let place = Place { table: "xrefs", row: &row.magento_key };
        let (kind, created_at) = (place.word("kind", &row.kind)?, place.time("created_at", &row.created_at)?);
        let told = Place { table: "intents", ..place };
        let told = row.told.as_deref().map(|text| told.json("told", text)).transpose()?;
        Ok(Self {
            key: XrefKey { kind, magento_key: row.magento_key },
            sage_id: row.sage_id,
            displayed_as: row.displayed_as,
            created_at,
            told,
        })
    }
}

#[async_trait]
impl Xrefs for SqliteStore {
    async fn xrefs(&self, binding: BindingId, business: &str, keys: &[XrefKey]) -> Result<Vec<Xref>> {
        sqlx::query_as::<_, XrefRow>(
            "SELECT kind, magento_key, x.sage_id, x.displayed_as, x.created_at, i.told
               FROM xrefs x LEFT JOIN intents i USING (binding_id, business_id, kind, magento_key)
              WHERE binding_id = ?1 AND business_id = ?2
                AND (kind, magento_key) IN (SELECT value ->> 'kind', value ->> 'magento_key' FROM json_each(?3))",
        )
        .bind(binding.to_string())
        .bind(business)
        .bind(json(&keys)?)
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?
        .into_iter()
        .map(Xref::try_from)
        .collect()
    }
}

/// Keeps a cross-reference; the newest answer holds, from its first day on. What was sent to make it need not be kept any more.
pub(crate) async fn upsert(
    connection: &mut SqliteConnection,
    binding: &str,
    xref: &NewXref,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO xrefs (binding_id, business_id, kind, magento_key, sage_id, displayed_as, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (binding_id, business_id, kind, magento_key) DO UPDATE
            SET sage_id = excluded.sage_id, displayed_as = excluded.displayed_as",
    )
    .bind(binding)
    .bind(&xref.business_id)
    .bind(xref.key.kind.to_string())
    .bind(&xref.key.magento_key)
    .bind(&xref.sage_id)
    .bind(&xref.displayed_as)
    .bind(instant(now))
    .execute(&mut *connection)
    .await
    .map_err(translate)?;
    sqlx::query(
        "UPDATE intents SET sealed_call = NULL
          WHERE binding_id = ?1 AND business_id = ?2 AND kind = ?3 AND magento_key = ?4 AND sealed_call IS NOT NULL",
    )
    .bind(binding)
    .bind(&xref.business_id)
    .bind(xref.key.kind.to_string())
    .bind(&xref.key.magento_key)
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}
