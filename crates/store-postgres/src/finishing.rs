//! Ending an attempt, and giving a run back.

use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    run::{EventName, RunStatus},
};
use sqlx::PgConnection;
use store::{Fence, FinishRun, Outcome};

use crate::{
    PostgresStore,
    attempts::insert_steps,
    changes::announce,
    deliveries::tell,
    error::{Tried, clean, clean_option, ensure_affected},
    runs::{Held, hold},
    xrefs,
};

/// An outcome as the columns that it fills.
struct Columns<'a> {
    status: RunStatus,
    code: Option<Code>,
    message: Option<&'a str>,
    waits_for_invoice: Option<i64>,
    next_at: Option<DateTime<Utc>>,
}

impl<'a> Columns<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let (code, message) = match outcome {
            Outcome::Succeeded => (None, None),
            Outcome::Skipped { code, message }
            | Outcome::Failed { code, message }
            | Outcome::Waiting { code, message, .. }
            | Outcome::Retrying { code, message, .. } => (Some(*code), message.as_deref()),
        };
        let waits_for_invoice = match outcome {
            Outcome::Waiting { waits_for_invoice, .. } => *waits_for_invoice,
            _ => None,
        };
        let next_at = match outcome {
            Outcome::Retrying { next_at, .. } => Some(*next_at),
            _ => None,
        };
        Self { status: outcome.status(), code, message, waits_for_invoice, next_at }
    }
}

pub(crate) async fn finish(store: &PostgresStore, finish: &FinishRun) -> Tried<()> {
    let (fence, now) = (finish.fence, finish.now);
    let mut transaction = store.pool.begin().await?;
    let held = hold(&mut transaction, fence).await?;
    let mut columns = Columns::of(&finish.outcome);
    let goes_on = match columns.waits_for_invoice {
        Some(invoice) => invoice_is_done(&mut transaction, &held, invoice).await?,
        None => false,
    };
    if goes_on {
        columns.status = RunStatus::Queued;
    }
    insert_steps(&mut transaction, held.binding_id, fence, &finish.steps).await?;
    close_attempt(&mut transaction, &held, fence, &columns, now).await?;
    if goes_on {
        // The attempt keeps its reason; the run has none any more.
        columns = Columns {
            status: RunStatus::Queued,
            code: None,
            message: None,
            waits_for_invoice: None,
            next_at: Some(now),
        };
    }
    write_run(&mut transaction, &held, finish, &columns).await?;
    free_business(&mut transaction, fence).await?;
    for xref in &finish.xrefs {
        xrefs::keep(&mut transaction, held.binding_id, xref, now).await?;
    }
    if let Some(state) = &finish.sync_state {
        tell(&mut transaction, held.binding_id, state, now).await?;
    }
    let ended_well = matches!(columns.status, RunStatus::Succeeded | RunStatus::SkippedByPolicy);
    if ended_well && held.event == EventName::InvoiceCreated.as_str() {
        wake_waiting(&mut transaction, &held, now).await?;
    }
    announce(&mut transaction).await?;
    transaction.commit().await?;
    Ok(())
}

pub(crate) async fn release(store: &PostgresStore, fence: Fence, now: DateTime<Utc>) -> Tried<()> {
    let mut transaction = store.pool.begin().await?;
    let held = hold(&mut transaction, fence).await?;
    let columns = Columns {
        status: RunStatus::Queued,
        code: None,
        message: None,
        waits_for_invoice: None,
        next_at: Some(now),
    };
    close_attempt(&mut transaction, &held, fence, &columns, now).await?;
    let released = sqlx::query(
        "UPDATE runs SET status = 'queued', attempts = attempts - 1, attempt_id = NULL, lease_until = NULL,
                         next_at = $3, updated_at = $3
         WHERE binding_id = $1 AND id = $2",
    )
    .bind(held.binding_id)
    .bind(fence.run_id.0)
    .bind(now)
    .execute(&mut *transaction)
    .await?;
    ensure_affected(&released, 1)?;
    free_business(&mut transaction, fence).await?;
    announce(&mut transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// Whether the run of this invoice has ended well or was skipped. Its row is held meanwhile: an end at the same moment either
/// is seen here, or sees this run wait and wakes it.
async fn invoice_is_done(connection: &mut PgConnection, held: &Held, invoice: i64) -> Tried<bool> {
    let status: Option<String> = sqlx::query_scalar(
        "SELECT status FROM runs WHERE binding_id = $1 AND magento_id = $2 AND event = 'invoice.created'
         ORDER BY id DESC LIMIT 1 FOR SHARE",
    )
    .bind(held.binding_id)
    .bind(invoice)
    .fetch_optional(connection)
    .await?;
    Ok(status.is_some_and(|status| {
        status == RunStatus::Succeeded.as_str() || status == RunStatus::SkippedByPolicy.as_str()
    }))
}

async fn close_attempt(
    connection: &mut PgConnection,
    held: &Held,
    fence: Fence,
    columns: &Columns<'_>,
    now: DateTime<Utc>,
) -> Tried<()> {
    let closed = sqlx::query(
        "UPDATE attempts SET ended_at = $4, outcome = $5, code = $6, message = $7
         WHERE binding_id = $1 AND run_id = $2 AND id = $3 AND ended_at IS NULL",
    )
    .bind(held.binding_id)
    .bind(fence.run_id.0)
    .bind(fence.attempt_id.0)
    .bind(now)
    .bind(columns.status.as_str())
    .bind(columns.code.map(Code::as_str))
    .bind(columns.message.map(clean))
    .execute(connection)
    .await?;
    Ok(ensure_affected(&closed, 1)?)
}

async fn write_run(
    connection: &mut PgConnection,
    held: &Held,
    finish: &FinishRun,
    columns: &Columns<'_>,
) -> Tried<()> {
    let facts = &finish.facts;
    let written = sqlx::query(
        "UPDATE runs
         SET status = $3, code = $4, message = $5, waits_for_invoice = $6, next_at = coalesce($7, next_at),
             updated_at = $8, finished_at = $9, attempt_id = NULL, lease_until = NULL,
             increment_id = coalesce($10, increment_id), customer = coalesce($11, customer),
             currency = coalesce($12, currency), amount_minor = coalesce($13, amount_minor),
             tax_minor = coalesce($14, tax_minor), sage_amount_minor = coalesce($15, sage_amount_minor),
             sage_tax_minor = coalesce($16, sage_tax_minor), sage_id = coalesce($17, sage_id),
             sage_reference = coalesce($18, sage_reference)
         WHERE binding_id = $1 AND id = $2",
    )
    .bind(held.binding_id)
    .bind(finish.fence.run_id.0)
    .bind(columns.status.as_str())
    .bind(columns.code.map(Code::as_str))
    .bind(columns.message.map(clean))
    .bind(columns.waits_for_invoice)
    .bind(columns.next_at)
    .bind(finish.now)
    .bind(columns.status.is_terminal().then_some(finish.now))
    .bind(clean_option(facts.increment_id.as_ref()))
    .bind(clean_option(facts.customer.as_ref()))
    .bind(clean_option(facts.currency.as_ref()))
    .bind(facts.amount_minor)
    .bind(facts.tax_minor)
    .bind(facts.sage_amount_minor)
    .bind(facts.sage_tax_minor)
    .bind(clean_option(facts.sage_id.as_ref()))
    .bind(clean_option(facts.sage_reference.as_ref()))
    .execute(connection)
    .await?;
    Ok(ensure_affected(&written, 1)?)
}

/// Gives the business back. No row is no error: the lease may have run out, and another run have begun, before this one ended.
async fn free_business(connection: &mut PgConnection, fence: Fence) -> Tried<()> {
    sqlx::query("DELETE FROM business_leases WHERE attempt_id = $1")
        .bind(fence.attempt_id.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Queues what waited for this invoice.
async fn wake_waiting(connection: &mut PgConnection, held: &Held, now: DateTime<Utc>) -> Tried<()> {
    sqlx::query(
        "UPDATE runs SET status = 'queued', code = NULL, message = NULL, waits_for_invoice = NULL, next_at = $3,
                         updated_at = $3
         WHERE binding_id = $1 AND status = 'waiting' AND waits_for_invoice = $2",
    )
    .bind(held.binding_id)
    .bind(held.magento_id)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}
