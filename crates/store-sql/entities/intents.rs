//! Intents: what is about to be made in Sage, written before the call, and its answer after.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{ids::BindingId, translate::Told, xref::XrefKey};
use sqlx::{FromRow, PgConnection, Postgres, postgres::PgArguments, query::Query};
use store::{
    Answer, Error, Fence, Intent, IntentKey, IntentState, Intents, Request, Result, SealedIntent, Step,
};
use uuid::Uuid;

use crate::{
    PostgresStore,
    attempts::insert_steps,
    error::{Place, Tried, clean, clean_option, ensure_affected, lost, repeating, translate},
    runs::hold,
    xrefs::columns,
};

/// A statement with its first four values, the key of an intent.
type Keyed = Query<'static, Postgres, PgArguments>;

#[derive(FromRow)]
struct IntentRow {
    kind: String,
    magento_key: String,
    generation: i64,
    state: String,
    idempotency_id: String,
    body_digest: String,
    reference: Option<String>,
    contact_id: Option<String>,
    sealed_call: Option<String>,
    first_sent_at: DateTime<Utc>,
    unanswered_at: Option<DateTime<Utc>>,
    withdrawn: bool,
    sage_id: Option<String>,
    displayed_as: Option<String>,
    total_minor: Option<i64>,
    tax_minor: Option<i64>,
}

impl IntentRow {
    fn read(self) -> Result<(XrefKey, Intent)> {
        let place = Place { table: "intents", row: &self.magento_key };
        let state = match (self.state.as_str(), self.sage_id) {
            ("answered", Some(sage_id)) => IntentState::Answered(Answer {
                sage_id,
                displayed_as: self.displayed_as,
                total_minor: self.total_minor,
                tax_minor: self.tax_minor,
            }),
            ("open", None) => IntentState::Open,
            ("refused", None) => IntentState::Refused,
            _ => return Err(place.inconsistent("state", "it does not fit the answer")),
        };
        let intent = Intent {
            generation: u32::try_from(self.generation)
                .map_err(|error| place.inconsistent("generation", error))?,
            request: Request {
                idempotency_id: self.idempotency_id,
                body_digest: self.body_digest,
                reference: self.reference,
                contact_id: self.contact_id,
                sealed_call: self.sealed_call,
            },
            first_sent_at: self.first_sent_at,
            unanswered_at: self.unanswered_at,
            is_withdrawn: self.withdrawn,
            state,
        };
        let kind = place.word("kind", &self.kind)?;
        Ok((XrefKey { kind, magento_key: self.magento_key }, intent))
    }
}

/// Binds the key of an intent as the first four values.
fn keyed(statement: &'static str, key: &IntentKey) -> Keyed {
    sqlx::query(statement)
        .bind(key.binding_id.0)
        .bind(key.business_id.clone())
        .bind(key.xref.kind.to_string())
        .bind(clean(&key.xref.magento_key))
}

/// Binds a request as the next five values.
fn requested(statement: Keyed, request: &Request) -> Keyed {
    statement
        .bind(request.idempotency_id.clone())
        .bind(request.body_digest.clone())
        .bind(clean_option(request.reference.as_ref()))
        .bind(request.contact_id.clone())
        .bind(request.sealed_call.clone())
}

/// Binds an answer as the next four values.
fn answered(statement: Keyed, answer: &Answer) -> Keyed {
    statement
        .bind(answer.sage_id.clone())
        .bind(clean_option(answer.displayed_as.as_ref()))
        .bind(answer.total_minor)
        .bind(answer.tax_minor)
}

const OPEN: &str = "
    INSERT INTO intents (binding_id, business_id, kind, magento_key, generation, state, idempotency_id, body_digest,
                         reference, contact_id, sealed_call, first_sent_at, unanswered_at, updated_at)
    VALUES ($1, $2, $3, $4, 0, 'open', $5, $6, $7, $8, $9, $10, $10, $10)
    ON CONFLICT (binding_id, business_id, kind, magento_key) DO UPDATE
       SET state = 'open', idempotency_id = excluded.idempotency_id, body_digest = excluded.body_digest,
           reference = excluded.reference, contact_id = excluded.contact_id, sealed_call = excluded.sealed_call,
           first_sent_at = CASE WHEN intents.state = 'open' AND intents.unanswered_at IS NOT NULL
                                THEN intents.first_sent_at ELSE excluded.first_sent_at END,
           unanswered_at = excluded.unanswered_at, withdrawn = false, updated_at = excluded.updated_at
     WHERE intents.state = 'refused'
        OR intents.state = 'open'
           AND (intents.unanswered_at IS NULL
                OR intents.idempotency_id = excluded.idempotency_id AND intents.body_digest = excluded.body_digest)";

const ADOPT: &str = "
    INSERT INTO intents (binding_id, business_id, kind, magento_key, generation, state, idempotency_id, body_digest,
                         reference, contact_id, sealed_call, sage_id, displayed_as, total_minor, tax_minor, first_sent_at,
                         updated_at)
    VALUES ($1, $2, $3, $4, 0, 'answered', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
    ON CONFLICT (binding_id, business_id, kind, magento_key) DO UPDATE
       SET state = 'answered', sage_id = excluded.sage_id, displayed_as = excluded.displayed_as,
           total_minor = excluded.total_minor, tax_minor = excluded.tax_minor, unanswered_at = NULL, withdrawn = false,
           updated_at = excluded.updated_at
     WHERE intents.state <> 'answered'";

const ANSWER: &str = "
    UPDATE intents SET state = 'answered', sage_id = $5, displayed_as = $6, total_minor = $7, tax_minor = $8,
                       unanswered_at = NULL, withdrawn = false, updated_at = $9, told = coalesce($10, told)
     WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4 AND state <> 'refused'";

const SETTLE: &str = "
    UPDATE intents SET unanswered_at = $5, updated_at = $6
     WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4 AND state = 'open'";

const WITHDRAW: &str = "
    UPDATE intents SET withdrawn = true, updated_at = $5
     WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4 AND state = 'answered'";

const REFUSE: &str = "
    UPDATE intents SET state = 'refused', generation = generation + 1, sage_id = NULL, displayed_as = NULL, total_minor = NULL,
                       tax_minor = NULL, told = NULL, sealed_call = NULL, unanswered_at = NULL, withdrawn = false, updated_at = $5
     WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4 AND state <> 'refused'";

const FORGET: &str =
    "DELETE FROM xrefs WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4";

impl PostgresStore {
    /// Changes the one intent that a statement names, and keeps the calls that led to it, under a fence.
    async fn change_intent(
        &self,
        fence: Fence,
        statement: impl Fn() -> Keyed + Send + Sync,
        steps: &[Step],
    ) -> Result<()> {
        let statement = &statement;
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let held = hold(&mut transaction, fence).await?;
            let changed = statement().execute(&mut *transaction).await?;
            ensure_affected(&changed, 1)?;
            insert_steps(&mut transaction, held.binding_id, fence, steps).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }
}

/// The last look before a request that changes something. When the lease ran out and another run of the business has begun, this one
/// may not write beside it, even though nobody has taken over the run itself.
async fn ensure_writer(connection: &mut PgConnection, fence: Fence) -> Tried<()> {
    hold(&mut *connection, fence).await?;
    let writes: Option<i32> =
        sqlx::query_scalar("SELECT 1 FROM business_leases WHERE attempt_id = $1 FOR SHARE")
            .bind(fence.attempt_id.0)
            .fetch_optional(connection)
            .await?;
    writes.map(|_| ()).ok_or_else(|| lost().into())
}

#[async_trait]
impl Intents for PostgresStore {
    async fn may_write(&self, fence: Fence) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            ensure_writer(&mut transaction, fence).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn open_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        request: &Request,
        now: DateTime<Utc>,
    ) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            ensure_writer(&mut transaction, fence).await?;
            let opened = requested(keyed(OPEN, key), request).bind(now);
            ensure_affected(&opened.execute(&mut *transaction).await?, 1)?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn settle_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        unanswered_at: Option<DateTime<Utc>>,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.change_intent(fence, || keyed(SETTLE, key).bind(unanswered_at).bind(now), steps).await
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
        let statement = || answered(keyed(ANSWER, key), answer).bind(now).bind(told.clone());
        self.change_intent(fence, statement, steps).await
    }

    async fn adopt_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        request: &Request,
        answer: &Answer,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let statement = || answered(requested(keyed(ADOPT, key), request), answer).bind(now);
        self.change_intent(fence, statement, steps).await
    }

    async fn withdraw_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.change_intent(fence, || keyed(WITHDRAW, key).bind(now), steps).await
    }

    async fn refuse_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.change_intent(fence, || keyed(REFUSE, key).bind(now), steps).await
    }

    async fn forget_record(
        &self,
        fence: Fence,
        key: &IntentKey,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()> {
        repeating(move || async move {
            let mut transaction = self.pool.begin().await?;
            let held = hold(&mut transaction, fence).await?;
            keyed(FORGET, key).execute(&mut *transaction).await?;
            keyed(REFUSE, key).bind(now).execute(&mut *transaction).await?;
            insert_steps(&mut transaction, held.binding_id, fence, steps).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await
    }

    async fn intents(
        &self,
        binding: BindingId,
        business: &str,
        keys: &[XrefKey],
    ) -> Result<BTreeMap<XrefKey, Intent>> {
        let (kinds, magento_keys) = columns(keys);
        let rows: Vec<IntentRow> = sqlx::query_as(
            "SELECT kind, magento_key, generation, state, idempotency_id, body_digest, reference, contact_id, sealed_call,
                    first_sent_at, unanswered_at, withdrawn, sage_id, displayed_as, total_minor, tax_minor
             FROM intents
             WHERE binding_id = $1 AND business_id = $2
               AND (kind, magento_key) IN (SELECT * FROM unnest($3::text[], $4::text[]))",
        )
        .bind(binding.0)
        .bind(business)
        .bind(kinds)
        .bind(magento_keys)
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        rows.into_iter().map(IntentRow::read).collect()
    }

    async fn sealed_intents(&self, after: Option<&IntentKey>, limit: u32) -> Result<Vec<SealedIntent>> {
        let rows: Vec<SealedRow> = sqlx::query_as(
            "SELECT binding_id, business_id, kind, magento_key, sealed_call FROM intents
             WHERE sealed_call IS NOT NULL AND (binding_id, business_id, kind, magento_key) > ($1, $2, $3, $4)
             ORDER BY binding_id, business_id, kind, magento_key LIMIT $5",
        )
        .bind(after.map_or_else(Uuid::nil, |key| key.binding_id.0))
        .bind(after.map(|key| key.business_id.clone()).unwrap_or_default())
        .bind(after.map(|key| key.xref.kind.to_string()).unwrap_or_default())
        .bind(after.map(|key| clean(&key.xref.magento_key)).unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(translate)?;
        rows.into_iter().map(SealedIntent::try_from).collect()
    }

    async fn reseal_intent(&self, sealed: &SealedIntent, envelope: &str) -> Result<()> {
        const RESEAL: &str = "
            UPDATE intents SET sealed_call = $6
             WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4 AND sealed_call = $5";
        let resealed = keyed(RESEAL, &sealed.key).bind(sealed.envelope.clone()).bind(envelope.to_owned());
        ensure_affected(&resealed.execute(&self.pool).await.map_err(translate)?, 1)
    }
}

#[derive(FromRow)]
struct SealedRow {
    binding_id: Uuid,
    business_id: String,
    kind: String,
    magento_key: String,
    sealed_call: String,
}

impl TryFrom<SealedRow> for SealedIntent {
    type Error = Error;

    fn try_from(row: SealedRow) -> Result<Self> {
        let kind = Place { table: "intents", row: &row.magento_key }.word("kind", &row.kind)?;
        let xref = XrefKey { kind, magento_key: row.magento_key };
        let key = IntentKey { binding_id: BindingId(row.binding_id), business_id: row.business_id, xref };
        Ok(Self { key, envelope: row.sealed_call })
    }
}
