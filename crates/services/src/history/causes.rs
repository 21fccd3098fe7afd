//! What is open, grouped by what would fix it.

use std::{cmp::Reverse, collections::HashMap};

use chrono::{DateTime, Utc};
use domain::{code::Code, ids::RunId, remedy::Remedy, run::RunStatus};
use store::CauseGroup;
use views::{
    causes::{CauseView, CausesView, Pressure},
    error::AppError,
    settings,
};

use super::{operator_actions::retry_href, query::HistoryQuery, shops};
use crate::{
    Member, Services,
    permission::Permission,
    purse::{AllBooks, Purse, all_books},
    run::missing,
};

/// So many groups are read, those with the most runs first; of them the page shows the first.
const GROUPS: u32 = 2_000;

/// How many causes the page shows.
const CAUSES: usize = 200;

/// So many plans are read to find the setting that is missing.
const PLANS: usize = 50;

/// What is open, what needs somebody first, and of that what is worth most in the currency of the books.
pub async fn open(services: &Services, member: &Member) -> Result<CausesView, AppError> {
    let version = *services.store.changes_of(member.organisation()).borrow();
    let groups = services.store.causes(member.organisation(), GROUPS).await?;
    let books = all_books(services, member.organisation()).await?;
    let names: HashMap<_, String> =
        shops(services, member).await?.into_iter().map(|shop| (shop.id, shop.name)).collect();
    let groups = ranked(together(&groups), &books);
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
        Some(cause_view(first, group, shop, &books, (example, setting)))
    };
    Ok(CausesView {
        groups: groups.iter().filter_map(view).collect(),
        may_retry: member.may(Permission::RetryRuns),
        version,
    })
}

fn newest(group: &[&CauseGroup]) -> Option<RunId> {
    group.iter().map(|group| group.newest).max()
}

/// The most pressing first, the most valuable in the books' currency before others, then the most documents.
fn ranked<'a>(mut groups: Vec<Vec<&'a CauseGroup>>, books: &AllBooks) -> Vec<Vec<&'a CauseGroup>> {
    groups.sort_by_cached_key(|group| {
        let runs: i64 = group.iter().map(|one| one.runs).sum();
        (group.first().map(|first| pressure(first)), Reverse(purse(group, books).worth()), Reverse(runs))
    });
    groups.truncate(CAUSES);
    groups
}

fn purse(group: &[&CauseGroup], books: &AllBooks) -> Purse {
    let mut purse = Purse::default();
    for one in group {
        purse.add(books, one.binding_id, one.currency.as_deref(), one.value_minor);
    }
    purse
}

const fn pressure(group: &CauseGroup) -> Pressure {
    match (group.status, needs_a_person(group)) {
        (RunStatus::Failed, _) => Pressure::Failed,
        (_, true) => Pressure::Held,
        (_, false) => Pressure::Resumes,
    }
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

/// Whether open runs need somebody: what resumes automatically does not, nor what was ended on purpose.
pub const fn needs_a_person(group: &CauseGroup) -> bool {
    let goes_on = matches!(group.code, Code::WaitingForInvoice | Code::WaitingForWriter | Code::CircuitOpen);
    matches!(group.status, RunStatus::Failed) || !goes_on
}

/// When a run was received: ids are sorted by time, and bear it.
pub fn received(run: RunId) -> Option<DateTime<Utc>> {
    let (seconds, nanos) = run.0.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
}

fn cause_view(
    group: &CauseGroup,
    all: &[&CauseGroup],
    shop: String,
    books: &AllBooks,
    (example, setting): (Option<String>, Option<&'static str>),
) -> CauseView {
    let query = query_of(group);
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
        value: purse(all, books).words(),
        pressure: pressure(group),
        since: all.iter().map(|group| group.oldest).min().and_then(received).map(Into::into),
        query: query.text(),
        href: query.href(),
        retry: retry_href(&query),
    }
}

#[cfg(test)]
mod tests {
    use domain::{business::Books, ids::BindingId};

    use super::*;

    fn shop(number: u32) -> BindingId {
        format!("{number:032x}").parse().unwrap()
    }

    /// A run that was received so many milliseconds after 1970.
    fn run(millis: u128) -> RunId {
        format!("{:032x}", millis << 80 | 7 << 76 | 0b10 << 62).parse().unwrap()
    }

    fn group(of: BindingId, cause: &str, currency: &str, runs: i64) -> CauseGroup {
        CauseGroup {
            binding_id: of,
            status: RunStatus::Failed,
            code: Code::SageValidation,
            cause: cause.to_owned(),
            currency: Some(currency.to_owned()),
            runs,
            value_minor: runs * 100,
            oldest: run(1_767_607_200_000),
            newest: run(1_767_607_300_000),
        }
    }

    fn pounds(of: BindingId) -> AllBooks {
        let rates = [("EUR", "0.5"), ("IDR", "0.00005")];
        let rate = |(currency, rate): (&str, &str)| (currency.parse().unwrap(), rate.parse().unwrap());
        let books = Books {
            country: "GB".to_owned(),
            base_currency: "GBP".parse().unwrap(),
            exchange_rates: rates.map(rate).into_iter().collect(),
        };
        AllBooks::from([(of, books)])
    }

    fn views(groups: &[CauseGroup], books: &AllBooks) -> Vec<CauseView> {
        let groups = ranked(together(groups), books);
        groups.iter().map(|group| cause_view(group[0], group, String::new(), books, (None, None))).collect()
    }

    #[test]
    fn one_cause_in_several_currencies_is_one_card_and_two_shops_are_two() {
        let groups = [
            group(shop(1), "a", "GBP", 3),
            group(shop(2), "a", "GBP", 2),
            group(shop(1), "a", "EUR", 2),
            group(shop(1), "b", "GBP", 1),
        ];
        let views = views(&groups, &pounds(shop(1)));
        let shown: Vec<_> = views.iter().map(|view| (view.count, view.value.as_deref())).collect();
        let sum = Some("\u{a3}4.00, at Sage\u{2019}s rates");
        assert_eq!(shown, [(5, sum), (1, Some("\u{a3}1.00")), (2, Some("GBP 2.00"))]);
        let mut ids: Vec<&str> = views.iter().map(|view| view.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 3, "{ids:?}");
    }

    #[test]
    fn what_needs_somebody_comes_first_and_the_more_valuable_before_the_more() {
        let waiting = |cause, code, runs| CauseGroup {
            status: RunStatus::Waiting,
            code,
            ..group(shop(1), cause, "GBP", runs)
        };
        let groups = [
            waiting("invoice", Code::WaitingForInvoice, 31),
            waiting("mapping", Code::NeedsMapping, 12),
            CauseGroup { value_minor: 1_500_000, ..group(shop(1), "rupiah", "IDR", 9) },
            group(shop(1), "pounds", "GBP", 8),
        ];
        let views = views(&groups, &pounds(shop(1)));
        let pressures: Vec<_> = views.iter().map(|view| (view.count, view.pressure)).collect();
        assert_eq!(
            pressures,
            [(8, Pressure::Failed), (9, Pressure::Failed), (12, Pressure::Held), (31, Pressure::Resumes)]
        );
    }

    #[test]
    fn a_cause_says_since_when_its_oldest_document_waits() {
        let older = CauseGroup { oldest: run(1_767_520_800_000), ..group(shop(1), "a", "EUR", 1) };
        let views = views(&[group(shop(1), "a", "GBP", 1), older], &AllBooks::new());
        assert_eq!(views[0].since.as_ref().map(|at| at.iso.as_str()), Some("2026-01-04T10:00:00Z"));
    }
}
