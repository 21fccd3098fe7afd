//! Runs: the queue and the history at once.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{AttemptId, BindingId, OrganisationId, RunId},
    run::{EntityKind, EventName},
};
use sqlx::{FromRow, PgConnection};
use store::{
    Action, Claimed, Counts, Error, Fence, FinishRun, Posted, Result, Run, RunFacts, Runs, Standing, Whose,
};
use uuid::Uuid;

use crate::{
    PostgresStore,
    actions::record,
    ahead,
    bindings::hold_binding,
    changes::announce,
    claims,
    error::{Place, Tried, ensure_affected, lost, repeating, translate},
    finishing, rests,
};

/// A run's row, as `run_columns!` lists it.
#[derive(FromRow)]
pub(crate) struct RunRow {
    id: Uuid,
    binding_id: Uuid,
    event: String,
    magento_id: i64,
    status: String,
    code: Option<String>,
    message: Option<String>,
    attempts: i32,
    next_at: DateTime<Utc>,
    policy_version: i64,
    increment_id: Option<String>,
    customer: Option<String>,
    currency: Option<String>,
    amount_minor: Option<i64>,
    tax_minor: Option<i64>,
    sage_amount_minor: Option<i64>,
    sage_tax_minor: Option<i64>,
    sage_id: Option<String>,
    sage_reference: Option<String>,
    email_digest: Option<String>,
    website_id: i64,
    store_id: i64,
    occurred_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
    resolved_by: Option<Uuid>,
    trace_parent: Option<String>,
}

/// The columns of [`RunRow`], from `runs r`. Named one by one: a process that runs while the schema grows must not notice.
macro_rules! run_columns {
    () => {
        "r.id, r.binding_id, r.event, r.magento_id, r.status, r.code, r.message, r.attempts, r.next_at, r.policy_version,
         r.increment_id, r.customer, r.currency, r.amount_minor, r.tax_minor, r.sage_amount_minor, r.sage_tax_minor,
         r.sage_id, r.sage_reference, r.website_id, r.store_id, r.occurred_at, r.created_at, r.updated_at, r.finished_at,
         r.started_at, r.email_digest, r.resolved_by, r.trace_parent"
    };
}
pub(crate) use run_columns;

impl TryFrom<RunRow> for Run {
    type Error = Error;

    fn try_from(row: RunRow) -> Result<Self> {
        let place = Place { table: "runs", row: &row.id };
        Ok(Self {
            id: RunId(row.id),
            binding_id: BindingId(row.binding_id),
            event: place.word("event", &row.event)?,
            magento_id: row.magento_id,
            status: place.word("status", &row.status)?,
            code: row.code.map(|code| place.word("code", &code)).transpose()?,
            message: row.message,
            attempts: row.attempts,
            next_at: row.next_at,
            policy_version: row.policy_version,
            facts: RunFacts {
                increment_id: row.increment_id,
                customer: row.customer,
                currency: row.currency,
                amount_minor: row.amount_minor,
                tax_minor: row.tax_minor,
                sage_amount_minor: row.sage_amount_minor,
                sage_tax_minor: row.sage_tax_minor,
                sage_id: row.sage_id,
                sage_reference: row.sage_reference,
                email_digest: row.email_digest,
            },
            website_id: row.website_id,
            store_id: row.store_id,
            occurred_at: row.occurred_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            finished_at: row.finished_at,
            started_at: row.started_at,
            resolved_by: row.resolved_by.map(RunId),
            trace_parent: row.trace_parent,
        })
    }
}

/// A run as lists show it: what cannot be read of it is left out, and it says so.
pub(crate) fn shown(row: RunRow) -> Result<Run> {
    let (id, binding) = (RunId(row.id), BindingId(row.binding_id));
    let (event, status) = (row.event.parse(), row.status.parse());
    let facts = RunFacts {
        increment_id: row.increment_id.clone(),
        customer: row.customer.clone(),
        currency: row.currency.clone(),
        amount_minor: row.amount_minor,
        sage_id: row.sage_id.clone(),
        sage_reference: row.sage_reference.clone(),
        ..RunFacts::default()
    };
    let (magento_id, occurred_at, finished_at) = (row.magento_id, row.occurred_at, row.finished_at);
    match Run::try_from(row) {
        Err(error @ Error::Inconsistency { .. }) => {
            let bare = Run::unreadable(id, binding, &error);
            let (event, status) = (event.unwrap_or(bare.event), status.unwrap_or(bare.status));
            Ok(Run { event, status, magento_id, occurred_at, finished_at, facts, ..bare })
        }
        other => other,
    }
}

/// What a fence proves.
#[derive(FromRow)]
pub(crate) struct Held {
    /// Whose run it is.
    pub(crate) binding_id: Uuid,
    /// What happened.
    pub(crate) event: String,
    /// Magento's id of the entity.
    pub(crate) magento_id: i64,
    /// The policy version it was queued under.
    pub(crate) policy_version: i64,
}

/// Locks the run of a fence until the transaction ends, if the attempt still holds it.
pub(crate) async fn hold(connection: &mut PgConnection, fence: Fence) -> Tried<Held> {
    let held: Option<Held> = sqlx::query_as(
        "SELECT binding_id, event, magento_id, policy_version FROM runs
         WHERE id = $1 AND attempt_id = $2 AND status = 'running' FOR UPDATE",
    )
    .bind(fence.run_id.0)
    .bind(fence.attempt_id.0)
    .fetch_optional(connection)
    .await?;
    held.ok_or_else(|| lost().into())
}

#[async_trait]
impl Runs for PostgresStore {
    async fn claim_run(
        &self,
        attempt_id: AttemptId,
        worker: &str,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Option<Claimed>> {
        claims::claim(self, attempt_id, worker, now, lease_until).await
    }

    async fn next_due(&self) -> Result<Option<DateTime<Utc>>> {
        claims::next_due(self).await
    }

    async fn take_back_leases(&self, _now: DateTime<Utc>) -> Result<u64> {
        // Nothing here says which processes live.
        Ok(0)
    }

    async fn bring_forward(&self, now: DateTime<Utc>) -> Result<u64> {
        repeating(move || ahead::bring_forward(self, now)).await
    }

    async fn extend_lease(&self, fence: Fence, now: DateTime<Utc>, lease_until: DateTime<Utc>) -> Result<()> {
        // One statement, so that a refusal leaves no lock behind. No lease of the business means that the run's had run out and
        // another run of the business has begun.
        repeating(move || async move {
            let extended = sqlx::query(
                "WITH held AS (SELECT id FROM runs WHERE id = $1 AND attempt_id = $2 AND status = 'running' FOR UPDATE),
                      business AS (UPDATE business_leases SET taken_at = $4, lease_until = $3
                                    WHERE attempt_id = $2 AND EXISTS (SELECT 1 FROM held) RETURNING attempt_id)
                 UPDATE runs SET lease_until = $3
                  WHERE id IN (SELECT id FROM held) AND EXISTS (SELECT 1 FROM business)",
            )
            .bind(fence.run_id.0)
            .bind(fence.attempt_id.0)
            .bind(lease_until)
            .bind(now)
            .execute(&self.pool)
            .await?;
            ensure_affected(&extended, 1)?;
            Ok(())
        })
        .await
    }

    async fn finish_run(&self, finish: &FinishRun) -> Result<()> {
        repeating(move || finishing::finish(self, finish)).await
    }

    async fn release_run(&self, fence: Fence, now: DateTime<Utc>) -> Result<()> {
        repeating(move || finishing::release(self, fence, now)).await
    }

    async fn retry_run(
        &self,
        organisation: OrganisationId,
        run: RunId,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()> {
        repeating(move || retry(self, organisation, run, (now, action))).await
    }

    async fn run(&self, organisation: OrganisationId, run: RunId) -> Result<Option<Run>> {
        let row: Option<RunRow> = sqlx::query_as(concat!(
            "SELECT ",
            run_columns!(),
            " FROM runs r JOIN bindings b ON b.id = r.binding_id WHERE b.organisation_id = $1 AND r.id = $2"
        ))
        .bind(organisation.0)
        .bind(run.0)
        .fetch_optional(&self.pool)
        .await
        .map_err(translate)?;
        row.map(shown).transpose()
    }

    async fn latest_run(
        &self,
        binding: BindingId,
        entity: EntityKind,
        magento_id: i64,
    ) -> Result<Option<Run>> {
        let events: Vec<&str> = EventName::ALL
            .iter()
            .filter(|event| event.entity() == entity)
            .map(|event| event.as_str())
            .collect();
        // A skipped payment does not speak for its invoice, unless nothing else does.
        let row: Option<RunRow> = sqlx::query_as(concat!(
            "SELECT ",
            run_columns!(),
            " FROM runs r WHERE r.binding_id = $1 AND r.magento_id = $2 AND r.event = ANY($3)
             ORDER BY (r.event = 'invoice.paid' AND r.status = 'skipped_by_policy'), r.id DESC LIMIT 1"
        ))
        .bind(binding.0)
        .bind(magento_id)
        .bind(events)
        .fetch_optional(&self.pool)
        .await
        .map_err(translate)?;
        row.map(shown).transpose()
    }

    async fn latest_run_of_event(
        &self,
        binding: BindingId,
        event: EventName,
        magento_id: i64,
    ) -> Result<Option<Run>> {
        let row: Option<RunRow> = sqlx::query_as(concat!(
            "SELECT ",
            run_columns!(),
            " FROM runs r WHERE r.binding_id = $1 AND r.magento_id = $2 AND r.event = $3 ORDER BY r.id DESC LIMIT 1"
        ))
        .bind(binding.0)
        .bind(magento_id)
        .bind(event.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(translate)?;
        row.map(shown).transpose()
    }

    async fn posted_for(&self, binding: BindingId, email_digest: &str, currency: &str) -> Result<Posted> {
        let (invoiced_minor, credited_minor) = sqlx::query_as(
            "SELECT coalesce(sum(CASE WHEN kind = 'invoice' THEN amount END), 0)::bigint, coalesce(sum(CASE WHEN kind = 'memo' THEN amount END), 0)::bigint
               FROM (SELECT CASE WHEN r.event = 'creditmemo.created' THEN 'memo' ELSE 'invoice' END AS kind, max(r.amount_minor) AS amount
                       FROM runs r JOIN bindings b ON b.id = r.binding_id
                      WHERE r.organisation_id = b.organisation_id AND r.email_digest = $2 AND r.binding_id = $1 AND r.currency = $3
                        AND r.status = 'succeeded' AND r.event IN ('invoice.created', 'invoice.paid', 'creditmemo.created')
                      GROUP BY kind, r.magento_id) posted",
        )
        .bind(binding.0)
        .bind(email_digest)
        .bind(currency)
        .fetch_one(&self.pool)
        .await
        .map_err(translate)?;
        Ok(Posted { invoiced_minor, credited_minor })
    }

    async fn count_runs(&self, binding: BindingId, failed_since: DateTime<Utc>) -> Result<Counts> {
        let (pending, failed, last_finished_at): (i64, i64, Option<DateTime<Utc>>) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM runs
                     WHERE binding_id = $1 AND status IN ('queued', 'running', 'waiting', 'retrying')),
                    (SELECT count(*) FROM runs
                     WHERE binding_id = $1 AND status = 'failed' AND finished_at >= $2 AND resolved_by IS NULL),
                    (SELECT max(finished_at) FROM runs WHERE binding_id = $1)",
        )
        .bind(binding.0)
        .bind(failed_since)
        .fetch_one(&self.pool)
        .await
        .map_err(translate)?;
        Ok(Counts { pending, failed, last_finished_at })
    }

    async fn count_posted(&self, binding: BindingId, since: DateTime<Utc>) -> Result<i64> {
        sqlx::query_scalar(
            "SELECT count(*) FROM runs
             WHERE binding_id = $1 AND finished_at >= $2 AND status = 'succeeded'
               AND event IN ('invoice.created', 'invoice.paid', 'creditmemo.created')",
        )
        .bind(binding.0)
        .bind(since)
        .fetch_one(&self.pool)
        .await
        .map_err(translate)
    }
}

async fn retry(
    store: &PostgresStore,
    organisation: OrganisationId,
    run: RunId,
    (now, action): (DateTime<Utc>, Option<&Action>),
) -> Tried<()> {
    let mut transaction = store.pool.begin().await?;
    ahead::end_leases(&mut transaction, now).await?;
    if !queue_again(&mut transaction, organisation, run, now).await? {
        return Err(Error::Conflict("the run").into());
    }
    // Who asks for it now does not wait for the end of a rest.
    let binding: Uuid = sqlx::query_scalar("SELECT binding_id FROM runs WHERE id = $1")
        .bind(run.0)
        .fetch_one(&mut *transaction)
        .await?;
    rests::end(&mut transaction, binding).await?;
    record(&mut transaction, action).await?;
    announce(&mut transaction, Whose::Organisation(organisation)).await?;
    transaction.commit().await?;
    Ok(())
}

/// Puts a run in the queue as if it were new; `false` when it is held.
pub(crate) async fn queue_again(
    connection: &mut PgConnection,
    organisation: OrganisationId,
    run: RunId,
    now: DateTime<Utc>,
) -> Tried<bool> {
    hold_binding(connection, run).await?.ok_or(Error::NotFound("the run"))?;
    let found: Option<(Uuid, Option<Uuid>, bool)> = sqlx::query_as(
        "SELECT binding_id, CASE WHEN status = 'running' THEN attempt_id END,
                coalesce(status = 'running' AND lease_until > $3, false)
         FROM runs WHERE id = $2 AND organisation_id = $1 FOR UPDATE",
    )
    .bind(organisation.0)
    .bind(run.0)
    .bind(now)
    .fetch_optional(&mut *connection)
    .await?;
    let (binding, lost, is_held) = found.ok_or(Error::NotFound("the run"))?;
    if is_held {
        return Ok(false);
    }
    if let Some(lost) = lost {
        claims::close_lost(connection, (binding, run.0), lost, now).await?;
    }
    let onward = Standing::onward(now);
    sqlx::query(
        "UPDATE runs
         SET status = $3, code = $4, message = NULL, cause = NULL, attempts = 0, next_at = $2, updated_at = $2,
             finished_at = NULL, resolved_by = NULL, waits_for_invoice = NULL, attempt_id = NULL, lease_until = NULL,
             policy_version = (SELECT coalesce(max(p.version), 0) FROM policy_versions p
                               WHERE p.binding_id = runs.binding_id)
         WHERE id = $1",
    )
    .bind(run.0)
    .bind(now)
    .bind(onward.status.as_str())
    .bind(onward.code.map(Code::as_str))
    .execute(connection)
    .await?;
    Ok(true)
}
