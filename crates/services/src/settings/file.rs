//! Settings as a file: JSON that names itself, so that nothing else is taken for it.

use domain::settings::{Settings, form::Form};
use serde::{Deserialize, Serialize};

use views::error::{AppError, ErrorCode};

use super::{
    draft::{self, Told},
    form::SettingsForm,
};
use crate::{Member, Services, client_info::Caller, permission::Permission, session};

/// What the file is, and in which way it is written.
const KIND: &str = "ledger settings 1";

#[derive(Serialize, Deserialize)]
struct File {
    kind: String,
    /// The business that the ids are of, for people.
    #[serde(default)]
    business: Option<String>,
    /// The version it was, for people.
    #[serde(default)]
    version: i64,
    settings: Settings,
}

/// The settings in force as a file, for whoever confirms their password.
pub async fn export(
    services: &Services,
    member: &Member,
    caller: &Caller,
    id: &str,
    password: String,
) -> Result<String, AppError> {
    let member = member.require(Permission::ChangeSettings)?;
    let settings_form = SettingsForm::of(services, member, id).await?;
    if let Err(error) = session::confirm_password(services, member, caller, "password", password).await {
        let form = Form::of(&settings_form.settings(), &settings_form.lists);
        draft::keep(services, member, id, &form, Told::NotExported(error.code)).await?;
        return Err(error);
    }
    let business = settings_form.binding.business.as_ref().map(|business| business.name.as_str());
    write(&settings_form.settings(), settings_form.version(), business)
}

/// Fills in the form from a file; nothing is saved.
pub async fn import(services: &Services, member: &Member, id: &str, text: &str) -> Result<(), AppError> {
    let member = member.require(Permission::ChangeSettings)?;
    let settings_form = SettingsForm::of(services, member, id).await?;
    let (settings, told) = match read(text) {
        Ok(settings) => (settings, Told::Imported),
        Err(error) => (settings_form.settings(), Told::Problem(error.code)),
    };
    let form = Form::of(&settings, &settings_form.lists);
    draft::keep(services, member, id, &form, told).await
}

/// The file of settings.
fn write(settings: &Settings, version: i64, business: Option<&str>) -> Result<String, AppError> {
    let file = File {
        kind: KIND.to_owned(),
        business: business.map(str::to_owned),
        version,
        settings: settings.clone(),
    };
    serde_json::to_string_pretty(&file).map_err(|_| ErrorCode::Internal.into())
}

/// The settings of a file. What stands in it is checked by the form that it fills in.
fn read(text: &str) -> Result<Settings, AppError> {
    let file: File = serde_json::from_str(text).map_err(|_| AppError::new(ErrorCode::SettingsFile))?;
    if file.kind == KIND { Ok(file.settings) } else { Err(ErrorCode::SettingsFile.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exported_can_be_imported_and_nothing_else() {
        let settings =
            Settings { sync_since: Some("2026-03-01T09:05:00Z".parse().unwrap()), ..Settings::default() };
        let file = write(&settings, 3, Some("Tea & Co")).unwrap();
        assert_eq!(read(&file).unwrap(), settings);
        for other in ["", "{}", "[1]", "{\"kind\":\"something\",\"policy\":{}}", &file[..file.len() / 2]] {
            assert_eq!(read(other).unwrap_err().code, ErrorCode::SettingsFile, "{other}");
        }
    }
}
