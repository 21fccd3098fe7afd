//! Runs: the queue and the history at once. Claiming, ending and the history have files of their own.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    ids::{AttemptId, BindingId, OrganisationId, RunId},
    run::{EntityKind, EventName, RunStatus},
};
use sqlx::{FromRow, Row, SqliteConnection, sqlite::SqliteRow};
use store::{
    Action, Claimed, Counts, Error, Fence, FinishRun, Posted, Result, Run, RunFacts, Runs, Standing,
};

use crate::{
    actions::record,
    ahead, claims,
    columns::{Place, instant},
    error::{is_unreadable, translate},
    finishing, presence, rests,
    sqlite::SqliteStore,
};

#[derive(sqlx::FromRow)]
pub(crate) struct RunRow {
    id: String,
    binding_id: String,
    event: String,
    magento_id: i64,
    status: String,
    code: Option<String>,
    message: Option<String>,
    attempts: i32,
    pub(crate) attempts_in_all: i32,
    next_at: String,
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
    occurred_at: String,
    created_at: String,
    updated_at: String,
    finished_at: Option<String>,
    started_at: Option<String>,
    resolved_by: Option<String>,
    trace_parent: Option<String>,
}

impl TryFrom<RunRow> for Run {
    type Error = Error;

    fn try_from(row: RunRow) -> Result<Self> {
        let place = Place { table: "runs", row: &row.id };
        Ok(Self {
            id: place.word("id", &row.id)?,
            binding_id: place.word("binding_id", &row.binding_id)?,
            event: place.word("event", &row.event)?,
            magento_id: row.magento_id,
            status: place.word("status", &row.status)?,
            code: place.optional_word("code", row.code.as_deref())?,
            message: row.message,
            attempts: row.attempts,
            next_at: place.time("next_at", &row.next_at)?,
            policy_version: row.policy_version,
            website_id: row.website_id,
            store_id: row.store_id,
            occurred_at: place.time("occurred_at", &row.occurred_at)?,
            created_at: place.time("created_at", &row.created_at)?,
            updated_at: place.time("updated_at", &row.updated_at)?,
            finished_at: place.optional_time("finished_at", row.finished_at.as_deref())?,
            started_at: place.optional_time("started_at", row.started_at.as_deref())?,
            resolved_by: place.optional_word("resolved_by", row.resolved_by.as_deref())?,
            trace_parent: row.trace_parent,
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
        })
    }
}

/// A run as lists show it: what cannot be read of it is left out, and it says so.
pub(crate) fn shown(row: &SqliteRow) -> Result<Run> {
    let read = RunRow::from_row(row).map_err(translate).and_then(Run::try_from);
    match read {
        Err(error) if is_unreadable(&error) => stand_in(row, &error),
        other => other,
    }
}

/// What can be read of a row, column by column.
fn stand_in(row: &SqliteRow, problem: &Error) -> Result<Run> {
    let text = |column: &str| row.try_get::<Option<String>, _>(column).ok().flatten();
    let number = |column: &str| row.try_get::<Option<i64>, _>(column).ok().flatten();
    let id = text("id").unwrap_or_default();
    let place = Place { table: "runs", row: &id };
    let time = |column: &'static str| text(column).and_then(|text| place.time(column, &text).ok());
    let binding = place.word("binding_id", &text("binding_id").unwrap_or_default())?;
    let bare = Run::unreadable(place.word("id", &id)?, binding, problem);
    Ok(Run {
        event: text("event").and_then(|word| word.parse().ok()).unwrap_or(bare.event),
        status: text("status").and_then(|word| word.parse().ok()).unwrap_or(bare.status),
        magento_id: number("magento_id").unwrap_or_default(),
        occurred_at: time("occurred_at").unwrap_or(bare.occurred_at),
        created_at: time("created_at").unwrap_or(bare.created_at),
        updated_at: time("updated_at").unwrap_or(bare.updated_at),
        finished_at: time("finished_at"),
        facts: RunFacts {
            increment_id: text("increment_id"),
            customer: text("customer"),
            currency: text("currency"),
            amount_minor: number("amount_minor"),
            sage_id: text("sage_id"),
            sage_reference: text("sage_reference"),
            ..RunFacts::default()
        },
        ..bare
    })
}

#[derive(sqlx::FromRow)]
struct CountsRow {
    pending: i64,
    failed: i64,
    last_finished_at: Option<String>,
}

#[async_trait]
impl Runs for SqliteStore {
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
        presence::take_back_leases(self, now).await
    }

    async fn bring_forward(&self, now: DateTime<Utc>) -> Result<u64> {
        ahead::bring_forward(self, now).await
    }

    async fn extend_lease(&self, fence: Fence, now: DateTime<Utc>, lease_until: DateTime<Utc>) -> Result<()> {
        claims::extend(self, fence, now, lease_until).await
    }

    async fn finish_run(&self, finish: &FinishRun) -> Result<()> {
        finishing::finish(self, finish).await
    }

    async fn release_run(&self, fence: Fence, now: DateTime<Utc>) -> Result<()> {
        finishing::release(self, fence, now).await
    }

    async fn retry_run(
        &self,
        organisation: OrganisationId,
        run: RunId,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<()> {
        let mut transaction = self.writer.begin().await?;
        ahead::end_leases(&mut transaction, now).await?;
        let found: Option<(String, bool)> = sqlx::query_as(
            "SELECT r.binding_id, coalesce(r.status = 'running' AND r.lease_until > ?3, 0)
               FROM runs r JOIN bindings b ON b.id = r.binding_id WHERE r.id = ?1 AND b.organisation_id = ?2",
        )
        .bind(run.to_string())
        .bind(organisation.to_string())
        .bind(instant(now))
        .fetch_optional(&mut *transaction)
        .await
        .map_err(translate)?;
        let (binding, is_held) = found.ok_or(Error::NotFound("the run"))?;
        if is_held {
            return Err(Error::Conflict("the run"));
        }
        claims::close_lost(&mut transaction, &run.to_string(), &instant(now)).await?;
        queue_again(&mut transaction, run, now).await?;
        // Who asks for it now does not wait for the end of a rest.
        rests::end(&mut transaction, &binding).await?;
        record(&mut transaction, action).await?;
        transaction.commit().await.map_err(translate)?;
        self.announcer.organisation(organisation);
        Ok(())
    }

    async fn run(&self, organisation: OrganisationId, run: RunId) -> Result<Option<Run>> {
        let row = sqlx::query(
            "SELECT r.* FROM runs r JOIN bindings b ON b.id = r.binding_id WHERE r.id = ?1 AND b.organisation_id = ?2",
        )
        .bind(run.to_string())
        .bind(organisation.to_string())
        .fetch_optional(&self.readers)
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
        // The newest of each event that is about the entity: a few look-ups in the index by event, however long its history.
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

    async fn posted_for(&self, binding: BindingId, email_digest: &str, currency: &str) -> Result<Posted> {
        let (invoiced_minor, credited_minor) = sqlx::query_as(
            "SELECT coalesce(sum(CASE WHEN kind = 'invoice' THEN amount END), 0), coalesce(sum(CASE WHEN kind = 'memo' THEN amount END), 0)
               FROM (SELECT CASE WHEN r.event = 'creditmemo.created' THEN 'memo' ELSE 'invoice' END AS kind, max(r.amount_minor) AS amount
                       FROM runs r JOIN bindings b ON b.id = r.binding_id
                      WHERE r.organisation_id = b.organisation_id AND r.email_digest = ?2 AND r.binding_id = ?1 AND r.currency = ?3
                        AND r.status = 'succeeded' AND r.event IN ('invoice.created', 'invoice.paid', 'creditmemo.created')
                      GROUP BY kind, r.magento_id) posted",
        )
        .bind(binding.to_string())
        .bind(email_digest)
        .bind(currency)
        .fetch_one(&self.readers)
        .await
        .map_err(translate)?;
        Ok(Posted { invoiced_minor, credited_minor })
    }

    async fn count_runs(&self, binding: BindingId, failed_since: DateTime<Utc>) -> Result<Counts> {
        let binding = binding.to_string();
        let row = sqlx::query_as::<_, CountsRow>(
            "SELECT (SELECT count(*) FROM runs
                      WHERE binding_id = ?1 AND status IN ('queued', 'running', 'waiting', 'retrying')) AS pending,
                    (SELECT count(*) FROM runs
                      WHERE binding_id = ?1 AND finished_at >= ?2 AND status = 'failed' AND resolved_by IS NULL) AS failed,
                    (SELECT max(finished_at) FROM runs
                      WHERE binding_id = ?1 AND finished_at IS NOT NULL) AS last_finished_at",
        )
        .bind(&binding)
        .bind(instant(failed_since))
        .fetch_one(&self.readers)
        .await
        .map_err(translate)?;
        let place = Place { table: "runs", row: &binding };
        Ok(Counts {
            pending: row.pending,
            failed: row.failed,
            last_finished_at: place.optional_time("finished_at", row.last_finished_at.as_deref())?,
        })
    }

    async fn count_posted(&self, binding: BindingId, since: DateTime<Utc>) -> Result<i64> {
        sqlx::query_scalar(
            "SELECT count(*) FROM runs
              WHERE binding_id = ?1 AND finished_at >= ?2 AND status = 'succeeded'
                AND event IN ('invoice.created', 'invoice.paid', 'creditmemo.created')",
        )
        .bind(binding.to_string())
        .bind(instant(since))
        .fetch_one(&self.readers)
        .await
        .map_err(translate)
    }
}

/// The newest run of an event of an entity, passing over those in one status.
async fn latest_but(
    store: &SqliteStore,
    binding: BindingId,
    event: EventName,
    magento_id: i64,
    silent: Option<RunStatus>,
) -> Result<Option<Run>> {
    let row = sqlx::query(
        "SELECT * FROM runs WHERE binding_id = ?1 AND magento_id = ?2 AND event = ?3 AND status IS NOT ?4
          ORDER BY id DESC LIMIT 1",
    )
    .bind(binding.to_string())
    .bind(magento_id)
    .bind(event.as_str())
    .bind(silent.map(RunStatus::as_str))
    .fetch_optional(&store.readers)
    .await
    .map_err(translate)?;
    row.as_ref().map(shown).transpose()
}

/// Puts a run that nobody holds in the queue as if it were new.
pub(crate) async fn queue_again(
    connection: &mut SqliteConnection,
    run: RunId,
    now: DateTime<Utc>,
) -> Result<()> {
    let onward = Standing::onward(now);
    sqlx::query(
        "UPDATE runs
            SET status = ?3, code = ?4, message = NULL, cause = NULL, waits_for_invoice = NULL, attempts = 0, next_at = ?2,
                policy_version = coalesce(
                    (SELECT max(p.version) FROM policy_versions p WHERE p.binding_id = runs.binding_id), 0),
                updated_at = ?2, finished_at = NULL, resolved_by = NULL, attempt_id = NULL, lease_until = NULL, lease_business = NULL
          WHERE id = ?1",
    )
    .bind(run.to_string())
    .bind(instant(now))
    .bind(onward.status.as_str())
    .bind(onward.code.map(Code::as_str))
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}
