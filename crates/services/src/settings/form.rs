//! A binding's settings as a member sees them: the version in force, Sage's lists, and what the page needs of both.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    run::BindingStatus,
    settings::{
        Choices, List, Lists, Problems, Settings,
        cards::{self, Kind},
        form::{Form, LEAVE_UNPAID},
    },
};
use messages::message;
use store::{Binding, CachedReference, SettingsVersion};
use views::{
    error::{AppError, ErrorCode},
    settings::{Entry, FormState, ListsAge, MethodsView, SettingsChecked, SettingsNotice, SettingsView},
};

use crate::{Member, Services, bindings, permission::Permission};

/// Settings as old as this are shown with lists that are fetched again.
const STALE: TimeDelta = TimeDelta::hours(24);

/// How many empty rows a map shows to begin with, and how many more are given on demand.
pub(super) const MORE_ROWS: usize = 3;

/// The list of time zones, and the field that chooses from it.
pub(super) const ZONES: &str = "time-zones";
const ZONE_FIELD: &str = "document_time_zone";
/// Bank accounts, and that invoices stay unpaid.
pub(super) const METHOD_ACCOUNTS: &str = "method-accounts";

/// A list of so many entries at most travels with the page, for browsers without JavaScript.
const SHORT: usize = 200;

/// A binding's settings before somebody who may see them.
pub(super) struct SettingsForm<'a> {
    pub(super) services: &'a Services,
    pub(super) member: &'a Member,
    pub(super) binding: Binding,
    pub(super) current: Option<SettingsVersion>,
    pub(super) cached: CachedReference,
    pub(super) lists: Arc<Lists>,
    /// Whether the lists are older than they should be and could not be fetched.
    pub(super) is_stale: bool,
}

impl<'a> SettingsForm<'a> {
    pub(super) async fn of(services: &'a Services, member: &'a Member, id: &str) -> Result<Self, AppError> {
        let binding = bindings::own(services, member, id).await?;
        let current = services.store.current_settings(binding.id).await?;
        let cached = services.store.reference(binding.id).await?.ok_or(ErrorCode::NoLists)?;
        let lists = Arc::new(Lists::of(&cached.set));
        Ok(Self { services, member, binding, current, cached, lists, is_stale: false })
    }

    /// The settings in force; before the first save the suggested ones, as far as the lists suggest any.
    pub(super) fn settings(&self) -> Settings {
        match &self.current {
            Some(current) => current.settings.clone(),
            None => Settings::suggested(&self.cached.set),
        }
    }

    /// The settings of a version; those that were suggested before the first.
    pub(super) async fn settings_of(&self, version: Option<i64>) -> Result<Settings, AppError> {
        let found = match version {
            Some(version) if version == self.version() => return Ok(self.settings()),
            Some(version) => self.services.store.settings(self.binding.id, version).await?,
            None => None,
        };
        Ok(found.map_or_else(|| Settings::suggested(&self.cached.set), |found| found.settings))
    }

    /// Whether the lists should be fetched again before somebody chooses from them.
    pub(super) fn is_old(&self) -> bool {
        let is_connected = matches!(self.binding.status, BindingStatus::Active | BindingStatus::Paused);
        is_connected && self.services.environment.now() - self.cached.fetched_at >= STALE
    }

    pub(super) fn version(&self) -> i64 {
        self.current.as_ref().map_or(0, |current| current.version)
    }

    pub(super) fn lists_age(&self) -> ListsAge {
        ListsAge {
            fetched: self.cached.fetched_at.into(),
            age: age(self.services.environment.now() - self.cached.fetched_at),
            is_stale: self.is_stale,
        }
    }

    pub(super) fn checked(&self, form: &Form) -> SettingsChecked {
        let (_, problems) = form.read(&self.settings(), &*self.lists);
        SettingsChecked { problems, known: self.known(&[form]), lists: self.lists_age() }
    }

    /// The entries that forms name.
    pub(super) fn known(&self, forms: &[&Form]) -> Vec<Entry> {
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
            let zone = form.get(ZONE_FIELD).unwrap_or_default();
            if self.lists.is_time_zone(zone) {
                known.push(word(ZONES, zone));
            }
        }
        known
    }

    pub(super) async fn view(self, form: Form, told: SettingsNotice) -> SettingsView {
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

/// An entry that is its own id.
pub(super) fn word(list: &str, word: &str) -> Entry {
    Entry { list: list.to_owned(), id: word.to_owned(), text: word.to_owned(), ..Entry::default() }
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
        let of_methods = (list == List::BankAccounts).then_some((METHOD_ACCOUNTS, unpaid));
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
