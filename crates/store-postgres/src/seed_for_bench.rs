//! A history to measure with.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use domain::{
    cause::cause,
    code::Code,
    ids::OrganisationId,
    text::{folded, last_word},
};
use store::{Result, Run};

use crate::{PostgresStore, error::translate};

const COPY: &str = "COPY runs (organisation_id, binding_id, id, event, magento_id, status, code, message, cause, attempts,
    attempts_in_all, next_at, settings_version, increment_id, customer, currency, amount_minor, tax_minor, sage_amount_minor,
    sage_tax_minor, sage_id, sage_reference, email_digest, website_id, store_id, occurred_at, created_at, updated_at, finished_at,
    started_at, resolved_by, document_date, customer_folded, customer_last) FROM STDIN";

/// The counts of the overview, by day.
const COUNT: &str = "INSERT INTO run_counts (binding_id, span, starts_at, tally, part, runs)
    SELECT binding_id, 'day', date_trunc('day', created_at, 'UTC'), tally, 0, count(*)
      FROM runs CROSS JOIN LATERAL (VALUES ('received'), (status)) counted (tally)
     WHERE id BETWEEN $1 AND $2 AND (tally = 'received' OR finished_at IS NOT NULL) GROUP BY 1, 3, 4
    ON CONFLICT (binding_id, span, starts_at, tally, part) DO UPDATE SET runs = run_counts.runs + excluded.runs";

pub(crate) async fn seed_for_bench(
    store: &PostgresStore,
    organisation: OrganisationId,
    runs: &[Run],
) -> Result<()> {
    let mut connection = store.pool.acquire().await.map_err(translate)?;
    let mut copy = connection.copy_in_raw(COPY).await.map_err(translate)?;
    let text: String = runs.iter().map(|run| line(organisation, run)).collect();
    copy.send(text.as_bytes()).await.map_err(translate)?;
    copy.finish().await.map_err(translate)?;
    let (first, last) = (runs.first().map(|run| run.id.0), runs.last().map(|run| run.id.0));
    sqlx::query(COUNT).bind(first).bind(last).execute(&mut *connection).await.map_err(translate)?;
    // What was filled in at once is planned for as if it had grown.
    sqlx::query("VACUUM (ANALYZE) runs").execute(&mut *connection).await.map_err(translate)?;
    Ok(())
}

/// A row in the text format of COPY.
fn line(organisation: OrganisationId, run: &Run) -> String {
    let facts = &run.facts;
    let name = facts.customer.as_deref().map(folded);
    let at = |at: DateTime<Utc>| Some(at.to_rfc3339_opts(SecondsFormat::Millis, true));
    let number = |number: Option<i64>| number.map(|number| number.to_string());
    let code = run.code.map(|code| cause(code, run.message.as_deref()));
    let columns = [
        Some(organisation.to_string()),
        Some(run.binding_id.to_string()),
        Some(run.id.to_string()),
        Some(run.event.to_string()),
        number(Some(run.magento_id)),
        Some(run.status.to_string()),
        run.code.map(|code| Code::as_str(code).to_owned()),
        run.message.clone(),
        code,
        number(Some(run.attempts.into())),
        number(Some(run.attempts.into())),
        at(run.next_at),
        number(Some(run.settings_version)),
        facts.increment_id.clone(),
        facts.customer.clone(),
        facts.currency.clone(),
        number(facts.amount_minor),
        number(facts.tax_minor),
        number(facts.sage_amount_minor),
        number(facts.sage_tax_minor),
        facts.sage_id.clone(),
        facts.sage_reference.clone(),
        facts.email_digest.clone(),
        number(Some(run.website_id)),
        number(Some(run.store_id)),
        at(run.occurred_at),
        at(run.created_at),
        at(run.updated_at),
        run.finished_at.and_then(at),
        run.started_at.and_then(at),
        run.resolved_by.map(|run| run.to_string()),
        facts.document_date.map(|day| day.to_string()),
        name.clone(),
        name.as_deref().and_then(last_word).map(str::to_owned),
    ];
    let mut line = String::new();
    for (place, column) in columns.iter().enumerate() {
        let separator = if place == 0 { "" } else { "\t" };
        let text = column.as_deref().map_or_else(|| "\\N".to_owned(), escaped);
        // Writing to a String does not fail.
        let _ = write!(line, "{separator}{text}");
    }
    line.push('\n');
    line
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\0', "")
}
