//! A history to measure with.

use domain::{
    cause::cause,
    code::Code,
    ids::OrganisationId,
    text::{folded, last_word},
};
use store::{Result, Run};
use store_sql::{Id, Instant, Word};

use crate::{error::translate, sqlite::SqliteStore};

/// The counts of the overview, by day.
const COUNT: &str = "INSERT INTO run_counts (binding_id, span, starts_at, tally, runs)
    SELECT binding_id, 'day', substr(created_at, 1, 10) || 'T00:00:00.000Z', 'received', count(*)
      FROM runs WHERE id BETWEEN ?1 AND ?2 GROUP BY 1, 3
     UNION ALL
    SELECT binding_id, 'day', substr(created_at, 1, 10) || 'T00:00:00.000Z', status, count(*)
      FROM runs WHERE id BETWEEN ?1 AND ?2 AND finished_at IS NOT NULL GROUP BY 1, 3, 4
    ON CONFLICT (binding_id, span, starts_at, tally) DO UPDATE SET runs = run_counts.runs + excluded.runs";

pub(crate) async fn seed_for_bench(
    store: &SqliteStore,
    organisation: OrganisationId,
    runs: &[Run],
) -> Result<()> {
    let mut transaction = store.writer.begin().await?;
    for run in runs {
        let facts = &run.facts;
        let name = facts.customer.as_deref().map(folded);
        sqlx::query(
            "INSERT INTO runs (organisation_id, binding_id, id, event, magento_id, status, code, message, cause, attempts,
                               attempts_in_all, next_at, settings_version, increment_id, customer, currency, amount_minor,
                               tax_minor, sage_amount_minor, sage_tax_minor, sage_id, sage_reference, email_digest, website_id,
                               store_id, occurred_at, created_at, updated_at, finished_at, started_at, resolved_by,
                               document_date, customer_folded, customer_last)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
                     ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33)",
        )
        .bind(Id(organisation))
        .bind(Id(run.binding_id))
        .bind(Id(run.id))
        .bind(run.event.as_str())
        .bind(run.magento_id)
        .bind(run.status.as_str())
        .bind(run.code.map(Code::as_str))
        .bind(&run.message)
        .bind(run.code.map(|code| cause(code, run.message.as_deref())))
        .bind(run.attempts)
        .bind(Instant(run.next_at))
        .bind(run.settings_version)
        .bind(&facts.increment_id)
        .bind(&facts.customer)
        .bind(&facts.currency)
        .bind(facts.amount_minor)
        .bind(facts.tax_minor)
        .bind(facts.sage_amount_minor)
        .bind(facts.sage_tax_minor)
        .bind(&facts.sage_id)
        .bind(&facts.sage_reference)
        .bind(&facts.email_digest)
        .bind(run.website_id)
        .bind(run.store_id)
        .bind(Instant(run.occurred_at))
        .bind(Instant(run.created_at))
        .bind(Instant(run.updated_at))
        .bind(run.finished_at.map(Instant))
        .bind(run.started_at.map(Instant))
        .bind(run.resolved_by.map(Id))
        .bind(facts.document_date.map(Word))
        .bind(&name)
        .bind(name.as_deref().and_then(last_word))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
    }
    let ends = [runs.first(), runs.last()].map(|run| run.map(|run| Id(run.id)));
    let [first, last] = &ends;
    sqlx::query(COUNT).bind(first).bind(last).execute(&mut *transaction).await.map_err(translate)?;
    transaction.commit().await.map_err(translate)?;
    store.announcer.everybody();
    Ok(())
}
