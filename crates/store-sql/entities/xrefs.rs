//! Cross-references: what a Magento entity is in Sage.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    contact_snapshot::ContactSnapshot,
    ids::BindingId,
    xref::{XrefKey, XrefKind},
};
use store::{NewXref, Result, Xref, Xrefs};
use store_sql::{Id, Instant, Json, Text, Word, Words};

use super::{
    Tried,
    rows::{self, Record},
};
use crate::{
    db::{Connection, kept},
    dialect::zipped,
    driver::Driver,
};

#[derive(sqlx::FromRow)]
struct XrefRow {
    kind: Word<XrefKind>,
    magento_key: String,
    sage_id: String,
    displayed_as: Option<String>,
    created_at: Instant,
    told: Option<Json<ContactSnapshot>>,
}

impl Record for XrefRow {
    type Value = Xref;
    const TABLE: &'static str = "xrefs";
    const KEY: &'static str = "magento_key";

    fn value(self) -> Result<Xref> {
        Ok(Xref {
            key: XrefKey { kind: self.kind.0, magento_key: self.magento_key },
            sage_id: self.sage_id,
            displayed_as: self.displayed_as,
            created_at: self.created_at.0,
            told: self.told.map(|told| told.0),
        })
    }
}

#[async_trait]
impl Xrefs for Driver {
    async fn xrefs(&self, binding: BindingId, business: &str, keys: &[XrefKey]) -> Result<Vec<Xref>> {
        let (kinds, magento_keys) = columns(keys);
        let found = sqlx::query(concat!(
            "SELECT kind, magento_key, x.sage_id, x.displayed_as, x.created_at, i.told
               FROM xrefs x LEFT JOIN intents i USING (binding_id, business_id, kind, magento_key)
              WHERE binding_id = $1 AND business_id = $2 AND (kind, magento_key) IN (",
            zipped!("$3", "$4"),
            ") ORDER BY kind, magento_key"
        ))
        .bind(Id(binding))
        .bind(business)
        .bind(kinds)
        .bind(magento_keys);
        Ok(rows::all::<XrefRow>(found, self.reader()).await?)
    }
}

/// The keys as the two lists that a statement takes.
pub(crate) fn columns(keys: &[XrefKey]) -> (Words<XrefKind>, Words<String>) {
    let (kinds, magento_keys) = keys.iter().map(|key| (key.kind, kept(key.magento_key.clone()))).unzip();
    (Words(kinds), Words(magento_keys))
}

/// Keeps a cross-reference within a transaction; a record that was made again takes its place, its first day stays. What was sent to
/// make it need not be kept any more.
pub(crate) async fn keep(
    connection: &mut Connection,
    binding: BindingId,
    xref: &NewXref,
    now: DateTime<Utc>,
) -> Tried<()> {
    sqlx::query(
        "INSERT INTO xrefs (binding_id, business_id, kind, magento_key, sage_id, displayed_as, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (binding_id, business_id, kind, magento_key) DO UPDATE
         SET sage_id = excluded.sage_id, displayed_as = excluded.displayed_as",
    )
    .bind(Id(binding))
    .bind(&xref.business_id)
    .bind(xref.key.kind.to_string())
    .bind(Text(&xref.key.magento_key))
    .bind(&xref.sage_id)
    .bind(xref.displayed_as.as_ref().map(Text))
    .bind(Instant(now))
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "UPDATE intents SET sealed_call = NULL
         WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4 AND sealed_call IS NOT NULL",
    )
    .bind(Id(binding))
    .bind(&xref.business_id)
    .bind(xref.key.kind.to_string())
    .bind(Text(&xref.key.magento_key))
    .execute(connection)
    .await?;
    Ok(())
}
