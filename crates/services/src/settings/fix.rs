//! The failure that somebody comes to the settings from.

use domain::{ids::BindingId, remedy::Remedy, run::RunStatus};
use store::CauseGroup;
use views::{error::AppError, format::grouped, settings::FixView};

use crate::{
    Member, Services,
    history::query::HistoryQuery,
    permission::Permission,
    purse::{Purse, all_books},
};

/// How many groups are looked through.
const CAUSES: u32 = 200;

/// What is open of one cause, if a setting fixes it.
pub(super) async fn of(
    services: &Services,
    member: &Member,
    binding: BindingId,
    cause: &str,
) -> Result<Option<FixView>, AppError> {
    let groups = services.store.causes(member.organisation(), CAUSES).await?;
    let of_cause = groups.iter().filter(|group| group.binding_id == binding && group.cause == cause);
    let groups: Vec<&CauseGroup> = of_cause.collect();
    let Some(first) = groups.first() else { return Ok(None) };
    let place = first.code.remedies().iter().find_map(|remedy| match remedy {
        Remedy::OpenSettings(place) => Some((*place).to_owned()),
        _ => None,
    });
    let Some(place) = place else { return Ok(None) };
    let query = HistoryQuery::default().with(|fields| {
        fields.binding = Some(binding);
        fields.cause = Some(cause.to_owned());
    });
    let books = all_books(services, member.organisation()).await?;
    let mut purse = Purse::default();
    for group in &groups {
        purse.add(&books, binding, group.currency.as_deref(), group.value_minor);
    }
    let count: i64 = groups.iter().map(|group| group.runs).sum();
    let documents = match count {
        1 => "1 document".to_owned(),
        _ => format!("{} documents", grouped(count.unsigned_abs())),
    };
    let may_retry = member.may(Permission::RetryRuns);
    let has_failed = groups.iter().any(|group| group.status == RunStatus::Failed);
    Ok(Some(FixView {
        cause: cause.to_owned(),
        sentence: first.code.sentence().to_owned(),
        documents,
        value: purse.words(),
        href: query.href(),
        retry: (may_retry && has_failed).then(|| query.text()),
        place,
    }))
}
