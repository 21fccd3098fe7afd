//! Runs: the queue and the history at once.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ids::{AttemptId, BindingId, OrganisationId, RunId},
    run::{EntityKind, EventName, RunStatus},
};
use store::{Action, Claimed, Counts, Error, Fence, FinishRun, KnownCustomer, Posted, Result, Run, Runs};
use store_sql::{Id, Instant};

use super::{
    Tried,
    audit::record,
    finishing,
    requeue::queue_again,
    rests,
    run_rows::{run_columns, shown},
};
use crate::{
    ahead, claims, dead_leases,
    driver::{Driver, Transaction},
    error::translate,
};

#[async_trait]
impl Runs for Driver {
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

    async fn take_back_leases(&self, now: DateTime<Utc>) -> Result<u64> {
        dead_leases::take_back_leases(self, now).await
    }

    async fn bring_forward(&self, now: DateTime<Utc>) -> Result<u64> {
        ahead::bring_forward(self, now).await
    }

    async fn extend_lease(&self, fence: Fence, now: DateTime<Utc>, lease_until: DateTime<Utc>) -> Result<()> {
        claims::extend(self, fence, now, lease_until).await
    }

    async fn finish_run(&self, finish: &FinishRun) -> Result<()> {
        self.write(move |transaction| finishing::finish(transaction, finish)).await
    }

    async fn release_run(&self, fence: Fence, now: DateTime<Utc>) -> Result<()> {
        self.write(move |transaction| finishing::release(transaction, fence, now)).await
    }

    async fn retry_run(
        &self,
        organisation: OrganisationId,
        run: RunId,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()> {
        self.write(move |transaction| retry(transaction, organisation, run, (now, action))).await
    }

    async fn run(&self, organisation: OrganisationId, run: RunId) -> Result<Option<Run>> {
        let row = sqlx::query(concat!(
            "SELECT ",
            run_columns!(),
            " FROM runs r JOIN bindings b ON b.id = r.binding_id WHERE b.organisation_id = $1 AND r.id = $2"
        ))
        .bind(Id(organisation))
        .bind(Id(run))
        .fetch_optional(self.reader())
        .await
        .map_err(translate)?;
        row.as_ref().map(shown).transpose()
    }

    async fn latest_run(
        &self,
        binding: BindingId,
        entity: EntityKind,
        magento_id: i64,
    ) -> Result<Option<Run>> {
        // The newest of each event that is about the entity: a few look-ups in the index by event, however long its history. A skipped
        // payment does not speak for its invoice, unless nothing else does.
        let mut latest = None;
        for event in EventName::ALL.iter().filter(|event| event.entity() == entity) {
            let silent = (*event == EventName::InvoicePaid).then_some(RunStatus::SkippedByPolicy);
            let run = latest_but(self, binding, *event, magento_id, silent).await?;
            latest = latest.into_iter().chain(run).max_by_key(|run: &Run| run.id);
        }
        if latest.is_none() && entity == EntityKind::Invoice {
            return self.latest_run_of_event(binding, EventName::InvoicePaid, magento_id).await;
        }
        Ok(latest)
    }

    async fn latest_run_of_event(
        &self,
        binding: BindingId,
        event: EventName,
        magento_id: i64,
    ) -> Result<Option<Run>> {
        latest_but(self, binding, event, magento_id, None).await
    }

    async fn posted_for(
        &self,
        binding: BindingId,
        business: &str,
        customer: &KnownCustomer,
        currency: &str,
        besides: Option<i64>,
    ) -> Result<Posted> {
        let (invoiced_minor, credited_minor) = sqlx::query_as(
            "SELECT CAST(coalesce(sum(CASE WHEN kind = 'invoice' THEN amount END), 0) AS bigint),
                    CAST(coalesce(sum(CASE WHEN kind = 'memo' THEN amount END), 0) AS bigint)
               FROM (SELECT CASE WHEN r.event = 'creditmemo.created' THEN 'memo' ELSE 'invoice' END AS kind, max(r.amount_minor) AS amount
                       FROM (SELECT m.id FROM runs m JOIN bindings b ON b.id = $1
                              WHERE m.organisation_id = b.organisation_id AND m.email_digest = $2
                             UNION
                             SELECT m.id FROM runs m WHERE m.binding_id = $1 AND m.customer_id = $6) theirs
                      CROSS JOIN runs r
                      WHERE r.binding_id = $1 AND r.id = theirs.id AND r.currency = $3
                        AND r.event IN ('invoice.created', 'invoice.paid', 'creditmemo.created')
                        AND (r.event <> 'creditmemo.created' OR r.magento_id <> $5)
                        AND (r.status = 'succeeded'
                             OR r.event = 'creditmemo.created'
                                AND EXISTS (SELECT 1 FROM intents i
                                             WHERE i.binding_id = r.binding_id AND i.business_id = $4 AND i.kind = 'creditmemo'
                                               AND i.magento_key = CAST(r.magento_id AS text)
                                               AND (i.state = 'answered' OR i.state = 'open' AND i.unanswered_at IS NOT NULL)))
                      GROUP BY kind, r.magento_id) posted",
        )
        .bind(Id(binding))
        .bind(&customer.email_digest)
        .bind(currency)
        .bind(business)
        // Magento's ids begin at 1.
        .bind(besides.unwrap_or_default())
        .bind(customer.customer_id)
        .fetch_one(self.reader())
        .await
        .map_err(translate)?;
        Ok(Posted { invoiced_minor, credited_minor })
    }

    async fn invoices_posted_for(
        &self,
        binding: BindingId,
        customer: &KnownCustomer,
        currency: &str,
        most: u32,
    ) -> Result<Vec<i64>> {
        sqlx::query_scalar(
            "SELECT r.magento_id
               FROM (SELECT m.id FROM runs m JOIN bindings b ON b.id = $1
                      WHERE m.organisation_id = b.organisation_id AND m.email_digest = $2
                     UNION
                     SELECT m.id FROM runs m WHERE m.binding_id = $1 AND m.customer_id = $3) theirs
              CROSS JOIN runs r
              WHERE r.binding_id = $1 AND r.id = theirs.id AND r.currency = $4
                AND r.event IN ('invoice.created', 'invoice.paid') AND r.status = 'succeeded'
              GROUP BY r.magento_id ORDER BY r.magento_id DESC LIMIT $5",
        )
        .bind(Id(binding))
        .bind(&customer.email_digest)
        .bind(customer.customer_id)
        .bind(currency)
        .bind(i64::from(most))
        .fetch_all(self.reader())
        .await
        .map_err(translate)
    }

    async fn count_runs(&self, binding: BindingId, failed_since: DateTime<Utc>) -> Result<Counts> {
        let (pending, failed, last_finished_at): (i64, i64, Option<Instant>) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM runs
                     WHERE binding_id = $1 AND status IN ('queued', 'running', 'waiting', 'retrying')),
                    (SELECT count(*) FROM runs
                     WHERE binding_id = $1 AND status = 'failed' AND finished_at >= $2 AND resolved_by IS NULL),
                    (SELECT max(finished_at) FROM runs WHERE binding_id = $1 AND finished_at IS NOT NULL)",
        )
        .bind(Id(binding))
        .bind(Instant(failed_since))
        .fetch_one(self.reader())
        .await
        .map_err(translate)?;
        Ok(Counts { pending, failed, last_finished_at: last_finished_at.map(|at| at.0) })
    }

    async fn others_succeeded(&self, binding: BindingId, event: EventName, run: RunId) -> Result<bool> {
        let succeeded: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM (
                 SELECT 1 AS one FROM runs r
                  WHERE r.binding_id = $1 AND r.event = $2 AND r.id <> $3 AND r.status = 'succeeded'
                    AND r.finished_at > (SELECT max(a.ended_at) FROM attempts a
                                          WHERE a.binding_id = $1 AND a.run_id = $3 AND a.ended_at IS NOT NULL)
                  LIMIT 1) others",
        )
        .bind(Id(binding))
        .bind(event.as_str())
        .bind(Id(run))
        .fetch_one(self.reader())
        .await
        .map_err(translate)?;
        Ok(succeeded > 0)
    }

    async fn count_posted(&self, binding: BindingId, since: DateTime<Utc>) -> Result<i64> {
        sqlx::query_scalar(
            "SELECT count(*) FROM runs
             WHERE binding_id = $1 AND finished_at >= $2 AND status = 'succeeded'
               AND event IN ('invoice.created', 'invoice.paid', 'creditmemo.created')",
        )
        .bind(Id(binding))
        .bind(Instant(since))
        .fetch_one(self.reader())
        .await
        .map_err(translate)
    }
}

/// The newest run of an event of an entity, passing over those in one status.
async fn latest_but(
    store: &Driver,
    binding: BindingId,
    event: EventName,
    magento_id: i64,
    silent: Option<RunStatus>,
) -> Result<Option<Run>> {
    let row = sqlx::query(concat!(
        "SELECT ",
        run_columns!(),
        " FROM runs r WHERE r.binding_id = $1 AND r.magento_id = $2 AND r.event = $3 AND r.status IS DISTINCT FROM $4
           ORDER BY r.id DESC LIMIT 1"
    ))
    .bind(Id(binding))
    .bind(magento_id)
    .bind(event.as_str())
    .bind(silent.map(RunStatus::as_str))
    .fetch_optional(store.reader())
    .await
    .map_err(translate)?;
    row.as_ref().map(shown).transpose()
}

/// Queues a run again that somebody asks for.
async fn retry(
    mut transaction: Transaction,
    organisation: OrganisationId,
    run: RunId,
    (now, action): (DateTime<Utc>, Option<&Action>),
) -> Tried<()> {
    ahead::end_leases(&mut transaction, now).await?;
    if !queue_again(&mut transaction, organisation, run, now).await? {
        return Err(Error::Conflict("the run").into());
    }
    // Who asks for it now does not wait for the end of a rest.
    let binding: Id<BindingId> = sqlx::query_scalar("SELECT binding_id FROM runs WHERE id = $1")
        .bind(Id(run))
        .fetch_one(&mut *transaction)
        .await?;
    rests::end(&mut transaction, binding.0).await?;
    record(&mut transaction, action).await?;
    transaction.announce(organisation).await?;
    transaction.commit(()).await
}
