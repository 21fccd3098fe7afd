//! The service functions behind the history: pages of it, what is open, and what people do with runs.

mod counts;
pub mod operator_actions;
pub mod query;
pub mod saved_views;
pub mod view;

use std::collections::HashMap;

use domain::{
    code::Code,
    ids::{BindingId, RunId},
    remedy::Remedy,
    run::BindingStatus,
};
use store::{Binding, CauseGroup, PageRequest, Seek};

use self::query::HistoryQuery;
use views::{
    causes::{CauseView, CausesView},
    error::{AppError, ErrorCode},
    format::amount,
    runs::{PAGE_SIZE, RunRow, RunsPage},
    settings,
};

use crate::{Member, Services, permission::Permission, run::missing};

/// A page of the runs of the member's organisation.
pub async fn page(services: &Services, member: &Member, query: &HistoryQuery) -> Result<RunsPage, AppError> {
    // Read before the rows: what changes meanwhile is announced again rather than missed.
    let version = *services.store.changes_of(member.organisation()).borrow();
    let request = PageRequest {
        filter: query.filter(),
        order: query.order,
        seek: query.seek,
        limit: PAGE_SIZE,
        ..PageRequest::default()
    };
    let page = services.store.page_runs(member.organisation(), &request).await?;
    let shops = shops(services, member).await?;
    let by_id: HashMap<BindingId, &Binding> = shops.iter().map(|shop| (shop.id, shop)).collect();
    let has_several = shops.len() > 1;
    let row = |run: store::Run| {
        let binding = by_id.get(&run.binding_id);
        let shop = binding.filter(|_| has_several).map(|binding| binding.name.clone());
        let status = binding.map_or(BindingStatus::Active, |binding| binding.status);
        RunRow { shop, ..RunRow::of(run, status) }
    };
    Ok(RunsPage {
        previous: page.previous.map(|run| query.at(Seek::Before(run)).href()),
        next: page.next.map(|run| query.at(Seek::After(run)).href()),
        stopped: page.stopped,
        rows: page.runs.into_iter().map(row).collect(),
        may_retry: member.may(Permission::RetryRuns),
        version,
        counts: counts::counts(&*services.store, member.organisation(), &query.filter()).await?,
        unknown_key: query.unknown_key(),
        views: services
            .store
            .saved_views(member.id())
            .await?
            .into_iter()
            .map(|view| (view.name, view.query))
            .collect(),
        shops: shops.iter().map(|shop| (shop.id.to_string(), shop.name.clone())).collect(),
    })
}

/// A run of the member's organisation, as the list shows it.
pub async fn row(services: &Services, member: &Member, run: &str) -> Result<RunRow, AppError> {
    let id: RunId = run.parse().map_err(|_| AppError::new(ErrorCode::NotFound))?;
    let run = services.store.run(member.organisation(), id).await?.ok_or(ErrorCode::NotFound)?;
    let shops = shops(services, member).await?;
    let binding = shops.iter().find(|shop| shop.id == run.binding_id);
    let status = binding.map_or(BindingStatus::Active, |binding| binding.status);
    let shop = binding.filter(|_| shops.len() > 1).map(|binding| binding.name.clone());
    Ok(RunRow { shop, ..RunRow::of(run, status) })
}

/// The organisation's shops, by name.
async fn shops(services: &Services, member: &Member) -> Result<Vec<Binding>, AppError> {
    let mut shops = services.store.list_bindings(member.organisation()).await?;
    shops.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(shops)
}

/// How many groups the page of causes shows.
const CAUSES: u32 = 200;

/// So many plans are read to find the setting that is missing.
const PLANS: usize = 50;

/// What is open, grouped by what would fix it.
pub async fn causes(services: &Services, member: &Member) -> Result<CausesView, AppError> {
    let version = *services.store.changes_of(member.organisation()).borrow();
    let groups = services.store.causes(member.organisation(), CAUSES).await?;
    let names: HashMap<BindingId, String> =
        shops(services, member).await?.into_iter().map(|shop| (shop.id, shop.name)).collect();
    let groups = together(&groups);
    let newest = |group: &[&CauseGroup]| group.iter().map(|group| group.newest).max();
    let examples: Vec<RunId> = groups.iter().filter_map(|group| newest(group)).collect();
    let examples = services.store.runs_by_id(member.organisation(), &examples).await?;
    let mut examples: HashMap<RunId, Option<String>> =
        examples.into_iter().map(|run| (run.id, run.message)).collect();
    let missing = missing_settings(services, member, &groups).await;
    let view = |group: &Vec<&CauseGroup>| {
        let first = *group.first()?;
        let setting = newest(group).and_then(|run| missing.get(&run).copied());
        let shop = names.get(&first.binding_id).cloned().unwrap_or_default();
        let example = newest(group).and_then(|run| examples.remove(&run)).flatten();
        Some(cause_view(first, group, shop, (example, setting)))
    };
    Ok(CausesView {
        groups: groups.iter().filter_map(view).collect(),
        may_retry: member.may(Permission::RetryRuns),
        version,
    })
}

/// The settings that the newest documents of causes lack, where their plans say which.
async fn missing_settings(
    services: &Services,
    member: &Member,
    groups: &[Vec<&CauseGroup>],
) -> HashMap<RunId, &'static str> {
    let mut missing = HashMap::new();
    let lacking = groups.iter().filter(|group| group.iter().any(|one| one.code == Code::NeedsMapping));
    for run in lacking.filter_map(|group| group.iter().map(|one| one.newest).max()).take(PLANS) {
        // A plan that cannot be read leads to no setting, and the card is as good as before.
        if let Ok(Some(kept)) = services.store.plan_of(member.organisation(), run).await
            && let Some(setting) = missing::setting(&kept.plan)
        {
            missing.insert(run, setting);
        }
    }
    missing
}

/// Groups that one thing fixes: of one shop, cause and status, in whatever currencies.
pub fn together<'a>(groups: impl IntoIterator<Item = &'a CauseGroup>) -> Vec<Vec<&'a CauseGroup>> {
    let key = |group: &'a CauseGroup| (group.binding_id, &group.cause, group.status);
    let mut together: Vec<Vec<&CauseGroup>> = Vec::new();
    for group in groups {
        match together.iter_mut().find(|others| others.first().is_some_and(|other| key(other) == key(group)))
        {
            Some(others) => others.push(group),
            None => together.push(vec![group]),
        }
    }
    together
}

/// The list of a cause's documents.
pub fn query_of(group: &CauseGroup) -> HistoryQuery {
    HistoryQuery::default().with(|fields| {
        fields.binding = Some(group.binding_id);
        fields.cause = Some(group.cause.clone());
        fields.status = Some(group.status);
    })
}

fn cause_view(
    group: &CauseGroup,
    all: &[&CauseGroup],
    shop: String,
    (example, setting): (Option<String>, Option<&'static str>),
) -> CauseView {
    let query = query_of(group);
    let value =
        |group: &&CauseGroup| Some(format!("{} {}", group.currency.as_ref()?, amount(group.value_minor)));
    let values: Vec<String> = all.iter().filter_map(value).collect();
    CauseView {
        id: format!("{}-{}-{}", group.binding_id, group.cause, group.status),
        status: group.status,
        code: group.code.as_str().to_owned(),
        sentence: group.code.sentence().to_owned(),
        action: group.code.action().to_owned(),
        example,
        shop,
        settings: group.code.remedies().iter().find_map(|remedy| match remedy {
            Remedy::OpenSettings(id) => {
                let id = setting.unwrap_or(id);
                let href = settings::href(&group.binding_id.to_string());
                Some(format!("{href}?cause={}#{id}", group.cause))
            }
            _ => None,
        }),
        count: all.iter().map(|group| group.runs).sum(),
        value: (!values.is_empty()).then(|| values.join(" and ")),
        query: query.text(),
        href: query.href(),
        retry: operator_actions::retry_href(&query),
    }
}

#[cfg(test)]
mod tests {
    use domain::run::RunStatus;

    use super::*;

    #[test]
    fn one_cause_in_several_currencies_is_one_card_and_two_shops_are_two() {
        let group = |shop: u32, cause: &str, currency: &str, runs: i64| CauseGroup {
            binding_id: format!("{shop:032x}").parse().unwrap(),
            status: RunStatus::Failed,
            code: Code::SageValidation,
            cause: cause.to_owned(),
            currency: Some(currency.to_owned()),
            runs,
            value_minor: runs * 100,
            oldest: RunId::default(),
            newest: RunId::default(),
        };
        let groups = [
            group(1, "a", "GBP", 3),
            group(2, "a", "GBP", 2),
            group(1, "a", "EUR", 2),
            group(1, "b", "GBP", 1),
        ];
        let view = |group: &Vec<&CauseGroup>| cause_view(group[0], group, String::new(), (None, None));
        let views: Vec<CauseView> = together(&groups).iter().map(view).collect();
        let told: Vec<_> = views.iter().map(|view| (view.count, view.value.as_deref())).collect();
        assert_eq!(told, [(5, Some("GBP 3.00 and EUR 2.00")), (2, Some("GBP 2.00")), (1, Some("GBP 1.00"))]);
        let mut ids: Vec<&str> = views.iter().map(|view| view.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 3, "{ids:?}");
    }
}
