//! Ending an attempt, and giving a run back.

use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    run::{BindingStatus, EventName, RunStatus},
    text::{folded, last_word},
};
use store::{Action, Fence, FinishRun, Meanwhile, Outcome, RunState, Tally};
use store_sql::{Id, Instant, Text, Word};

use super::{
    Tried, audit,
    binding_status::{move_to, organisation_of},
    deliveries::tell,
    ensure_affected,
    folding::fold_rests,
    health, plans, rests, stale,
    waiting::wake_waiting,
    xrefs,
};
use crate::{
    counts,
    db::Connection,
    dialect::{freed, held},
    driver::Transaction,
    locks::{Held, free_business, hold_binding, hold_run},
    steps::insert_steps,
};

/// Ends an attempt, all in one transaction.
pub(crate) async fn finish(mut transaction: Transaction, finish: &FinishRun) -> Tried<()> {
    let (fence, now) = (finish.fence, finish.now);
    let status = hold_binding(&mut transaction, fence.run_id).await?.ok_or_else(stale)?;
    let held = hold_run(&mut transaction, fence).await?;
    let meanwhile = meanwhile(&mut transaction, &held, &finish.outcome).await?;
    let run_state = RunState::after(&finish.outcome, &meanwhile, now);
    insert_steps(&mut transaction, held.binding, fence, &finish.steps).await?;
    let word = finish.outcome.word(run_state.status);
    close_attempt(&mut transaction, &held, fence, (word, &RunState::told(&finish.outcome)), now).await?;
    write_run(&mut transaction, &held, finish, &run_state).await?;
    // Before the business is free: whoever claims its next run then waits for this, and not this for them.
    let silent_for = rests::note(&mut transaction, held.binding, &finish.outcome, now).await?;
    let pause = health::note_run(&mut transaction, held.binding, finish, &run_state, silent_for).await?;
    if let Some(pause) = pause
        && status == BindingStatus::Active
    {
        pause_binding(&mut transaction, &held, finish, pause.failed_in_a_row).await?;
    }
    free_business(&mut transaction, fence.attempt_id).await?;
    keep_results(&mut transaction, &held, finish).await?;
    if run_state.status == RunStatus::Succeeded {
        resolve_earlier(&mut transaction, &held, fence).await?;
    }
    wake_those_behind(&mut transaction, &held, run_state.status, now).await?;
    if run_state.status.is_terminal() {
        let ended = Tally::Ended(run_state.status);
        counts::count(&mut transaction, held.binding, ended, 1, now).await?;
    }
    transaction.announce_binding(held.binding).await?;
    transaction.commit(()).await
}

/// Too many documents have failed one after another.
async fn pause_binding(
    connection: &mut Connection,
    held: &Held,
    finish: &FinishRun,
    failed_in_a_row: u32,
) -> Tried<()> {
    move_to(connection, held.binding, BindingStatus::Paused, finish.now).await?;
    let organisation = organisation_of(connection, held.binding).await?;
    let action = Action::paused_by_ledger(
        (finish.fence.run_id, finish.fence.attempt_id),
        organisation,
        held.binding,
        failed_in_a_row,
        finish.now,
    );
    audit::record(connection, &action).await
}

/// What the attempt leaves: its Plan, what it has made in Sage, and what Magento is to be told.
async fn keep_results(connection: &mut Connection, held: &Held, finish: &FinishRun) -> Tried<()> {
    let (fence, now) = (finish.fence, finish.now);
    if let Some(plan) = &finish.plan {
        plans::keep(connection, held.binding, fence, plan, now).await?;
    }
    for xref in &finish.xrefs {
        xrefs::keep(connection, held.binding, xref, now).await?;
    }
    if let Some(state) = &finish.sync_state {
        tell(connection, (held.binding, fence.run_id), state, now).await?;
    }
    if let Outcome::Resting { .. } = finish.outcome {
        fold_rests(connection, held.binding, fence).await?;
    }
    Ok(())
}

/// An invoice that is over lets go on what waited for it.
async fn wake_those_behind(
    connection: &mut Connection,
    held: &Held,
    status: RunStatus,
    now: DateTime<Utc>,
) -> Tried<()> {
    let is_over = matches!(status, RunStatus::Succeeded | RunStatus::SkippedByPolicy);
    if is_over && held.event == EventName::InvoiceCreated.as_str() {
        let invoice = (held.binding, held.magento_id, status == RunStatus::Succeeded);
        wake_waiting(connection, invoice, &RunState::onward(now), now).await?;
    }
    Ok(())
}

/// Gives a run back that was not worked on.
pub(crate) async fn release(mut transaction: Transaction, fence: Fence, now: DateTime<Utc>) -> Tried<()> {
    hold_binding(&mut transaction, fence.run_id).await?.ok_or_else(stale)?;
    let held = hold_run(&mut transaction, fence).await?;
    let onward = RunState::onward(now);
    close_attempt(&mut transaction, &held, fence, (onward.status.as_str(), &onward), now).await?;
    let released = sqlx::query(concat!(
        "UPDATE runs SET status = $4, code = $5, attempts = attempts - 1, next_at = $3, updated_at = $3, ",
        freed!(),
        " WHERE binding_id = $1 AND id = $2"
    ))
    .bind(Id(held.binding))
    .bind(Id(fence.run_id))
    .bind(Instant(now))
    .bind(onward.status.as_str())
    .bind(onward.code.map(Code::as_str))
    .execute(&mut *transaction)
    .await?;
    ensure_affected(released.rows_affected(), 1)?;
    free_business(&mut transaction, fence.attempt_id).await?;
    transaction.announce_binding(held.binding).await?;
    transaction.commit(()).await
}

/// What the run must not wait for, because it has happened while the attempt was under way. The binding is held: whoever changes
/// it or its settings either is seen here, or sees this run wait and wakes it.
async fn meanwhile(connection: &mut Connection, held: &Held, outcome: &Outcome) -> Tried<Meanwhile> {
    let newer_settings: Option<i64> = sqlx::query_scalar(
        "SELECT max(version) FROM settings_versions WHERE binding_id = $1 AND version > $2",
    )
    .bind(Id(held.binding))
    .bind(held.settings_version)
    .fetch_one(&mut *connection)
    .await?;
    let invoice = match RunState::told(outcome).waits_for_invoice {
        Some(invoice) => latest_of_invoice(connection, held, invoice).await?,
        None => None,
    };
    Ok(Meanwhile { newer_settings, invoice })
}

/// Where the latest run of this invoice stands. Its row is held meanwhile: an end at the same moment either is seen here, or sees this
/// run wait and wakes it.
async fn latest_of_invoice(
    connection: &mut Connection,
    held: &Held,
    invoice: i64,
) -> Tried<Option<RunStatus>> {
    let status: Option<Word<RunStatus>> = sqlx::query_scalar(held!(
        "SELECT status FROM runs WHERE binding_id = $1 AND magento_id = $2 AND event = 'invoice.created'
          ORDER BY id DESC LIMIT 1",
        "FOR SHARE"
    ))
    .bind(Id(held.binding))
    .bind(invoice)
    .fetch_optional(connection)
    .await?;
    Ok(status.map(|status| status.0))
}

/// The document is in Sage: what failed of it before needs nobody any more.
async fn resolve_earlier(connection: &mut Connection, held: &Held, fence: Fence) -> Tried<()> {
    sqlx::query(
        "UPDATE runs SET resolved_by = $4
         WHERE binding_id = $1 AND magento_id = $2 AND event = $3 AND id < $4 AND status = 'failed'
           AND resolved_by IS NULL",
    )
    .bind(Id(held.binding))
    .bind(held.magento_id)
    .bind(&held.event)
    .bind(Id(fence.run_id))
    .execute(connection)
    .await?;
    Ok(())
}

async fn close_attempt(
    connection: &mut Connection,
    held: &Held,
    fence: Fence,
    (word, run_state): (&str, &RunState<'_>),
    now: DateTime<Utc>,
) -> Tried<()> {
    let closed = sqlx::query(
        "UPDATE attempts SET ended_at = $4, outcome = $5, code = $6, message = $7
         WHERE binding_id = $1 AND run_id = $2 AND id = $3 AND ended_at IS NULL",
    )
    .bind(Id(held.binding))
    .bind(Id(fence.run_id))
    .bind(Id(fence.attempt_id))
    .bind(Instant(now))
    .bind(word)
    .bind(run_state.code.map(Code::as_str))
    .bind(run_state.message.map(Text))
    .execute(connection)
    .await?;
    Ok(ensure_affected(closed.rows_affected(), 1)?)
}

async fn write_run(
    connection: &mut Connection,
    held: &Held,
    finish: &FinishRun,
    run_state: &RunState<'_>,
) -> Tried<()> {
    let facts = &finish.facts;
    let name = facts.customer.as_deref().map(folded).filter(|name| !name.is_empty());
    let written = sqlx::query(
        concat!(
        "UPDATE runs
            SET status = $3, code = $4, message = $5, waits_for_invoice = $6, next_at = coalesce($7, next_at),
             settings_version = coalesce($19, settings_version), cause = $20, email_digest = coalesce($21, email_digest),
             updated_at = $8, finished_at = $9, attempts = attempts - $22, customer_id = coalesce($23, customer_id),
             increment_id = coalesce($10, increment_id), customer = coalesce($11, customer),
             currency = coalesce($12, currency), amount_minor = coalesce($13, amount_minor),
             tax_minor = coalesce($14, tax_minor), sage_amount_minor = coalesce($15, sage_amount_minor),
             sage_tax_minor = coalesce($16, sage_tax_minor), sage_id = coalesce($17, sage_id),
             sage_reference = coalesce($18, sage_reference), document_date = coalesce($24, document_date),
             customer_folded = coalesce($25, customer_folded), customer_last = coalesce($26, customer_last), ",
        freed!(),
        " WHERE binding_id = $1 AND id = $2"
)    )
    .bind(Id(held.binding))
    .bind(Id(finish.fence.run_id))
    .bind(run_state.status.as_str())
    .bind(run_state.code.map(Code::as_str))
    .bind(run_state.message.map(Text))
    .bind(run_state.waits_for_invoice)
    .bind(run_state.next_at.map(Instant))
    .bind(Instant(finish.now))
    .bind(run_state.status.is_terminal().then_some(Instant(finish.now)))
    .bind(facts.increment_id.as_ref().map(Text))
    .bind(facts.customer.as_ref().map(Text))
    .bind(facts.currency.as_ref().map(Text))
    .bind(facts.amount_minor)
    .bind(facts.tax_minor)
    .bind(facts.sage_amount_minor)
    .bind(facts.sage_tax_minor)
    .bind(facts.sage_id.as_ref().map(Text))
    .bind(facts.sage_reference.as_ref().map(Text))
    .bind(run_state.settings_version)
    .bind(run_state.cause())
    .bind(&facts.email_digest)
    .bind(finish.outcome.uncounted())
    .bind(facts.customer_id)
    .bind(facts.document_date.map(Word))
    .bind(name.as_ref().map(Text))
    .bind(name.as_deref().and_then(last_word).map(Text))
    .execute(connection)
    .await?;
    Ok(ensure_affected(written.rows_affected(), 1)?)
}
