//! The service functions behind the settings of a binding: the seven cards, their versions, the file.

mod countries;
mod draft;
mod file;
mod fix;
mod save;
mod search;
mod versions;

use draft::Again;
use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use domain::{
    run::{ActionKind, BindingStatus},
    settings::{
        Choices, List, Lists, Problems, Settings,
        cards::{self, Kind},
        form::{Form, LEAVE_UNPAID},
    },
};
use messages::message;
use store::{Binding, CachedReference, SettingsVersion};
use tokio::time::timeout;

pub use draft::{Told, keep as keep_draft};
pub use file::{export, import};
pub use save::{restore, save};
pub use search::search;
pub use versions::{VersionView, VersionsView, one as version, page as versions};
use views::{
    error::{AppError, ErrorCode},
    settings::{
        Entry, FormState, ListsAge, MethodsView, SettingsChecked, SettingsError, SettingsNotice, SettingsView,
    },
};

use crate::{Member, Services, bindings, history::operator_actions::action, permission::Permission};

/// Settings as old as this are shown with lists that are fetched again.
const STALE: TimeDelta = TimeDelta::hours(24);

/// The longest that the page waits for new lists.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many empty rows a map shows to begin with, and how many more are given on demand.
const MORE_ROWS: usize = 3;

/// A list of so many entries at most travels with the page, for browsers without JavaScript.
const SHORT: usize = 200;

/// The settings as they are, or with `draft` as they were sent without being saved; `cause` is the failure that somebody comes from.
pub async fn open(
    services: &Services,
    member: &Member,
    id: &str,
    draft: bool,
    cause: Option<&str>,
) -> Result<SettingsView, AppError> {
    let mut settings_form = SettingsForm::of(services, member, id).await?;
    if settings_form.is_old() {
        // Somebody waits: where Sage does not answer in time, the old lists must do.
        let refreshed =
            timeout(PATIENCE, services.connecting.refresh_reference(&settings_form.binding, None)).await;
        let is_stale = !matches!(refreshed, Ok(Ok(())));
        settings_form = SettingsForm { is_stale, ..SettingsForm::of(services, member, id).await? };
    }
    let kept = if draft { draft::kept(&settings_form).await? } else { None };
    let kept_cause = kept.as_ref().and_then(|(form, _)| form.get("cause"));
    let fix = match cause.or(kept_cause).filter(|cause| !cause.is_empty()) {
        Some(cause) => fix::of(services, member, settings_form.binding.id, cause).await?,
        None => None,
    };
    let again = match kept {
        Some((form, told)) => settings_form.shown_again(form, told).await?,
        None => Again::of(Form::of(&settings_form.settings(), &settings_form.lists), SettingsNotice::Nothing),
    };
    let view = settings_form.view(again.form, again.notice).await;
    Ok(SettingsView { state: FormState { fix, crossed: again.crossed, ..view.state }, ..view })
}

/// What the rules and the lists say of a form that is not sent yet.
pub async fn check(
    services: &Services,
    member: &Member,
    id: &str,
    form: &Form,
) -> Result<SettingsChecked, AppError> {
    Ok(SettingsForm::of(services, member, id).await?.checked(form))
}

/// Fetches Sage's lists again.
pub async fn refresh(
    services: &Services,
    member: &Member,
    id: &str,
    form: &Form,
) -> Result<SettingsChecked, SettingsError> {
    let member = member.require(Permission::ChangeSettings)?;
    let settings_form = SettingsForm::of(services, member, id).await?;
    let about = (Some(settings_form.binding.id), None);
    let record = action(services, member, ActionKind::ListsRefreshed, about, "");
    services.connecting.refresh_reference(&settings_form.binding, Some(&record)).await?;
    Ok(SettingsForm::of(services, member, id).await?.checked(form))
}

/// A binding's settings before somebody who may see them.
struct SettingsForm<'a> {
    services: &'a Services,
    member: &'a Member,
    binding: Binding,
    current: Option<SettingsVersion>,
    cached: CachedReference,
    lists: Arc<Lists>,
    /// Whether the lists are older than they should be and could not be fetched.
    is_stale: bool,
}

impl<'a> SettingsForm<'a> {
    async fn of(services: &'a Services, member: &'a Member, id: &str) -> Result<Self, AppError> {
        let binding = bindings::own(services, member, id).await?;
        let current = services.store.current_settings(binding.id).await?;
        let cached = services.store.reference(binding.id).await?.ok_or(ErrorCode::NoLists)?;
        let lists = Arc::new(Lists::of(&cached.set));
        Ok(Self { services, member, binding, current, cached, lists, is_stale: false })
    }

    /// The settings in force; before the first save the suggested ones, as far as the lists suggest any.
    fn settings(&self) -> Settings {
        match &self.current {
            Some(current) => current.settings.clone(),
            None => Settings::suggested(&self.cached.set),
        }
    }

    /// The settings of a version; those that were suggested before the first.
    async fn settings_of(&self, version: Option<i64>) -> Result<Settings, AppError> {
        let found = match version {
            Some(version) if version == self.version() => return Ok(self.settings()),
            Some(version) => self.services.store.settings(self.binding.id, version).await?,
            None => None,
        };
        Ok(found.map_or_else(|| Settings::suggested(&self.cached.set), |found| found.settings))
    }

    /// Whether the lists should be fetched again before somebody chooses from them.
    fn is_old(&self) -> bool {
        let is_connected = matches!(self.binding.status, BindingStatus::Active | BindingStatus::Paused);
        is_connected && self.services.environment.now() - self.cached.fetched_at >= STALE
    }

    fn version(&self) -> i64 {
        self.current.as_ref().map_or(0, |current| current.version)
    }

    fn lists_age(&self) -> ListsAge {
        ListsAge {
            fetched: self.cached.fetched_at.into(),
            age: age(self.services.environment.now() - self.cached.fetched_at),
            is_stale: self.is_stale,
        }
    }

    fn checked(&self, form: &Form) -> SettingsChecked {
        let (_, problems) = form.read(&self.settings(), &*self.lists);
        SettingsChecked { problems, known: self.known(&[form]), lists: self.lists_age() }
    }

    /// The entries that forms name.
    fn known(&self, forms: &[&Form]) -> Vec<Entry> {
        let mut known: Vec<Entry> = Vec::new();
        for form in forms {
            for (list, typed) in named(form) {
                let Some(id) = self.lists.find(list, typed) else { continue };
                if known.iter().any(|entry| entry.list == list.as_str() && entry.id == id) {
                    continue;
                }
                let number = self.lists.number(list, &id);
                let text = self.lists.text(list, &id);
                known.push(Entry { list: list.as_str().to_owned(), id, text, number, note: String::new() });
            }
            let zone = form.get(search::ZONE_FIELD).unwrap_or_default();
            if self.lists.is_time_zone(zone) {
                known.push(search::word(search::ZONES, zone));
            }
        }
        known
    }

    async fn view(self, form: Form, told: SettingsNotice) -> SettingsView {
        let (_, problems) = form.read(&self.settings(), &*self.lists);
        // A page that was only opened says what Sage no longer has, and nothing of what is still to be filled in.
        let problems = match told {
            SettingsNotice::Nothing if self.current.is_none() => Problems::new(),
            _ => problems,
        };
        let methods = match self.services.connecting.payment_methods(&self.binding).await {
            Ok(methods) => MethodsView { methods, problem: None },
            Err(error) => MethodsView { methods: Vec::new(), problem: Some(error.code) },
        };
        let saved = Form::of(&self.settings(), &self.lists);
        let number = |name: &str| form.get(name).and_then(|number| number.parse::<i64>().ok());
        let rows = number("rows").and_then(|rows| usize::try_from(rows).ok()).unwrap_or_default().min(500);
        let state = FormState {
            id: self.binding.id.to_string(),
            member: self.member.id().to_string(),
            replaces: number("replaces").unwrap_or_else(|| self.version()),
            saved: saved.pairs().to_vec(),
            reason: form.get("reason").unwrap_or_default().to_owned(),
            is_refused: matches!(told, SettingsNotice::Wrong),
            problems,
            known: self.known(&[&form, &saved]),
            pairs: form.pairs().to_vec(),
            methods: methods.methods,
            methods_problem: methods.problem,
            is_registered: self.lists.is_registered_for_tax(),
            may_set: self.member.may(Permission::ChangeSettings),
            rows: MORE_ROWS + rows,
            lists: self.lists_age(),
            fix: None,
            crossed: None,
        };
        SettingsView {
            name: self.binding.name.clone(),
            version: self.version(),
            told,
            state,
            short_lists: short_lists(&self.lists),
        }
    }
}

/// What a form names, and from which list.
fn named(form: &Form) -> impl Iterator<Item = (List, &str)> {
    cards::fields().flat_map(|field| match field.kind {
        Kind::Pick(list, _) => vec![(list, form.get(field.path).unwrap_or_default())],
        Kind::PaymentMethods => values(form, field.path, List::BankAccounts),
        Kind::TaxRates => values(form, field.path, List::TaxRates),
        _ => Vec::new(),
    })
}

fn values<'a>(form: &'a Form, path: &str, list: List) -> Vec<(List, &'a str)> {
    form.rows(path).into_iter().map(|row| (list, row.value)).collect()
}

fn short_lists(lists: &Lists) -> Vec<(&'static str, Vec<String>)> {
    let texts = |list| lists.entries(list).iter().map(|choice| choice.text.clone());
    let short = List::ALL.into_iter().filter(|list| lists.entries(*list).len() <= SHORT);
    let short = short.flat_map(|list| {
        let unpaid = std::iter::once(LEAVE_UNPAID.to_owned()).chain(texts(list)).collect();
        let of_methods = (list == List::BankAccounts).then_some((search::METHOD_ACCOUNTS, unpaid));
        std::iter::once((list.as_str(), texts(list).collect())).chain(of_methods)
    });
    short.collect()
}

/// How long ago something was, as a person says it.
fn age(past: TimeDelta) -> String {
    let (days, hours, minutes) = (past.num_days(), past.num_hours(), past.num_minutes());
    match (days, hours, minutes) {
        (1, ..) => message!(ages.day).to_owned(),
        (2.., ..) => message!(ages.days, days = days),
        (_, 1, _) => message!(ages.hour).to_owned(),
        (_, 2.., _) => message!(ages.hours, hours = hours),
        (.., 1) => message!(ages.minute).to_owned(),
        (.., 2..) => message!(ages.minutes, minutes = minutes),
        _ => message!(ages.now).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        for (seconds, told) in [
            (-5, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (14 * 60, "14 minutes ago"),
            (3600, "1 hour ago"),
            (50 * 3600, "2 days ago"),
        ] {
            assert_eq!(age(TimeDelta::seconds(seconds)), told);
        }
    }
}
