//! Intents: what is about to be made in Sage, written before the call, and its answer after.

mod intent_rows;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    contact_snapshot::ContactSnapshot,
    ids::BindingId,
    xref::{XrefKey, XrefKind},
};
use sqlx::query::Query;
use store::{Answer, Fence, Intent, IntentKey, Intents, Request, Result, SealedIntent, Step};
use store_sql::{Id, Instant, Json, Text, Words};
use uuid::Uuid;

use self::intent_rows::{IntentRow, KeyRow, SealedCallRow};
use super::{ensure_affected, missing, rows, xrefs::columns};
use crate::{
    db::{Arguments, Db},
    dialect::{among, indexed, zipped},
    driver::Driver,
    error::translate,
    locks::{ensure_writer, hold_run},
    steps::insert_steps,
};

/// A statement with its first four values, the key of an intent.
type Keyed = Query<'static, Db, Arguments>;

/// Binds the key of an intent as the first four values.
fn keyed(statement: &'static str, key: &IntentKey) -> Keyed {
    sqlx::query(statement)
        .bind(Id(key.binding_id))
        .bind(key.business_id.clone())
        .bind(key.xref.kind.to_string())
        .bind(Text(&key.xref.magento_key))
}

/// Binds a request as the next five values.
fn requested(statement: Keyed, request: &Request) -> Keyed {
    statement
        .bind(request.idempotency_id.clone())
        .bind(request.body_digest.clone())
        .bind(request.reference.as_ref().map(Text))
        .bind(request.contact_id.clone())
        .bind(request.sealed_call.clone())
}

/// Binds an answer as the next four values.
fn answered(statement: Keyed, answer: &Answer) -> Keyed {
    statement
        .bind(answer.sage_id.clone())
        .bind(answer.displayed_as.as_ref().map(Text))
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

const OPEN_UPDATE: &str = "
    UPDATE intents SET body_digest = $5, unanswered_at = $6, updated_at = $6
     WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4 AND state = 'answered'";

const SETTLE: &str = "
    UPDATE intents SET unanswered_at = $5, updated_at = $6
     WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4 AND state <> 'refused'";

const WITHDRAW: &str = "
    UPDATE intents SET withdrawn = true, updated_at = $5
     WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4 AND state = 'answered'";

const REFUSE: &str = "
    UPDATE intents SET state = 'refused', generation = generation + 1, sage_id = NULL, displayed_as = NULL, total_minor = NULL,
                       tax_minor = NULL, told = NULL, sealed_call = NULL, unanswered_at = NULL, withdrawn = false, updated_at = $5
     WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4 AND state <> 'refused'";

const FORGET: &str =
    "DELETE FROM xrefs WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4";

impl Driver {
    /// Changes the one intent that a statement names, and keeps the calls that led to it, under a fence.
    async fn change_intent(
        &self,
        fence: Fence,
        statement: impl Fn() -> Keyed + Send + Sync,
        steps: &[Step],
    ) -> Result<()> {
        let statement = &statement;
        self.write(move |mut transaction| async move {
            let held = hold_run(&mut transaction, fence).await?;
            let changed = statement().execute(&mut *transaction).await.map_err(missing("the binding"))?;
            ensure_affected(changed.rows_affected(), 1)?;
            insert_steps(&mut transaction, held.binding, fence, steps).await?;
            transaction.commit(()).await
        })
        .await
    }
}

#[async_trait]
impl Intents for Driver {
    async fn may_write(&self, fence: Fence) -> Result<()> {
        self.write(move |mut transaction| async move {
            ensure_writer(&mut transaction, fence).await?;
            transaction.commit(()).await
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
        self.write(move |mut transaction| async move {
            ensure_writer(&mut transaction, fence).await?;
            let opened = requested(keyed(OPEN, key), request).bind(Instant(now));
            let opened = opened.execute(&mut *transaction).await.map_err(missing("the binding"))?;
            ensure_affected(opened.rows_affected(), 1)?;
            transaction.commit(()).await
        })
        .await
    }

    async fn open_update(
        &self,
        fence: Fence,
        key: &IntentKey,
        body_digest: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.write(move |mut transaction| async move {
            ensure_writer(&mut transaction, fence).await?;
            let opened = keyed(OPEN_UPDATE, key).bind(body_digest.to_owned()).bind(Instant(now));
            let opened = opened.execute(&mut *transaction).await?;
            ensure_affected(opened.rows_affected(), 1)?;
            transaction.commit(()).await
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
        self.change_intent(
            fence,
            || keyed(SETTLE, key).bind(unanswered_at.map(Instant)).bind(Instant(now)),
            steps,
        )
        .await
    }

    async fn answer_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        answer: &Answer,
        told: Option<&ContactSnapshot>,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let statement = || answered(keyed(ANSWER, key), answer).bind(Instant(now)).bind(told.map(Json));
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
        let statement = || answered(requested(keyed(ADOPT, key), request), answer).bind(Instant(now));
        self.change_intent(fence, statement, steps).await
    }

    async fn withdraw_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.change_intent(fence, || keyed(WITHDRAW, key).bind(Instant(now)), steps).await
    }

    async fn refuse_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.change_intent(fence, || keyed(REFUSE, key).bind(Instant(now)), steps).await
    }

    async fn forget_record(
        &self,
        fence: Fence,
        key: &IntentKey,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.write(move |mut transaction| async move {
            let held = hold_run(&mut transaction, fence).await?;
            keyed(FORGET, key).execute(&mut *transaction).await?;
            keyed(REFUSE, key).bind(Instant(now)).execute(&mut *transaction).await?;
            insert_steps(&mut transaction, held.binding, fence, steps).await?;
            transaction.commit(()).await
        })
        .await
    }

    async fn unanswered_intents(
        &self,
        binding: BindingId,
        business: &str,
        kind: XrefKind,
        beginning: &str,
    ) -> Result<Vec<XrefKey>> {
        let found = sqlx::query(concat!(
            "SELECT kind, magento_key FROM intents",
            indexed!("intents_unanswered"),
            " WHERE unanswered_at IS NOT NULL AND state = 'open' AND binding_id = $1 AND business_id = $2 AND kind = $3
                AND substr(magento_key, 1, length($4)) = $4
              ORDER BY magento_key"
        ))
        .bind(Id(binding))
        .bind(business)
        .bind(kind.to_string())
        .bind(Text(beginning));
        Ok(rows::all::<KeyRow>(found, self.reader()).await?)
    }

    async fn intents(
        &self,
        binding: BindingId,
        business: &str,
        keys: &[XrefKey],
    ) -> Result<BTreeMap<XrefKey, Intent>> {
        let (kinds, magento_keys) = columns(keys);
        let found = sqlx::query(concat!(
            "SELECT kind, magento_key, generation, state, idempotency_id, body_digest, reference, contact_id, sealed_call,
                    first_sent_at, unanswered_at, withdrawn, sage_id, displayed_as, total_minor, tax_minor
               FROM intents
              WHERE binding_id = $1 AND business_id = $2 AND (kind, magento_key) IN (",
            zipped!("$3", "$4"),
            ")"
        ))
        .bind(Id(binding))
        .bind(business)
        .bind(kinds)
        .bind(magento_keys);
        Ok(rows::all::<IntentRow>(found, self.reader()).await?.into_iter().collect())
    }

    async fn held_by_others(&self, key: &IntentKey, sage_ids: &[String]) -> Result<BTreeSet<String>> {
        if sage_ids.is_empty() {
            return Ok(BTreeSet::new());
        }
        let held: Vec<String> = sqlx::query_scalar(concat!(
            "SELECT sage_id FROM xrefs",
            indexed!("xrefs_sage"),
            " WHERE binding_id = $1 AND business_id = $2 AND NOT (kind = $3 AND magento_key = $4) AND ",
            among!("sage_id", "$5"),
            " UNION
             SELECT sage_id FROM intents",
            indexed!("intents_answered"),
            " WHERE binding_id = $1 AND business_id = $2 AND NOT (kind = $3 AND magento_key = $4) AND state = 'answered' AND ",
            among!("sage_id", "$5")
        ))
        .bind(Id(key.binding_id))
        .bind(&key.business_id)
        .bind(key.xref.kind.to_string())
        .bind(Text(&key.xref.magento_key))
        .bind(Words(sage_ids.to_vec()))
        .fetch_all(self.reader())
        .await
        .map_err(translate)?;
        Ok(held.into_iter().collect())
    }

    async fn sealed_intents(&self, after: Option<&IntentKey>, limit: u32) -> Result<Vec<SealedIntent>> {
        let found = sqlx::query(
            "SELECT binding_id, business_id, kind, magento_key, sealed_call FROM intents
             WHERE sealed_call IS NOT NULL AND (binding_id, business_id, kind, magento_key) > ($1, $2, $3, $4)
             ORDER BY binding_id, business_id, kind, magento_key LIMIT $5",
        )
        .bind(Id(after.map_or(Uuid::nil(), |key| key.binding_id.into())))
        .bind(after.map(|key| key.business_id.clone()).unwrap_or_default())
        .bind(after.map(|key| key.xref.kind.to_string()).unwrap_or_default())
        .bind(Text(after.map_or("", |key| &key.xref.magento_key)))
        .bind(i64::from(limit));
        Ok(rows::all::<SealedCallRow>(found, self.reader()).await?)
    }

    async fn reseal_intent(&self, sealed: &SealedIntent, envelope: &str) -> Result<()> {
        const RESEAL: &str = "
            UPDATE intents SET sealed_call = $6
             WHERE binding_id = $1 AND business_id = $2 AND kind = $3 AND magento_key = $4 AND sealed_call = $5";
        let resealed = self
            .execute(|| keyed(RESEAL, &sealed.key).bind(sealed.envelope.clone()).bind(envelope.to_owned()))
            .await?;
        ensure_affected(resealed, 1)
    }
}
