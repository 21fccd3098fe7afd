//! The service functions behind the settings of a binding: the seven cards, their versions, the file.

mod countries;
mod draft;
mod file;
mod fix;
mod form;
mod save;
mod search;
mod versions;

use std::time::Duration;

use domain::{run::ActionKind, settings::form::Form};
use tokio::time::timeout;

pub use countries::country_name;
pub use draft::{Told, keep as keep_draft};
pub use file::{export, import};
pub use save::{restore, save};
pub use search::search;
pub use versions::{VersionView, VersionsView, one as version, page as versions};
use views::{
    error::AppError,
    settings::{FormState, SettingsChecked, SettingsError, SettingsNotice, SettingsView},
};

use self::{draft::Again, form::SettingsForm};
use crate::{Member, Services, history::operator_actions::action, permission::Permission};

/// The longest that the page waits for new lists.
const PATIENCE: Duration = Duration::from_secs(5);

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
