//! How an attempt ends, all in one transaction.

use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    run::{EventName, RunStatus},
};
use sqlx::SqliteConnection;
use store::{Fence, FinishRun, Meanwhile, Outcome, Result, RunFacts, Standing, Tally};

use crate::{
    attempts, claims,
    columns::{Place, instant},
    deliveries,
    error::{ensure_affected, stale, translate},
    health, overview, plans, rests,
    sqlite::SqliteStore,
    xrefs,
};

pub(crate) async fn finish(store: &SqliteStore, finish: &FinishRun) -> Result<()> {
    let mut transaction = store.writer.begin().await?;
    let binding = claims::holds(&mut transaction, finish.fence).await?;
    let meanwhile = meanwhile(&mut transaction, &binding, finish).await?;
    let standing = Standing::after(&finish.outcome, &meanwhile, finish.now);
    let (event, magento_id) = end_run(&mut transaction, finish, &standing).await?;
    let silent_for = rests::note(&mut transaction, &binding, &finish.outcome, finish.now).await?;
    health::note_run(&mut transaction, &binding, finish, &standing, silent_for).await?;
    let word = finish.outcome.word(standing.status);
    close_attempt(&mut transaction, finish.fence, finish.now, word, &Standing::told(&finish.outcome)).await?;
    attempts::insert_steps(&mut transaction, &binding, finish.fence, &finish.steps).await?;
    if let Some(plan) = &finish.plan {
        plans::keep(&mut transaction, &binding, finish.fence, plan, finish.now).await?;
    }
    for xref in &finish.xrefs {
        xrefs::upsert(&mut transaction, &binding, xref, finish.now).await?;
    }
    if let Some(state) = &finish.sync_state {
        deliveries::upsert(&mut transaction, (&binding, finish.fence.run_id), state, finish.now).await?;
    }
    if let Outcome::Resting { .. } = finish.outcome {
        attempts::fold_rests(&mut transaction, finish.fence).await?;
    }
    if standing.status.is_terminal() {
        let ended = Tally::Ended(standing.status);
        overview::count(&mut transaction, &binding, ended, 1, finish.now).await?;
    }
    if standing.status == RunStatus::Succeeded {
        resolve_earlier(&mut transaction, &binding, &event, magento_id, finish.fence).await?;
    }
    let is_over = matches!(standing.status, RunStatus::Succeeded | RunStatus::SkippedByPolicy);
    if is_over && event == EventName::InvoiceCreated.as_str() {
        let onward = Standing::onward(finish.now);
        let is_synced = standing.status == RunStatus::Succeeded;
        let invoice = (binding.as_str(), magento_id, is_synced);
        release_waiting(&mut transaction, invoice, &onward, finish.now).await?;
    }
    transaction.commit().await.map_err(translate)?;
    store.announcer.binding(&binding).await;
    Ok(())
}

pub(crate) async fn release(store: &SqliteStore, fence: Fence, now: DateTime<Utc>) -> Result<()> {
    let mut transaction = store.writer.begin().await?;
    let binding = claims::holds(&mut transaction, fence).await?;
    let onward = Standing::onward(now);
    let result = sqlx::query(
        "UPDATE runs
            SET status = ?4, code = ?5, attempts = attempts - 1, attempt_id = NULL, lease_until = NULL, lease_business = NULL,
                next_at = ?3, updated_at = ?3
          WHERE id = ?1 AND attempt_id = ?2 AND status = 'running'",
    )
    .bind(fence.run_id.to_string())
    .bind(fence.attempt_id.to_string())
    .bind(instant(now))
    .bind(onward.status.as_str())
    .bind(onward.code.map(Code::as_str))
    .execute(&mut *transaction)
    .await
    .map_err(translate)?;
    ensure_affected(&result, 1)?;
    close_attempt(&mut transaction, fence, now, onward.status.as_str(), &onward).await?;
    transaction.commit().await.map_err(translate)?;
    store.announcer.binding(&binding).await;
    Ok(())
}

/// What the run must not wait for, because it has happened while the attempt was under way.
async fn meanwhile(
    connection: &mut SqliteConnection,
    binding: &str,
    finish: &FinishRun,
) -> Result<Meanwhile> {
    let newer_policy: Option<i64> = sqlx::query_scalar(
        "SELECT max(p.version) FROM runs r JOIN policy_versions p ON p.binding_id = r.binding_id
          WHERE r.id = ?1 AND p.version > r.policy_version",
    )
    .bind(finish.fence.run_id.to_string())
    .fetch_one(&mut *connection)
    .await
    .map_err(translate)?;
    let invoice = match Standing::told(&finish.outcome).waits_for_invoice {
        Some(invoice) => latest_of_invoice(connection, binding, invoice).await?,
        None => None,
    };
    Ok(Meanwhile { newer_policy, invoice })
}

/// Where the invoice stands that a run is to wait for: when it has ended, nobody would wake the run.
async fn latest_of_invoice(
    connection: &mut SqliteConnection,
    binding: &str,
    invoice: i64,
) -> Result<Option<RunStatus>> {
    let status: Option<String> = sqlx::query_scalar(
        "SELECT status FROM runs WHERE binding_id = ?1 AND magento_id = ?2 AND event = 'invoice.created'
          ORDER BY id DESC LIMIT 1",
    )
    .bind(binding)
    .bind(invoice)
    .fetch_optional(connection)
    .await
    .map_err(translate)?;
    let place = Place { table: "runs", row: &format!("invoice {invoice} of {binding}") };
    place.optional_word("status", status.as_deref())
}

/// Writes the run and tells what it was about.
async fn end_run(
    connection: &mut SqliteConnection,
    finish: &FinishRun,
    standing: &Standing<'_>,
) -> Result<(String, i64)> {
    let RunFacts {
        increment_id,
        customer,
        currency,
        amount_minor,
        tax_minor,
        sage_amount_minor,
        sage_tax_minor,
        sage_id,
        sage_reference,
        email_digest,
    } = &finish.facts;
    sqlx::query_as(
        "UPDATE runs
            SET status = ?3, code = ?4, message = ?5, waits_for_invoice = ?6, next_at = coalesce(?7, next_at),
                policy_version = coalesce(?19, policy_version), cause = ?20, email_digest = coalesce(?21, email_digest),
                attempt_id = NULL, lease_until = NULL, lease_business = NULL, updated_at = ?8, finished_at = ?9,
                attempts = attempts - ?22,
                increment_id = coalesce(?10, increment_id), customer = coalesce(?11, customer),
                currency = coalesce(?12, currency), amount_minor = coalesce(?13, amount_minor),
                tax_minor = coalesce(?14, tax_minor), sage_amount_minor = coalesce(?15, sage_amount_minor),
                sage_tax_minor = coalesce(?16, sage_tax_minor), sage_id = coalesce(?17, sage_id),
                sage_reference = coalesce(?18, sage_reference)
          WHERE id = ?1 AND attempt_id = ?2 AND status = 'running'
         RETURNING event, magento_id",
    )
    .bind(finish.fence.run_id.to_string())
    .bind(finish.fence.attempt_id.to_string())
    .bind(standing.status.as_str())
    .bind(standing.code.map(Code::as_str))
    .bind(standing.message)
    .bind(standing.waits_for_invoice)
    .bind(standing.next_at.map(instant))
    .bind(instant(finish.now))
    .bind(standing.status.is_terminal().then(|| instant(finish.now)))
    .bind(increment_id)
    .bind(customer)
    .bind(currency)
    .bind(amount_minor)
    .bind(tax_minor)
    .bind(sage_amount_minor)
    .bind(sage_tax_minor)
    .bind(sage_id)
    .bind(sage_reference)
    .bind(standing.policy_version)
    .bind(standing.cause())
    .bind(email_digest)
    .bind(finish.outcome.uncounted())
    .fetch_optional(connection)
    .await
    .map_err(translate)?
    .ok_or_else(stale)
}

/// The document is in Sage: what failed of it before needs nobody any more.
async fn resolve_earlier(
    connection: &mut SqliteConnection,
    binding: &str,
    event: &str,
    magento_id: i64,
    fence: Fence,
) -> Result<()> {
    sqlx::query(
        "UPDATE runs SET resolved_by = ?4
          WHERE binding_id = ?1 AND magento_id = ?2 AND event = ?3 AND id < ?4 AND status = 'failed'
            AND resolved_by IS NULL",
    )
    .bind(binding)
    .bind(magento_id)
    .bind(event)
    .bind(fence.run_id.to_string())
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}

async fn close_attempt(
    connection: &mut SqliteConnection,
    fence: Fence,
    now: DateTime<Utc>,
    word: &str,
    standing: &Standing<'_>,
) -> Result<()> {
    let result =
        sqlx::query("UPDATE attempts SET ended_at = ?2, outcome = ?3, code = ?4, message = ?5 WHERE id = ?1")
            .bind(fence.attempt_id.to_string())
            .bind(instant(now))
            .bind(word)
            .bind(standing.code.map(Code::as_str))
            .bind(standing.message)
            .execute(connection)
            .await
            .map_err(translate)?;
    ensure_affected(&result, 1)
}

/// Wakes the payments and credit memos that wait for a binding's invoice and, when it is synced, those that were skipped for want of it.
pub(crate) async fn release_waiting(
    connection: &mut SqliteConnection,
    (binding, invoice, is_synced): (&str, i64, bool),
    onward: &Standing<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "UPDATE runs
            SET status = ?4, code = ?5, message = NULL, cause = NULL, waits_for_invoice = NULL, next_at = ?3, updated_at = ?3,
                finished_at = NULL
          WHERE binding_id = ?1 AND waits_for_invoice = ?2
            AND (status = 'waiting' OR ?6 AND status = 'skipped_by_policy')",
    )
    .bind(binding)
    .bind(invoice)
    .bind(instant(now))
    .bind(onward.status.as_str())
    .bind(onward.code.map(Code::as_str))
    .bind(is_synced)
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}
