//! The runs of one sale: its invoice, the payment, and the credit memo that is looked at.

use domain::run::EventName;
use serde_json::Value;
use store::{Attempt, Run};
use views::{
    error::AppError,
    run::{RelatedView, href},
};

use super::RunDetails;
use crate::Services;

/// The invoice of a sale, by its id in Magento, where a run tells.
pub(super) fn invoice_of(run: &Run, attempts: &[Attempt]) -> Option<i64> {
    match run.event {
        EventName::InvoiceCreated | EventName::InvoicePaid => Some(run.magento_id),
        EventName::CreditmemoCreated => invoice_of_memo(attempts),
        EventName::CustomerUpserted | EventName::ProductUpserted => None,
    }
}

/// A credit memo names its invoice; the run itself does not.
fn invoice_of_memo(attempts: &[Attempt]) -> Option<i64> {
    let fetched = attempts.iter().rev().flat_map(|attempt| &attempt.steps);
    let mut answers = fetched.filter(|step| step.name == "creditmemo" && step.target == "magento");
    answers
        .find_map(|step| serde_json::from_str::<Value>(step.answer.as_deref()?).ok()?["invoice_id"].as_i64())
}

/// The newest runs of the invoice and of its payment, but the one that is looked at.
pub(super) async fn of_sale(
    services: &Services,
    run: &Run,
    invoice: Option<i64>,
) -> Result<Vec<Run>, AppError> {
    let mut related = Vec::new();
    let Some(invoice) = invoice else { return Ok(related) };
    for event in [EventName::InvoiceCreated, EventName::InvoicePaid] {
        if event != run.event {
            related.extend(services.store.latest_run_of_event(run.binding_id, event, invoice).await?);
        }
    }
    Ok(related)
}

/// All of them with the one that is looked at; nothing where it is alone.
pub(super) fn view(kept: &RunDetails) -> Vec<RelatedView> {
    if kept.related.is_empty() {
        return Vec::new();
    }
    let mut runs: Vec<&Run> = kept.related.iter().chain([&kept.run]).collect();
    runs.sort_by_key(|run| EventName::ALL.iter().position(|event| *event == run.event));
    let view = |run: &Run| RelatedView {
        event: run.event,
        status: run.status,
        reference: run.facts.sage_reference.clone(),
        href: (run.id != kept.run.id).then(|| href(&run.id.to_string())),
    };
    runs.into_iter().map(view).collect()
}
