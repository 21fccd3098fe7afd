//! `ledger demo --once`: waits for every document, prints a line for each, and compares with Sage's books.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
    time::{Duration, Instant},
};

use domain::{
    code::{Code, Effect},
    money,
    run::{EventName, RunStatus},
};
use serde_json::Value;
use store::{PageRequest, Run, Seek};

use super::line;
use crate::{lifecycle::Failure, sandbox::Sandbox};

/// Long enough for every document's retries; a document that has not ended by then is reported as it stands.
const PATIENCE: Duration = Duration::from_mins(3);

/// Waits, prints, compares; 0 only if every document ended as expected.
pub async fn report(sandbox: &Sandbox) -> Result<ExitCode, Failure> {
    let (runs, problems) = outcome(sandbox).await?;
    println!(
        "{:<19} {:>5}  {:<44} {:<10} {:>10} {:>10}",
        "event", "id", "outcome", "Sage", "Magento", "in Sage"
    );
    for run in &runs {
        println!("{}", line(run));
    }
    if problems.is_empty() {
        println!(
            "\n{} events, every one ended as expected; each document is in Sage's books once.",
            runs.len()
        );
        return Ok(ExitCode::SUCCESS);
    }
    println!();
    for problem in &problems {
        println!("not as expected: {problem}");
    }
    Ok(ExitCode::FAILURE)
}

/// Waits until every event has arrived and every run has ended; the runs, and what is not as expected.
pub async fn outcome(sandbox: &Sandbox) -> Result<(Vec<Run>, Vec<String>), Failure> {
    let runs = settled(sandbox).await?;
    let mut problems: Vec<String> = runs.iter().filter_map(problem_of).collect();
    problems.extend(problems_of_books(&runs, &sandbox.books().await?));
    Ok((runs, problems))
}

/// The runs, oldest first, once every event has arrived and every run has ended or waits for a person.
async fn settled(sandbox: &Sandbox) -> Result<Vec<Run>, Failure> {
    let begun = Instant::now();
    loop {
        let runs = all_runs(sandbox).await?;
        let outbox = sandbox.magento.get("/_sim/outbox").await?;
        let rows = outbox.as_array().map(Vec::as_slice).unwrap_or_default();
        let arrived = rows.iter().all(|row| row["status"].as_str() != Some("pending"));
        let ended = runs.len() >= rows.len() && runs.iter().all(|run| has_settled(run, &runs));
        if (arrived && ended) || begun.elapsed() > PATIENCE {
            return Ok(runs);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn all_runs(sandbox: &Sandbox) -> Result<Vec<Run>, Failure> {
    let mut runs: Vec<Run> = Vec::new();
    let mut seek = Seek::First;
    loop {
        let request = PageRequest { seek, limit: 200, ..PageRequest::default() };
        let page = sandbox.process.engine.store.page_runs(sandbox.organisation, &request).await?;
        runs.extend(page.runs);
        match page.next {
            Some(next) => seek = Seek::After(next),
            None => break,
        }
    }
    runs.reverse();
    Ok(runs)
}

/// Ended, or waiting for a person, or for a document that itself waits for one.
fn has_settled(run: &Run, runs: &[Run]) -> bool {
    let stands = |parent: &Run| {
        parent.event == EventName::InvoiceCreated
            && matches!(parent.status, RunStatus::Waiting | RunStatus::Failed)
    };
    match (run.status, run.code) {
        (status, _) if status.is_terminal() => true,
        (RunStatus::Waiting, Some(Code::WaitingForInvoice)) => {
            runs.iter().any(|parent| parent.magento_id == run.magento_id && stands(parent))
        }
        // The memo names an order, so any sale that stands may be its own.
        (RunStatus::Retrying, Some(Code::SaleNotInSage)) => runs.iter().any(stands),
        (RunStatus::Waiting, _) => true,
        _ => false,
    }
}

/// What is wrong with a run's end: anything but success with equal sums, a skip, or a wait that says what this version lacks.
fn problem_of(run: &Run) -> Option<String> {
    let name = format!("{} {}", run.event, run.magento_id);
    let message = run.message.as_deref().unwrap_or_default();
    match run.status {
        RunStatus::Succeeded => {
            let (magento, sage) = (run.facts.amount_minor, run.facts.sage_amount_minor);
            (magento != sage)
                .then(|| format!("{name}: the sums differ, Magento {magento:?}, Sage {sage:?} (minor units)"))
        }
        RunStatus::SkippedByPolicy => None,
        RunStatus::Waiting if run.code.is_some_and(|code| matches!(code.effect(), Effect::Holds)) => {
            (run.code == Some(Code::NeedsMapping)).then(|| format!("{name}: {message}"))
        }
        status => Some(format!("{name}: {status} {} {message}", run.code.map_or("", Code::as_str))),
    }
}

/// Every document that succeeded is in the books once, with Magento's sums; and nothing else is.
fn problems_of_books(runs: &[Run], books: &Value) -> Vec<String> {
    let kinds = [
        ("sales_invoices", EventName::InvoiceCreated),
        ("contact_payments", EventName::InvoicePaid),
        ("sales_credit_notes", EventName::CreditmemoCreated),
    ];
    kinds.iter().flat_map(|(resource, event)| problems_of(runs, *event, &books[resource], resource)).collect()
}

fn problems_of(runs: &[Run], event: EventName, records: &Value, resource: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let booked: BTreeMap<&str, &Value> = records
        .as_array()
        .into_iter()
        .flatten()
        .filter(|record| record["status"]["id"].as_str() != Some("VOID"))
        // A refund is a payment too, but its document is the credit note.
        .filter(|record| record["transaction_type"]["id"].as_str() != Some("CUSTOMER_REFUND"))
        .map(|record| (record["id"].as_str().unwrap_or_default(), record))
        .collect();
    let posted: Vec<&Run> =
        runs.iter().filter(|run| run.event == event && run.status == RunStatus::Succeeded).collect();
    let expected: BTreeSet<&str> = posted.iter().filter_map(|run| run.facts.sage_id.as_deref()).collect();
    if booked.len() != expected.len() {
        problems.push(format!(
            "{} {resource} in Sage's books for {} documents",
            booked.len(),
            expected.len()
        ));
    }
    for run in posted {
        let record = run.facts.sage_id.as_deref().and_then(|id| booked.get(id));
        let minor = |field: &str| {
            let text = record.and_then(|record| record[field].as_str());
            text.and_then(|text| money::parse(text).ok()).and_then(money::to_minor)
        };
        if minor("total_amount") != run.facts.amount_minor {
            problems.push(format!(
                "{event} {}: total in the books {:?}",
                run.magento_id,
                minor("total_amount")
            ));
        }
        if run.facts.tax_minor.is_some() && minor("tax_amount") != run.facts.tax_minor {
            problems.push(format!("{event} {}: tax in the books {:?}", run.magento_id, minor("tax_amount")));
        }
    }
    problems
}
