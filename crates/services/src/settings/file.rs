//! Settings as a file: JSON that names itself, so that nothing else is taken for it.

use domain::settings::Settings;
use serde::{Deserialize, Serialize};

use views::error::{AppError, ErrorCode};

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

/// The file of settings.
pub fn write(settings: &Settings, version: i64, business: Option<&str>) -> Result<String, AppError> {
    let file = File {
        kind: KIND.to_owned(),
        business: business.map(str::to_owned),
        version,
        settings: settings.clone(),
    };
    serde_json::to_string_pretty(&file).map_err(|_| ErrorCode::Internal.into())
}

/// The settings of a file. What stands in it is checked by the form that it fills in.
pub fn read(text: &str) -> Result<Settings, AppError> {
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
