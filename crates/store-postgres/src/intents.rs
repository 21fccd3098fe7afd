//! Intents: what is about to be made in Sage, written before the call, and its answer after.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{ids::BindingId, translate::Told, xref::XrefKey};
use sqlx::FromRow;
use store::{Answer, Error, Fence, Intent, IntentKey, Intents, Request, Result, Step};

use crate::{
    PostgresStore,
    attempts::insert_steps,
    error::{Place, Tried, clean, clean_option, ensure_affected, lost, repeating, translate},
    runs::hold,
    xrefs::columns,
};

#[derive(FromRow)]
struct IntentRow {
    generation: i64,
    idempotency_id: String,
    body_digest: String,
    reference: Option<String>,
    contact_id: Option<String>,
    first_sent_at: DateTime<Utc>,
    sage_id: Option<String>,
    displayed_as: Option<String>,
    total_minor: Option<i64>,
    tax_minor: Option<i64>,
    is_new: bool,
}

impl IntentRow {
    fn read(self, key: &IntentKey) -> Result<Intent> {
        Ok(Intent {
            generation: generation(&key.xref, self.generation)?,
            request: Request {
                idempotency_id: self.idempotency_id,
                body_digest: self.body_digest,
                reference: self.reference,
                contact_id: self.contact_id,
            },
            first_sent_at: self.first_sent_at,
            is_new: self.is_new,
            answer: self.sage_id.map(|sage_id| Answer {
                sage_id,
                displayed_as: self.displayed_as,
                total_minor: self.total_minor,
                tax_minor: self.tax_minor,
            }),
        })
    }
}

fn generation(key: &XrefKey, kept: i64) -> Result<u32> {
    let row = format!("{} {}", key.kind, key.magento_key);
    let place = Place { table: "intents", row: &row };
    u32::try_from(kept).map_err(|error| place.inconsistent("generation", error))
}

#[async_trait]
impl Intents for PostgresStore {
    async fn open_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        request: &Request,
        now: DateTime<Utc>,
    ) -> Result<Intent> {
        repeating(move || open(self, fence, key, request, now)).await
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
        let told =
            told.map(serde_json::to_string).transpose().map_err(|error| Error::Driver(Box::new(error)))?;
        let told = told.as_deref();
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let held = hold(&mut transaction, fence).await?;
            let answered = sqlx::query(
                "UPDATE intents SET state = 'answered', sage_id = $5, displayed_as = $6, total_minor = $7,
                                    tax_minor = $8, updated_at = $9, told = coalesce($10, told)
                 WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4 AND state <> 'refused'",
            )
            .bind(key.binding_id.0)
            .bind(&key.business_id)
            .bind(key.xref.kind.to_string())
            .bind(clean(&key.xref.magento_key))
            .bind(&answer.sage_id)
            .bind(clean_option(answer.displayed_as.as_ref()))
            .bind(answer.total_minor)
            .bind(answer.tax_minor)
            .bind(now)
            .bind(told)
            .execute(&mut *transaction)
            .await?;
            ensure_affected(&answered, 1)?;
            insert_steps(&mut transaction, held.binding_id, fence, steps).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn refuse_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let held = hold(&mut transaction, fence).await?;
            let refused = sqlx::query(
                "UPDATE intents SET state = 'refused', generation = generation + 1, sage_id = NULL,
                                    displayed_as = NULL, total_minor = NULL, tax_minor = NULL, told = NULL, updated_at = $5
                 WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4 AND state <> 'refused'",
            )
            .bind(key.binding_id.0)
            .bind(&key.business_id)
            .bind(key.xref.kind.to_string())
            .bind(clean(&key.xref.magento_key))
            .bind(now)
            .execute(&mut *transaction)
            .await?;
            ensure_affected(&refused, 1)?;
            insert_steps(&mut transaction, held.binding_id, fence, steps).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn generations(
        &self,
        binding: BindingId,
        business: &str,
        keys: &[XrefKey],
    ) -> Result<BTreeMap<XrefKey, u32>> {
        let (kinds, magento_keys) = columns(keys);
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT kind, magento_key, generation FROM intents
             WHERE binding_id = $1 AND business_id = $2 AND generation > 0
               AND (kind, magento_key) IN (SELECT * FROM unnest($3::text[], $4::text[]))",
        )
        .bind(binding.0)
        .bind(business)
        .bind(kinds)
        .bind(magento_keys)
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        rows.into_iter()
            .map(|(kind, magento_key, kept)| {
                let kind = Place { table: "intents", row: &magento_key }.word("kind", &kind)?;
                let key = XrefKey { kind, magento_key };
                let generation = generation(&key, kept)?;
                Ok((key, generation))
            })
            .collect()
    }
}

async fn open(
    store: &PostgresStore,
    fence: Fence,
    key: &IntentKey,
    request: &Request,
    now: DateTime<Utc>,
) -> Tried<Intent> {
    let mut transaction = store.pool.begin().await?;
    hold(&mut transaction, fence).await?;
    // This is the last look before a call that makes something. When the lease ran out and another run of the business has
    // begun, this one may not write beside it, even though nobody has taken over the run itself.
    let writes: Option<i32> =
        sqlx::query_scalar("SELECT 1 FROM business_leases WHERE attempt_id = $1 FOR SHARE")
            .bind(fence.attempt_id.0)
            .fetch_optional(&mut *transaction)
            .await?;
    if writes.is_none() {
        return Err(lost().into());
    }
    // No row comes back from the write when the intent is open or answered: it is then read as it stands.
    let opened: Option<IntentRow> = sqlx::query_as(
        "INSERT INTO intents (binding_id, business_id, kind, magento_key, generation, state, idempotency_id,
                              body_digest, reference, contact_id, first_sent_at, updated_at)
         VALUES ($1, $2, $3, $4, 0, 'open', $5, $6, $7, $8, $9, $9)
         ON CONFLICT (binding_id, business_id, kind, magento_key) DO UPDATE
         SET state = 'open', idempotency_id = excluded.idempotency_id, body_digest = excluded.body_digest,
             reference = excluded.reference, contact_id = excluded.contact_id, first_sent_at = excluded.first_sent_at, updated_at = excluded.updated_at
         WHERE intents.state = 'refused'
         RETURNING generation, idempotency_id, body_digest, reference, contact_id, first_sent_at, sage_id,
                   displayed_as, total_minor, tax_minor, true AS is_new",
    )
    .bind(key.binding_id.0)
    .bind(&key.business_id)
    .bind(key.xref.kind.to_string())
    .bind(clean(&key.xref.magento_key))
    .bind(&request.idempotency_id)
    .bind(&request.body_digest)
    .bind(clean_option(request.reference.as_ref()))
    .bind(&request.contact_id)
    .bind(now)
    .fetch_optional(&mut *transaction)
    .await?;
    let row = if let Some(row) = opened {
        row
    } else {
        sqlx::query_as(
            "SELECT generation, idempotency_id, body_digest, reference, contact_id, first_sent_at, sage_id,
                    displayed_as, total_minor, tax_minor, false AS is_new
             FROM intents WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4",
        )
        .bind(key.binding_id.0)
        .bind(&key.business_id)
        .bind(key.xref.kind.to_string())
        .bind(clean(&key.xref.magento_key))
        .fetch_one(&mut *transaction)
        .await?
    };
    let intent = row.read(key)?;
    transaction.commit().await?;
    Ok(intent)
}
