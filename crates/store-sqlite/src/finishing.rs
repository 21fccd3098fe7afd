//! How an attempt ends, all in one transaction.

use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    run::{EventName, RunStatus},
};
use sqlx::SqliteConnection;
use store::{Fence, FinishRun, Outcome, Result, RunFacts};

use crate::{
    attempts, claims,
    columns::instant,
    deliveries,
    error::{ensure_affected, stale, translate},
    sqlite::SqliteStore,
    xrefs,
};

/// What the run becomes; an attempt tells the outcome that the worker saw.
struct End<'a> {
    status: RunStatus,
    code: Option<Code>,
    message: Option<&'a str>,
    waits_for_invoice: Option<i64>,
    /// `None` leaves what was there.
    next_at: Option<DateTime<Utc>>,
}

impl<'a> End<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let (code, message, waits_for_invoice, next_at) = match outcome {
            Outcome::Succeeded => (None, None, None, None),
            Outcome::Skipped { code, message } | Outcome::Failed { code, message } => {
                (Some(*code), message.as_deref(), None, None)
            }
            Outcome::Waiting { code, message, waits_for_invoice } => {
                (Some(*code), message.as_deref(), *waits_for_invoice, None)
            }
            Outcome::Retrying { code, message, next_at } => {
                (Some(*code), message.as_deref(), None, Some(*next_at))
            }
        };
        Self { status: outcome.status(), code, message, waits_for_invoice, next_at }
    }

    /// Due now, with nothing more to say.
    const fn queued(now: DateTime<Utc>) -> Self {
        Self {
            status: RunStatus::Queued,
            code: None,
            message: None,
            waits_for_invoice: None,
            next_at: Some(now),
        }
    }
}

pub(crate) async fn finish(store: &SqliteStore, finish: &FinishRun) -> Result<()> {
    let mut transaction = store.writer.begin().await?;
    let binding = claims::holds(&mut transaction, finish.fence).await?;
    let told = End::of(&finish.outcome);
    let has_missed_it = match told.waits_for_invoice {
        Some(invoice) => has_ended_well(&mut transaction, &binding, invoice).await?,
        None => false,
    };
    let end = if has_missed_it { End::queued(finish.now) } else { End::of(&finish.outcome) };
    let (event, magento_id) = end_run(&mut transaction, finish, &end).await?;
    close_attempt(&mut transaction, finish.fence, finish.now, &End { status: end.status, ..told }).await?;
    for step in &finish.steps {
        attempts::insert_step(&mut transaction, &binding, finish.fence, step).await?;
    }
    for xref in &finish.xrefs {
        xrefs::upsert(&mut transaction, &binding, xref, finish.now).await?;
    }
    if let Some(state) = &finish.sync_state {
        deliveries::upsert(&mut transaction, &binding, state, finish.now).await?;
    }
    let is_over = matches!(end.status, RunStatus::Succeeded | RunStatus::SkippedByPolicy);
    if is_over && event == EventName::InvoiceCreated.as_str() {
        release_waiting(&mut transaction, &binding, magento_id, finish.now).await?;
    }
    transaction.commit().await.map_err(translate)?;
    store.announce();
    Ok(())
}

pub(crate) async fn release(store: &SqliteStore, fence: Fence, now: DateTime<Utc>) -> Result<()> {
    let mut transaction = store.writer.begin().await?;
    let result = sqlx::query(
        "UPDATE runs
            SET status = 'queued', attempts = attempts - 1, attempt_id = NULL, lease_until = NULL, lease_business = NULL,
                next_at = ?3, updated_at = ?3
          WHERE id = ?1 AND attempt_id = ?2 AND status = 'running'",
    )
    .bind(fence.run_id.to_string())
    .bind(fence.attempt_id.to_string())
    .bind(instant(now))
    .execute(&mut *transaction)
    .await
    .map_err(translate)?;
    ensure_affected(&result, 1)?;
    close_attempt(&mut transaction, fence, now, &End::queued(now)).await?;
    transaction.commit().await.map_err(translate)?;
    store.announce();
    Ok(())
}

/// Whether the invoice that a run is to wait for has meanwhile ended, so that nobody would wake the run.
async fn has_ended_well(connection: &mut SqliteConnection, binding: &str, invoice: i64) -> Result<bool> {
    let status: Option<String> = sqlx::query_scalar(
        "SELECT status FROM runs WHERE binding_id = ?1 AND magento_id = ?2 AND event = 'invoice.created'
          ORDER BY id DESC LIMIT 1",
    )
    .bind(binding)
    .bind(invoice)
    .fetch_optional(connection)
    .await
    .map_err(translate)?;
    Ok(matches!(status.as_deref(), Some("succeeded" | "skipped_by_policy")))
}

/// Writes the run and tells what it was about.
async fn end_run(
    connection: &mut SqliteConnection,
    finish: &FinishRun,
    end: &End<'_>,
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
    } = &finish.facts;
    sqlx::query_as(
        "UPDATE runs
            SET status = ?3, code = ?4, message = ?5, waits_for_invoice = ?6, next_at = coalesce(?7, next_at),
                attempt_id = NULL, lease_until = NULL, lease_business = NULL, updated_at = ?8, finished_at = ?9,
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
    .bind(end.status.as_str())
    .bind(end.code.map(Code::as_str))
    .bind(end.message)
    .bind(end.waits_for_invoice)
    .bind(end.next_at.map(instant))
    .bind(instant(finish.now))
    .bind(end.status.is_terminal().then(|| instant(finish.now)))
    .bind(increment_id)
    .bind(customer)
    .bind(currency)
    .bind(amount_minor)
    .bind(tax_minor)
    .bind(sage_amount_minor)
    .bind(sage_tax_minor)
    .bind(sage_id)
    .bind(sage_reference)
    .fetch_optional(connection)
    .await
    .map_err(translate)?
    .ok_or_else(stale)
}

async fn close_attempt(
    connection: &mut SqliteConnection,
    fence: Fence,
    now: DateTime<Utc>,
    end: &End<'_>,
) -> Result<()> {
    let result =
        sqlx::query("UPDATE attempts SET ended_at = ?2, outcome = ?3, code = ?4, message = ?5 WHERE id = ?1")
            .bind(fence.attempt_id.to_string())
            .bind(instant(now))
            .bind(end.status.as_str())
            .bind(end.code.map(Code::as_str))
            .bind(end.message)
            .execute(connection)
            .await
            .map_err(translate)?;
    ensure_affected(&result, 1)
}

/// Wakes the payments and credit memos that wait for an invoice.
async fn release_waiting(
    connection: &mut SqliteConnection,
    binding: &str,
    invoice: i64,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "UPDATE runs
            SET status = 'queued', code = NULL, message = NULL, waits_for_invoice = NULL, next_at = ?3, updated_at = ?3
          WHERE binding_id = ?1 AND status = 'waiting' AND waits_for_invoice = ?2",
    )
    .bind(binding)
    .bind(invoice)
    .bind(instant(now))
    .execute(connection)
    .await
    .map_err(translate)?;
    Ok(())
}
