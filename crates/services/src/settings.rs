//! The service functions behind the settings of a binding: the seven cards, their versions, the file.

mod file;
mod versions;

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use domain::{
    run::{ActionKind, BindingStatus},
    settings::{Lists, Problems, Settings, canonical_tax_map, differences, form::Form},
};
use messages::message;
use store::{Binding, CachedReference, SettingsVersion};
use tokio::time::timeout;

pub use versions::{VersionView, VersionsView, one as version, page as versions};
use views::{
    error::{AppError, ErrorCode},
    flash::Flash,
    settings::{Crossing, MethodsView, SettingsNotice, SettingsView},
};

use crate::{
    Member, Services, bindings, client_info::Caller, history::operator_actions::action,
    permission::Permission, session,
};

/// Settings as old as this are shown with lists that are fetched again.
const STALE: TimeDelta = TimeDelta::hours(24);

/// The longest that the page waits for new lists.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many characters somebody's reason may have.
const REASON: usize = 200;

/// How many empty rows a map shows to begin with, and how many more are given on demand.
const MORE_ROWS: usize = 3;

/// What a sent form leads to.
pub enum Sent {
    /// Something was done: the page says what.
    Done(Flash),
    /// The page again, with what was typed.
    Again(Box<SettingsView>),
    /// The settings as a file.
    File(String),
}

/// The settings as they stand.
pub async fn open(services: &Services, member: &Member, id: &str) -> Result<SettingsView, AppError> {
    let mut settings_form = SettingsForm::of(services, member, id).await?;
    if settings_form.is_old() {
        // Somebody waits: where Sage does not answer in time, the old lists must do.
        let refreshed =
            timeout(PATIENCE, services.connecting.refresh_reference(&settings_form.binding, None)).await;
        let is_stale = !matches!(refreshed, Ok(Ok(())));
        settings_form = SettingsForm { is_stale, ..SettingsForm::of(services, member, id).await? };
    }
    let form = Form::of(&settings_form.settings(), &settings_form.lists);
    Ok(settings_form.view(form, SettingsNotice::Nothing).await)
}

/// What somebody sends from the page. Everything that was typed is in the answer again, whatever becomes of it.
pub async fn send(
    services: &Services,
    member: &Member,
    caller: &Caller,
    id: &str,
    pairs: Vec<(String, String)>,
) -> Result<Sent, AppError> {
    let member = member.require(Permission::ChangeSettings)?;
    let mut settings_form = SettingsForm::of(services, member, id).await?;
    let form = Form::from(pairs);
    match form.get("do").unwrap_or("save") {
        "save" => settings_form.save(form).await,
        "more" => {
            settings_form.rows +=
                form.get("rows").and_then(|rows| rows.parse().ok()).unwrap_or(MORE_ROWS).min(500);
            settings_form.again(form, SettingsNotice::Nothing).await
        }
        "refresh" => {
            let record = action(
                services,
                member,
                ActionKind::ListsRefreshed,
                (Some(settings_form.binding.id), None),
                "",
            );
            let told =
                match services.connecting.refresh_reference(&settings_form.binding, Some(&record)).await {
                    Ok(()) => SettingsNotice::Refreshed,
                    Err(error) => SettingsNotice::Problem(error.code),
                };
            settings_form = SettingsForm::of(services, member, id).await?;
            settings_form.again(form, told).await
        }
        "import" => match file::read(form.get("file").unwrap_or_default()) {
            Ok(settings) => {
                let form = Form::of(&settings, &settings_form.lists);
                let changes = differences(&settings_form.settings(), &settings, &settings_form.lists);
                settings_form.again(form, SettingsNotice::Imported(changes)).await
            }
            Err(error) => {
                let form = Form::of(&settings_form.settings(), &settings_form.lists);
                settings_form.again(form, SettingsNotice::Problem(error.code)).await
            }
        },
        "export" => settings_form.export(form, caller).await,
        "restore" => settings_form.restore(form).await,
        _ => Err(ErrorCode::Invalid.into()),
    }
}

/// A binding's settings on the desk of somebody who may see them.
struct SettingsForm<'a> {
    services: &'a Services,
    member: &'a Member,
    binding: Binding,
    current: Option<SettingsVersion>,
    cached: CachedReference,
    lists: Arc<Lists>,
    /// How many empty rows a map ends with.
    rows: usize,
    /// Whether the lists are older than they should be and could not be fetched.
    is_stale: bool,
}

impl<'a> SettingsForm<'a> {
    async fn of(services: &'a Services, member: &'a Member, id: &str) -> Result<Self, AppError> {
        let binding = bindings::own(services, member, id).await?;
        let current = services.store.current_settings(binding.id).await?;
        let cached = services.store.reference(binding.id).await?.ok_or(ErrorCode::NoLists)?;
        let lists = Arc::new(Lists::of(&cached.set));
        Ok(Self { services, member, binding, current, cached, lists, rows: MORE_ROWS, is_stale: false })
    }

    /// The settings in force; before the first save the suggested ones, as far as the lists suggest any.
    fn settings(&self) -> Settings {
        match &self.current {
            Some(current) => current.settings.clone(),
            None => Settings::suggested(&self.cached.set),
        }
    }

    /// Whether the lists should be fetched again before somebody chooses from them.
    fn is_old(&self) -> bool {
        let is_connected = matches!(self.binding.status, BindingStatus::Active | BindingStatus::Paused);
        is_connected && self.services.environment.now() - self.cached.fetched_at >= STALE
    }

    fn version(&self) -> i64 {
        self.current.as_ref().map_or(0, |current| current.version)
    }

    async fn save(self, form: Form) -> Result<Sent, AppError> {
        let (mut settings, problems) = form.read(&self.settings(), &*self.lists);
        let reason = form.get("reason").unwrap_or_default().trim().to_owned();
        if !problems.is_empty() || reason.chars().count() > REASON {
            return self.again(form, SettingsNotice::Wrong).await;
        }
        let replaces = form.get("replaces").and_then(|version| version.parse::<i64>().ok());
        if replaces != Some(self.version()) {
            return self.crossed(form, &settings, replaces).await;
        }
        canonical(&mut settings);
        if self.current.as_ref().is_some_and(|current| current.settings == settings) {
            return Ok(Sent::Done(Flash::SettingsUnchanged));
        }
        match self.keep(settings.clone(), Some(reason).filter(|reason| !reason.is_empty())).await {
            Ok(()) => Ok(Sent::Done(Flash::SettingsSaved)),
            Err(store::Error::Conflict(_)) => {
                // Somebody was quicker by a moment.
                let id = self.binding.id.to_string();
                let settings_form = SettingsForm::of(self.services, self.member, &id).await?;
                settings_form.crossed(form, &settings, replaces).await
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn keep(&self, settings: Settings, reason: Option<String>) -> store::Result<()> {
        let next = SettingsVersion {
            version: self.version() + 1,
            settings,
            author: Some(self.member.id()),
            reason,
            created_at: self.services.environment.now(),
        };
        let version = next.version;
        let says = match &next.reason {
            Some(reason) => message!(action_details.settings_because, version = version, reason = reason),
            None => message!(action_details.settings, version = version),
        };
        let about = (Some(self.binding.id), None);
        let record = action(self.services, self.member, ActionKind::SettingsSaved, about, &says);
        self.services.store.save_settings(self.binding.id, &next, Some(&record)).await
    }

    /// The page with what the other one changed, and where this form would change it again. Saving once more is meant.
    async fn crossed(self, form: Form, mine: &Settings, replaces: Option<i64>) -> Result<Sent, AppError> {
        let theirs = self.settings();
        let base = match replaces {
            Some(version) => self.services.store.settings(self.binding.id, version).await?,
            None => None,
        };
        let base = base.map_or_else(|| Settings::suggested(&self.cached.set), |base| base.settings);
        let saved = self.services.store.settings_history(self.binding.id, None, 1).await?.into_iter().next();
        let crossing = Crossing {
            version: self.version(),
            author: saved.as_ref().and_then(|saved| saved.author_name.clone()),
            at: saved.map(|saved| saved.version.created_at.into()),
            theirs: differences(&base, &theirs, &self.lists),
            mine: differences(&theirs, mine, &self.lists),
        };
        self.again(form, SettingsNotice::Crossed(crossing)).await
    }

    async fn export(self, form: Form, caller: &Caller) -> Result<Sent, AppError> {
        let password = form.get("password").unwrap_or_default().to_owned();
        if let Err(error) =
            session::confirm_password(self.services, self.member, caller, "password", password).await
        {
            let form = Form::of(&self.settings(), &self.lists);
            return self.again(form, SettingsNotice::NotExported(error)).await;
        }
        let business = self.binding.business.as_ref().map(|business| business.name.as_str());
        Ok(Sent::File(file::write(&self.settings(), self.version(), business)?))
    }

    /// Takes a former version again, as a new one. What today's lists no longer have is shown in the form instead.
    async fn restore(self, form: Form) -> Result<Sent, AppError> {
        let wanted = form.get("version").and_then(|version| version.parse().ok());
        let found = match wanted {
            Some(version) => self.services.store.settings(self.binding.id, version).await?,
            None => None,
        };
        let former = found.ok_or(ErrorCode::NotFound)?;
        let shown = Form::of(&former.settings, &self.lists);
        let replaces = form.get("replaces").and_then(|version| version.parse::<i64>().ok());
        if replaces != Some(self.version()) {
            return self.crossed(shown, &former.settings, replaces).await;
        }
        if !former.settings.check_against(&*self.lists).is_empty() {
            return self.again(shown, SettingsNotice::Wrong).await;
        }
        if former.settings == self.settings() {
            return Ok(Sent::Done(Flash::SettingsUnchanged));
        }
        match self
            .keep(former.settings, Some(message!(action_details.restored, version = former.version)))
            .await
        {
            Ok(()) => Ok(Sent::Done(Flash::SettingsRestored)),
            Err(store::Error::Conflict(_)) => Err(ErrorCode::SettingsChanged.into()),
            Err(error) => Err(error.into()),
        }
    }

    async fn again(self, form: Form, told: SettingsNotice) -> Result<Sent, AppError> {
        let view = self.view(form, told).await;
        let is_unsaved = !matches!(
            view.told,
            SettingsNotice::NotExported(_) | SettingsNotice::Problem(ErrorCode::SettingsFile)
        );
        Ok(Sent::Again(Box::new(SettingsView { is_unsaved, ..view })))
    }

    async fn view(self, form: Form, told: SettingsNotice) -> SettingsView {
        let (settings, problems) = form.read(&self.settings(), &*self.lists);
        // A page that was only opened says what Sage no longer has, and nothing of what is still to be filled in.
        let problems = match told {
            SettingsNotice::Nothing if self.current.is_none() => Problems::new(),
            _ => problems,
        };
        let methods = match self.services.connecting.payment_methods(&self.binding).await {
            Ok(methods) => MethodsView { methods, problem: None },
            Err(error) => MethodsView { methods: Vec::new(), problem: Some(error.code) },
        };
        let now = self.services.environment.now();
        // What the form stands upon moves on only once the difference has been shown: else a save would cross another unseen.
        let sent = form.get("replaces").and_then(|version| version.parse().ok());
        let replaces = match &told {
            SettingsNotice::Crossed(_) => self.version(),
            _ => sent.unwrap_or_else(|| self.version()),
        };
        SettingsView {
            replaces,
            id: self.binding.id.to_string(),
            name: self.binding.name.clone(),
            version: self.version(),
            mapped: settings.payment_method_map.into_keys().collect(),
            reason: form.get("reason").unwrap_or_default().to_owned(),
            form,
            problems,
            methods,
            told,
            rows: self.rows,
            fetched: self.cached.fetched_at.into(),
            age: age(now - self.cached.fetched_at),
            is_stale: self.is_stale,
            may_set: self.member.may(Permission::ChangeSettings),
            is_unsaved: false,
            lists: self.lists,
        }
    }
}

/// The tax rates' keys in one way of writing; they have been checked before.
fn canonical(settings: &mut Settings) {
    if let Ok(map) = canonical_tax_map(&settings.tax_rate_map) {
        settings.tax_rate_map = map;
    }
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
