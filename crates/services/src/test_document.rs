//! An invoice that somebody sends by hand, as a test of a shop's first day or because Magento's event was lost.

use domain::{
    ids::{EventId, RunId},
    run::{ActionKind, EventName},
};
use store::{Error, NewEvent, Received};
use views::error::{AppError, ErrorCode, FieldError};

use crate::{
    Member, Services, bindings::own, history::operator_actions::action, permission::Permission, setup::Setups,
};

/// Queues the run of an invoice of a shop, by the invoice's id in Magento; that of one that is known is retried.
pub async fn send(
    services: &Services,
    member: &Member,
    binding: &str,
    invoice: &str,
) -> Result<RunId, AppError> {
    let member = member.require(Permission::RetryRuns)?;
    let binding = own(services, member, binding).await?;
    let wrong =
        |problem| AppError::new(ErrorCode::Invalid).field("invoice", problem).echo("invoice", invoice);
    let typed = invoice.trim().trim_start_matches('#');
    if typed.is_empty() {
        return Err(wrong(FieldError::Required));
    }
    let id = typed.parse().ok().filter(|id| *id > 0).ok_or_else(|| wrong(FieldError::InvalidFormat))?;
    // Without settings it would only wait, which proves nothing.
    if !Setups::of(services, member.organisation()).await?.get(&binding).has_settings {
        return Err(ErrorCode::Invalid.into());
    }
    let now = services.environment.now();
    let ids = (EventId(services.environment.id()), RunId(services.environment.id()));
    let event = NewEvent::asked_for(ids, binding.id, EventName::InvoiceCreated, id, now);
    let record = |run| action(services, member, ActionKind::SyncAsked, (Some(binding.id), Some(run)), "");
    match services.store.receive(&event).await? {
        Received::Queued(run) => {
            services.store.record_action(&record(run)).await?;
            Ok(run)
        }
        Received::Known(run) => {
            match services.store.retry_run(member.organisation(), run, now, Some(&record(run))).await {
                // One that is being worked on needs no retry.
                Ok(()) | Err(Error::Conflict(_)) => Ok(run),
                Err(error) => Err(error.into()),
            }
        }
        Received::Replayed => Err(ErrorCode::Internal.into()),
    }
}
