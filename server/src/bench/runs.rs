//! Runs a second through the worker, and Sage calls for each invoice.

use std::time::Instant;

use serde_json::Value;
use simulators::magento::Documents;

use super::Line;
use crate::{
    lifecycle::Failure,
    sandbox::{Options, Sandbox},
};

pub async fn measure(invoices: i64) -> Result<Vec<Line>, Failure> {
    let (new, known) = (calls_per_invoice(1).await?, calls_per_invoice(2).await?);
    let documents = documents(invoices, |number| number % 50)?;
    let sandbox =
        Sandbox::set(Options { documents: Some(documents), worker: false, ..Options::default() }).await?;
    sandbox.send_all_events().await?;
    let begun = Instant::now();
    let worked = sync::run_until_idle(&sandbox.process.engine).await;
    let taken = begun.elapsed();
    let runs = u128::try_from(invoices * 2)?;
    sandbox.stop().await;
    Ok(vec![
        (
            "runs a second through one worker (one business, simulator without latency)".to_owned(),
            format!("{}", runs * 1000 / taken.as_millis().max(1)),
        ),
        ("runs and deliveries worked in that measurement".to_owned(), worked.to_string()),
        ("Sage calls for a paid invoice with a new contact".to_owned(), new.to_string()),
        ("Sage calls for a paid invoice with a known contact".to_owned(), (known - new).to_string()),
    ])
}

/// Sage calls for so many paid invoices of one customer.
async fn calls_per_invoice(invoices: i64) -> Result<usize, Failure> {
    let documents = documents(invoices, |_| 1)?;
    let sandbox =
        Sandbox::set(Options { documents: Some(documents), worker: false, ..Options::default() }).await?;
    sandbox.send_all_events().await?;
    let before = calls(&sandbox).await?;
    sync::run_until_idle(&sandbox.process.engine).await;
    let after = calls(&sandbox).await?;
    sandbox.stop().await;
    Ok(after - before)
}

async fn calls(sandbox: &Sandbox) -> Result<usize, Failure> {
    let requests = sandbox.sage.get("/_sim/requests").await?;
    let is_api = |request: &&Value| request["path"].as_str().is_some_and(|path| path.starts_with("/v3.1"));
    Ok(requests.as_array().map_or(0, |requests| requests.iter().filter(is_api).count()))
}

/// Copies of a real invoice, of as many customers as `customer` tells apart.
fn documents(count: i64, customer: impl Fn(i64) -> i64) -> Result<Documents, Failure> {
    let model: Value = serde_json::from_str(include_str!("../../../fixtures/documents/invoice-1a.json"))?;
    let copies = (1..=count).map(|number| {
        let mut invoice = model.clone();
        invoice["magento_id"] = number.into();
        invoice["increment_id"] = format!("{number:09}").into();
        // Guests: a registered customer would bring an event of its own.
        invoice["customer"]["magento_id"] = 0.into();
        invoice["customer"]["email"] = format!("customer{}@example.com", customer(number)).into();
        invoice
    });
    Ok(Documents::from_values(copies.collect())?)
}
