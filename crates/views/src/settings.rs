//! The settings of a binding, as their page shows them.

use std::sync::Arc;

use domain::settings::{Change, FieldProblem, Lists, Problems, form::Form};

use super::format::Moment;
use crate::error::{AppError, ErrorCode};

/// A payment method of the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentMethod {
    /// Its code, such as `checkmo`.
    pub code: String,
    /// What the shop calls it.
    pub label: String,
    /// Whether it is switched on.
    pub is_active: bool,
}

/// The shop's payment methods as they are now, or why they are not known.
#[derive(Clone, Debug, Default)]
pub struct MethodsView {
    /// The methods.
    pub methods: Vec<PaymentMethod>,
    /// Why there are none.
    pub problem: Option<ErrorCode>,
}

/// What somebody else saved while a form was filled in.
#[derive(Clone, Debug)]
pub struct Crossing {
    /// The version that is there now.
    pub version: i64,
    /// Whose it is.
    pub author: Option<String>,
    /// When it was saved.
    pub at: Option<Moment>,
    /// What it changed.
    pub theirs: Vec<Change>,
    /// What this form would change about it.
    pub mine: Vec<Change>,
}

/// What the page says above its cards.
#[derive(Clone, Debug)]
pub enum SettingsNotice {
    /// Nothing.
    Nothing,
    /// The lists are fetched again.
    Refreshed,
    /// A file's settings are filled in, and not saved yet: this they would change.
    Imported(Vec<Change>),
    /// Something is not right; nothing was saved.
    Wrong,
    /// The settings were not given out: the password was not confirmed.
    NotExported(AppError),
    /// Somebody else saved in the meantime.
    Crossed(Crossing),
    /// Something went wrong on the way.
    Problem(ErrorCode),
}

/// The page of the settings.
#[derive(Clone, Debug)]
pub struct SettingsView {
    /// The binding's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The version in force; 0 = none yet.
    pub version: i64,
    /// The version that the form stands upon.
    pub replaces: i64,
    /// What stands in the fields.
    pub form: Form,
    /// Why it was changed, as typed.
    pub reason: String,
    /// What is wrong with the fields.
    pub problems: Problems,
    /// The business's lists.
    pub lists: Arc<Lists>,
    /// The shop's payment methods.
    pub methods: MethodsView,
    /// The codes of payment methods that are mapped.
    pub mapped: Vec<String>,
    /// What to say.
    pub told: SettingsNotice,
    /// How many empty rows a map ends with.
    pub rows: usize,
    /// When the lists were fetched.
    pub fetched: Moment,
    /// How long that is ago.
    pub age: String,
    /// Whether the lists are older than they should be and could not be fetched.
    pub is_stale: bool,
    /// Whether the one who looks may save.
    pub may_set: bool,
    /// Whether the form holds what is not saved yet.
    pub is_unsaved: bool,
}

impl SettingsView {
    /// The address of the page.
    pub fn href(&self) -> String {
        href(&self.id)
    }

    /// Whether the cursor goes to what is wrong: when a save was refused, and not when the page was only opened.
    pub const fn may_focus(&self) -> bool {
        matches!(self.told, SettingsNotice::Wrong)
    }

    /// What is wrong with a field.
    pub fn problem(&self, path: &str) -> Option<FieldProblem> {
        self.problems.iter().find(|(own, _)| own == path).map(|(_, problem)| *problem)
    }

    /// The status of the answer that carries the page.
    pub fn status(&self) -> u16 {
        match &self.told {
            SettingsNotice::Wrong => ErrorCode::SettingsWrong.status(),
            SettingsNotice::NotExported(error) => error.code.status(),
            SettingsNotice::Crossed(_) => ErrorCode::SettingsChanged.status(),
            SettingsNotice::Problem(code) => code.status(),
            SettingsNotice::Nothing | SettingsNotice::Refreshed | SettingsNotice::Imported(_) => 200,
        }
    }
}

/// The address of a binding's settings.
pub fn href(id: &str) -> String {
    format!("/dashboard/bindings/{id}/settings")
}

/// The address of their versions.
pub fn versions_href(id: &str) -> String {
    format!("/dashboard/bindings/{id}/settings/versions")
}
