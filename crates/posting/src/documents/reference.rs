//! The number of a document in Sage.

use domain::settings::Settings;
use messages::message;

use crate::{findings::Findings, text::cut_front};

/// Sage's limit, in characters.
const LENGTH: usize = 25;

/// The settings' prefix, never twice, and Magento's number.
pub(crate) fn of(increment_id: &str, settings: &Settings, findings: &mut Findings) -> String {
    let prefix = settings.invoice_number_prefix.as_deref().map(str::trim).unwrap_or_default();
    let reference = if increment_id.starts_with(prefix) {
        increment_id.to_owned()
    } else {
        format!("{prefix}{increment_id}")
    };
    cut_front(&reference, LENGTH, message!(field_names.reference), findings)
}
