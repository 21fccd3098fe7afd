//! Intents: what makes a create happen once.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{ids::BindingId, translate::Told, xref::XrefKey};
use sqlx::SqliteConnection;
use store::{Answer, Error, Fence, Intent, IntentKey, Intents, Request, Result, Step};

use crate::{
    attempts, claims,
    columns::{Place, instant, json},
    error::{ensure_affected, missing, translate},
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
struct IntentRow {
    generation: u32,
    state: String,
    idempotency_id: String,
    body_digest: String,
    reference: Option<String>,
    contact_id: Option<String>,
    first_sent_at: String,
    sage_id: Option<String>,
    displayed_as: Option<String>,
    total_minor: Option<i64>,
    tax_minor: Option<i64>,
}

impl TryFrom<IntentRow> for Intent {
    type Error = Error;

    fn try_from(row: IntentRow) -> Result<Self> {
        let place = Place { table: "intents", row: &row.idempotency_id };
        let answer = match (row.state.as_str(), row.sage_id) {
            ("answered", Some(sage_id)) => Some(Answer {
                sage_id,
                displayed_as: row.displayed_as,
                total_minor: row.total_minor,
                tax_minor: row.tax_minor,
            }),
            ("open", None) => None,
            _ => return Err(place.inconsistent("state", "it does not fit the answer")),
        };
        let first_sent_at = place.time("first_sent_at", &row.first_sent_at)?;
        Ok(Self {
            generation: row.generation,
            request: Request {
                idempotency_id: row.idempotency_id,
                body_digest: row.body_digest,
                reference: row.reference,
                contact_id: row.contact_id,
            },
            first_sent_at,
            is_new: false,
            answer,
        })
    }
}

#[async_trait]
impl Intents for SqliteStore {
    async fn open_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        request: &Request,
        now: DateTime<Utc>,
    ) -> Result<Intent> {
        let mut transaction = self.writer.begin().await?;
        // The last look before a call that makes something.
        claims::writes(&mut transaction, fence).await?;
        let opened = sqlx::query(
            "INSERT INTO intents (binding_id, business_id, kind, magento_key, generation, state, idempotency_id, body_digest,
                                  reference, contact_id, first_sent_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, 0, 'open', ?5, ?6, ?7, ?8, ?9, ?9)
             ON CONFLICT (binding_id, business_id, kind, magento_key) DO UPDATE
                SET state = 'open', idempotency_id = excluded.idempotency_id, body_digest = excluded.body_digest,
                    reference = excluded.reference, contact_id = excluded.contact_id, first_sent_at = excluded.first_sent_at, updated_at = excluded.updated_at
              WHERE intents.state = 'refused'",
        )
        .bind(key.binding_id.to_string())
        .bind(&key.business_id)
        .bind(key.xref.kind.to_string())
        .bind(&key.xref.magento_key)
        .bind(&request.idempotency_id)
        .bind(&request.body_digest)
        .bind(&request.reference)
        .bind(&request.contact_id)
        .bind(instant(now))
        .execute(&mut *transaction)
        .await
        .map_err(missing("the binding"))?;
        let row = read(&mut transaction, key).await?;
        transaction.commit().await.map_err(translate)?;
        Ok(Intent { is_new: opened.rows_affected() == 1, ..Intent::try_from(row)? })
    }

    async fn answer_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        answer: &Answer,
        told: Option<&Told>,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let binding = claims::holds(&mut transaction, fence).await?;
        let result = sqlx::query(
            "UPDATE intents SET state = 'answered', sage_id = ?5, displayed_as = ?6, total_minor = ?7, tax_minor = ?8,
                                updated_at = ?9, told = coalesce(?10, told)
              WHERE binding_id = ?1 AND business_id = ?2 AND kind = ?3 AND magento_key = ?4 AND state <> 'refused'",
        )
        .bind(key.binding_id.to_string())
        .bind(&key.business_id)
        .bind(key.xref.kind.to_string())
        .bind(&key.xref.magento_key)
        .bind(&answer.sage_id)
        .bind(&answer.displayed_as)
        .bind(answer.total_minor)
        .bind(answer.tax_minor)
        .bind(instant(now))
        .bind(told.map(json).transpose()?)
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        ensure_affected(&result, 1)?;
        attempts::insert_steps(&mut transaction, &binding, fence, steps).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn refuse_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        let binding = claims::holds(&mut transaction, fence).await?;
        let result = sqlx::query(
            "UPDATE intents SET state = 'refused', generation = generation + 1, sage_id = NULL, displayed_as = NULL,
                                total_minor = NULL, tax_minor = NULL, told = NULL, updated_at = ?5
              WHERE binding_id = ?1 AND business_id = ?2 AND kind = ?3 AND magento_key = ?4 AND state <> 'refused'",
        )
        .bind(key.binding_id.to_string())
        .bind(&key.business_id)
        .bind(key.xref.kind.to_string())
        .bind(&key.xref.magento_key)
        .bind(instant(now))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        ensure_affected(&result, 1)?;
        attempts::insert_steps(&mut transaction, &binding, fence, steps).await?;
        transaction.commit().await.map_err(translate)
    }

    async fn generations(
        &self,
        binding: BindingId,
        business: &str,
        keys: &[XrefKey],
    ) -> Result<BTreeMap<XrefKey, u32>> {
        let rows: Vec<(String, String, u32)> = sqlx::query_as(
            "SELECT kind, magento_key, generation FROM intents
              WHERE binding_id = ?1 AND business_id = ?2 AND generation > 0
                AND (kind, magento_key) IN (SELECT value ->> 'kind', value ->> 'magento_key' FROM json_each(?3))",
        )
        .bind(binding.to_string())
        .bind(business)
        .bind(json(&keys)?)
        .fetch_all(&self.readers)
        .await
        .map_err(translate)?;
        rows.into_iter()
            .map(|(kind, magento_key, generation)| {
                let kind = Place { table: "intents", row: &magento_key }.word("kind", &kind)?;
                Ok((XrefKey { kind, magento_key }, generation))
            })
            .collect()
    }
}

async fn read(connection: &mut SqliteConnection, key: &IntentKey) -> Result<IntentRow> {
    sqlx::query_as(
        "SELECT * FROM intents WHERE binding_id = ?1 AND business_id = ?2 AND kind = ?3 AND magento_key = ?4",
    )
    .bind(key.binding_id.to_string())
    .bind(&key.business_id)
    .bind(key.xref.kind.to_string())
    .bind(&key.xref.magento_key)
    .fetch_one(connection)
    .await
    .map_err(translate)
}
