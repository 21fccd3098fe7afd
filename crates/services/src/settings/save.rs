//! Saving and restoring settings; where two people have changed them, field by field.

use domain::{
    run::ActionKind,
    settings::{FieldProblem, Merged, Settings, canonical_tax_map, form::Form, merge},
};
use messages::message;
use store::SettingsVersion;
use views::{
    error::{AppError, ErrorCode},
    settings::{Crossed, SettingsError, SettingsSaved},
};

use super::form::SettingsForm;
use crate::{Member, Services, history::operator_actions::action, permission::Permission};

/// How many characters somebody's reason may have.
const REASON: usize = 200;

/// So often somebody may be quicker by a moment before one is asked to try again.
const TRIES: usize = 3;

/// Saves what a form says. What somebody else has saved since the form was opened is kept.
pub async fn save(
    services: &Services,
    member: &Member,
    id: &str,
    form: &Form,
) -> Result<SettingsSaved, SettingsError> {
    let member = member.require(Permission::ChangeSettings)?;
    let reason = form.get("reason").unwrap_or_default().trim().to_owned();
    for _ in 0..TRIES {
        let settings_form = SettingsForm::of(services, member, id).await?;
        let replaces = form.get("replaces").and_then(|version| version.parse().ok());
        let base = settings_form.settings_of(replaces).await?;
        let (mine, mut problems) = form.read(&base, &*settings_form.lists);
        if reason.chars().count() > REASON {
            problems.push(("reason".to_owned(), FieldProblem::TooLong));
        }
        if !problems.is_empty() {
            return Err(SettingsError { problems, ..ErrorCode::SettingsWrong.into() });
        }
        let change =
            Change { base, mine, replaces, reason: Some(reason.clone()).filter(|reason| !reason.is_empty()) };
        if let Some(saved) = settings_form.put(change).await? {
            return Ok(saved);
        }
    }
    Err(ErrorCode::Busy.into())
}

/// Takes a former version again, as a new one.
pub async fn restore(
    services: &Services,
    member: &Member,
    id: &str,
    version: i64,
    replaces: Option<i64>,
) -> Result<SettingsSaved, SettingsError> {
    let member = member.require(Permission::ChangeSettings)?;
    let settings_form = SettingsForm::of(services, member, id).await?;
    let former = services.store.settings(settings_form.binding.id, version).await.map_err(AppError::from)?;
    let former = former.ok_or(ErrorCode::NotFound)?;
    let problems = former.settings.check_against(&*settings_form.lists);
    if !problems.is_empty() {
        return Err(SettingsError { problems, ..ErrorCode::SettingsWrong.into() });
    }
    let change = Change {
        base: settings_form.settings_of(replaces).await?,
        mine: former.settings,
        replaces,
        reason: Some(message!(action_details.restored, version = former.version)),
    };
    settings_form.put(change).await?.ok_or_else(|| ErrorCode::SettingsChanged.into())
}

/// The form that a former version fills in.
pub(super) async fn former(settings_form: &SettingsForm<'_>, version: i64) -> Result<Option<Form>, AppError> {
    let found = settings_form.services.store.settings(settings_form.binding.id, version).await?;
    Ok(found.map(|found| Form::of(&found.settings, &settings_form.lists)))
}

/// What somebody wants to change.
struct Change {
    /// What they began with.
    base: Settings,
    /// What they want.
    mine: Settings,
    /// The version that they began with.
    replaces: Option<i64>,
    reason: Option<String>,
}

impl SettingsForm<'_> {
    /// Saves a change. Returns `None` if somebody was quicker by a moment.
    async fn put(self, change: Change) -> Result<Option<SettingsSaved>, SettingsError> {
        let Change { base, mine, replaces, reason } = change;
        let (mut settings, mut joined) = (mine, None);
        if replaces != Some(self.version()) {
            let theirs = self.settings();
            let merged = merge(&base, &theirs, &settings, &self.lists);
            if !merged.asked.is_empty() {
                let crossed = self.crossed(merged).await?;
                return Err(SettingsError {
                    crossed: Some(Box::new(crossed)),
                    ..ErrorCode::SettingsChanged.into()
                });
            }
            let (both, problems) = merged.form.read(&theirs, &*self.lists);
            if !problems.is_empty() {
                // Each was right by itself; the form is shown with both.
                let crossed = Some(Box::new(self.crossed(merged).await?));
                return Err(SettingsError { code: ErrorCode::SettingsWrong, problems, crossed });
            }
            settings = both;
            joined = self.author().await?;
        }
        canonical(&mut settings);
        if self.current.as_ref().is_some_and(|current| current.settings == settings) {
            let sentence = message!(flashes.settings_unchanged).to_owned();
            self.forget_draft().await?;
            return Ok(Some(self.saved(self.version(), &settings, sentence, None)));
        }
        let version = self.version() + 1;
        match self.keep(settings.clone(), reason).await {
            Ok(()) => {}
            Err(store::Error::Conflict(_)) => return Ok(None),
            Err(error) => return Err(AppError::from(error).into()),
        }
        self.forget_draft().await?;
        let sentence = match joined {
            Some(author) => message!(settings_page.saved_with, version = version, author = author),
            None => message!(settings_page.saved, version = version),
        };
        let undo = Some(self.version()).filter(|version| *version > 0);
        Ok(Some(self.saved(version, &settings, sentence, undo)))
    }

    fn saved(&self, version: i64, settings: &Settings, sentence: String, undo: Option<i64>) -> SettingsSaved {
        let form = Form::of(settings, &self.lists);
        SettingsSaved { version, sentence, known: self.known(&[&form]), saved: form.pairs().to_vec(), undo }
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

    /// Who saved the version in force.
    async fn author(&self) -> Result<Option<String>, AppError> {
        let saved = self.services.store.settings_history(self.binding.id, None, 1).await?;
        Ok(saved.into_iter().next().and_then(|saved| saved.author_name))
    }

    /// Both people's changes, ready to be shown.
    pub(super) async fn crossed(&self, merged: Merged) -> Result<Crossed, AppError> {
        let saved = Form::of(&self.settings(), &self.lists);
        Ok(Crossed {
            version: self.version(),
            author: self.author().await?,
            known: self.known(&[&saved, &merged.form]),
            saved: saved.pairs().to_vec(),
            pairs: merged.form.pairs().to_vec(),
            asked: merged.asked,
        })
    }
}

/// The tax rates' keys in one way of writing; they have been checked before.
fn canonical(settings: &mut Settings) {
    if let Ok(map) = canonical_tax_map(&settings.tax_rate_map) {
        settings.tax_rate_map = map;
    }
}
