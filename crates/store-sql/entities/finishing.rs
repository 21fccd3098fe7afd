//! Ending an attempt, and giving a run back.

use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    run::{EventName, RunStatus},
};
use sqlx::PgConnection;
use store::{Fence, FinishRun, Meanwhile, Outcome, Standing, Tally};
use uuid::Uuid;

use crate::{
    PostgresStore,
    attempts::{self, insert_steps},
    bindings::hold_binding,
    changes::announce_of,
    deliveries::tell,
    error::{Place, Tried, clean, clean_option, ensure_affected, lost},
    health, overview, plans, rests,
    runs::{Held, hold},
    xrefs,
};

pub(crate) async fn finish(store: &PostgresStore, finish: &FinishRun) -> Tried<()> {
    let (fence, now) = (finish.fence, finish.now);
    let mut transaction = store.pool.begin().await?;
    let binding = hold_binding(&mut transaction, fence.run_id).await?.ok_or_else(lost)?;
    let held = hold(&mut transaction, fence).await?;
    let meanwhile = meanwhile(&mut transaction, &held, &finish.outcome).await?;
    let standing = Standing::after(&finish.outcome, &meanwhile, now);
    insert_steps(&mut transaction, held.binding_id, fence, &finish.steps).await?;
    let word = finish.outcome.word(standing.status);
    close_attempt(&mut transaction, &held, fence, (word, &Standing::told(&finish.outcome)), now).await?;
    write_run(&mut transaction, &held, finish, &standing).await?;
    // Before the business is free: whoever claims its next run then waits for this, and not this for them.
    let silent_for = rests::note(&mut transaction, held.binding_id, &finish.outcome, now).await?;
    health::note_run(&mut transaction, (held.binding_id, binding), finish, &standing, silent_for).await?;
    free_business(&mut transaction, fence).await?;
    if let Some(plan) = &finish.plan {
        plans::keep(&mut transaction, held.binding_id, fence, plan, now).await?;
    }
    for xref in &finish.xrefs {
        xrefs::keep(&mut transaction, held.binding_id, xref, now).await?;
    }
    if let Some(state) = &finish.sync_state {
        tell(&mut transaction, (held.binding_id, fence.run_id.0), state, now).await?;
    }
    if let Outcome::Resting { .. } = finish.outcome {
        attempts::fold_rests(&mut transaction, held.binding_id, fence).await?;
    }
    if standing.status == RunStatus::Succeeded {
        resolve_earlier(&mut transaction, &held, fence).await?;
    }
    let ended_well = matches!(standing.status, RunStatus::Succeeded | RunStatus::SkippedByPolicy);
    if ended_well && held.event == EventName::InvoiceCreated.as_str() {
        let onward = Standing::onward(now);
        let is_synced = standing.status == RunStatus::Succeeded;
        let invoice = (held.binding_id, held.magento_id, is_synced);
        wake_waiting(&mut transaction, invoice, &onward, now).await?;
    }
    if standing.status.is_terminal() {
        let ended = Tally::Ended(standing.status);
        overview::count(&mut transaction, held.binding_id, ended, 1, now).await?;
    }
    announce_of(&mut transaction, held.binding_id).await?;
    transaction.commit().await?;
    Ok(())
}

pub(crate) async fn release(store: &PostgresStore, fence: Fence, now: DateTime<Utc>) -> Tried<()> {
    let mut transaction = store.pool.begin().await?;
    hold_binding(&mut transaction, fence.run_id).await?.ok_or_else(lost)?;
    let held = hold(&mut transaction, fence).await?;
    let onward = Standing::onward(now);
    close_attempt(&mut transaction, &held, fence, (onward.status.as_str(), &onward), now).await?;
    let released = sqlx::query(
        "UPDATE runs SET status = $4, code = $5, attempts = attempts - 1, attempt_id = NULL, lease_until = NULL,
                         next_at = $3, updated_at = $3
         WHERE binding_id = $1 AND id = $2",
    )
    .bind(held.binding_id)
    .bind(fence.run_id.0)
    .bind(now)
    .bind(onward.status.as_str())
    .bind(onward.code.map(Code::as_str))
    .execute(&mut *transaction)
    .await?;
    ensure_affected(&released, 1)?;
    free_business(&mut transaction, fence).await?;
    announce_of(&mut transaction, held.binding_id).await?;
    transaction.commit().await?;
    Ok(())
}

/// What the run must not wait for, because it has happened while the attempt was under way. The binding is held: whoever changes
/// it or its policy either is seen here, or sees this run wait and wakes it.
async fn meanwhile(connection: &mut PgConnection, held: &Held, outcome: &Outcome) -> Tried<Meanwhile> {
    let newer_policy: Option<i64> =
        sqlx::query_scalar("SELECT max(version) FROM policy_versions WHERE binding_id = $1 AND version > $2")
            .bind(held.binding_id)
            .bind(held.policy_version)
            .fetch_one(&mut *connection)
            .await?;
    let invoice = match Standing::told(outcome).waits_for_invoice {
        Some(invoice) => latest_of_invoice(connection, held, invoice).await?,
        None => None,
    };
    Ok(Meanwhile { newer_policy, invoice })
}

/// Where the latest run of this invoice stands. Its row is held meanwhile: an end at the same moment either is seen here, or sees this
/// run wait and wakes it.
async fn latest_of_invoice(
    connection: &mut PgConnection,
    held: &Held,
    invoice: i64,
) -> Tried<Option<RunStatus>> {
    let status: Option<String> = sqlx::query_scalar(
        "SELECT status FROM runs WHERE binding_id = $1 AND magento_id = $2 AND event = 'invoice.created'
         ORDER BY id DESC LIMIT 1 FOR SHARE",
    )
    .bind(held.binding_id)
    .bind(invoice)
    .fetch_optional(connection)
    .await?;
    let row = format!("invoice {invoice} of {}", held.binding_id);
    let place = Place { table: "runs", row: &row };
    Ok(status.map(|status| place.word("status", &status)).transpose()?)
}

/// The document is in Sage: what failed of it before needs nobody any more.
async fn resolve_earlier(connection: &mut PgConnection, held: &Held, fence: Fence) -> Tried<()> {
    sqlx::query(
        "UPDATE runs SET resolved_by = $4
         WHERE binding_id = $1 AND magento_id = $2 AND event = $3 AND id < $4 AND status = 'failed'
           AND resolved_by IS NULL",
    )
    .bind(held.binding_id)
    .bind(held.magento_id)
    .bind(&held.event)
    .bind(fence.run_id.0)
    .execute(connection)
    .await?;
    Ok(())
}

async fn close_attempt(
    connection: &mut PgConnection,
    held: &Held,
    fence: Fence,
    (word, standing): (&str, &Standing<'_>),
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
    .bind(word)
    .bind(standing.code.map(Code::as_str))
    .bind(standing.message.map(clean))
    .execute(connection)
    .await?;
    Ok(ensure_affected(&closed, 1)?)
}

async fn write_run(
    connection: &mut PgConnection,
    held: &Held,
    finish: &FinishRun,
    standing: &Standing<'_>,
) -> Tried<()> {
    let facts = &finish.facts;
    let written = sqlx::query(
        "UPDATE runs
         SET status = $3, code = $4, message = $5, waits_for_invoice = $6, next_at = coalesce($7, next_at),
             policy_version = coalesce($19, policy_version), cause = $20, email_digest = coalesce($21, email_digest),
             updated_at = $8, finished_at = $9, attempt_id = NULL, lease_until = NULL, attempts = attempts - $22,
             increment_id = coalesce($10, increment_id), customer = coalesce($11, customer),
             currency = coalesce($12, currency), amount_minor = coalesce($13, amount_minor),
             tax_minor = coalesce($14, tax_minor), sage_amount_minor = coalesce($15, sage_amount_minor),
             sage_tax_minor = coalesce($16, sage_tax_minor), sage_id = coalesce($17, sage_id),
             sage_reference = coalesce($18, sage_reference)
         WHERE binding_id = $1 AND id = $2",
    )
    .bind(held.binding_id)
    .bind(finish.fence.run_id.0)
    .bind(standing.status.as_str())
    .bind(standing.code.map(Code::as_str))
    .bind(standing.message.map(clean))
    .bind(standing.waits_for_invoice)
    .bind(standing.next_at)
    .bind(finish.now)
    .bind(standing.status.is_terminal().then_some(finish.now))
    .bind(clean_option(facts.increment_id.as_ref()))
    .bind(clean_option(facts.customer.as_ref()))
    .bind(clean_option(facts.currency.as_ref()))
    .bind(facts.amount_minor)
    .bind(facts.tax_minor)
    .bind(facts.sage_amount_minor)
    .bind(facts.sage_tax_minor)
    .bind(clean_option(facts.sage_id.as_ref()))
    .bind(clean_option(facts.sage_reference.as_ref()))
    .bind(standing.policy_version)
    .bind(standing.cause())
    .bind(&facts.email_digest)
    .bind(finish.outcome.uncounted())
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

/// Lets go on what waited for this invoice of a binding and, when it is synced, what was skipped for want of it.
pub(crate) async fn wake_waiting(
    connection: &mut PgConnection,
    (binding, invoice, is_synced): (Uuid, i64, bool),
    onward: &Standing<'_>,
    now: DateTime<Utc>,
) -> Tried<()> {
    sqlx::query(
        "UPDATE runs SET status = $4, code = $5, message = NULL, cause = NULL, waits_for_invoice = NULL, next_at = $3,
                         updated_at = $3, finished_at = NULL
         WHERE binding_id = $1 AND waits_for_invoice = $2
           AND (status = 'waiting' OR $6 AND status = 'skipped_by_policy')",
    )
    .bind(binding)
    .bind(invoice)
    .bind(now)
    .bind(onward.status.as_str())
    .bind(onward.code.map(Code::as_str))
    .bind(is_synced)
    .execute(connection)
    .await?;
    Ok(())
}
