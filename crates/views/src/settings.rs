//! The settings of a binding, as their page shows them and their form sends them.

mod wire;

use domain::settings::{Asked, Change, Problems};
use serde::{Deserialize, Serialize};
#[cfg(feature = "server-fn")]
use server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};

use crate::{
    error::{AppError, ErrorCode},
    format::Moment,
};

/// How what the form needs travels: rows of words; the first of each says what it is.
type Rows = Vec<Vec<String>>;

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

/// An entry of a list that a field chooses from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The list's name.
    pub list: String,
    /// Sage's id, or the word itself.
    pub id: String,
    /// What stands in the field when it is chosen.
    pub text: String,
    /// A ledger account's number.
    pub number: Option<i64>,
    /// What else helps to tell it from others.
    pub note: String,
}

/// The entries that a search has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Rows", into = "Rows")]
pub struct Found(
    /// The entries.
    pub Vec<Entry>,
);

/// Names and values of a form, in its order.
pub type Pairs = Vec<(String, String)>;

/// What the form of the settings begins with in the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Rows", into = "Rows")]
pub struct FormState {
    /// The binding's id.
    pub id: String,
    /// Whose form it is: what is kept in a browser is for nobody else.
    pub member: String,
    /// The version that the form stands upon.
    pub replaces: i64,
    /// What stands in the fields.
    pub pairs: Pairs,
    /// What is saved.
    pub saved: Pairs,
    /// Why it was changed, as typed.
    pub reason: String,
    /// What is wrong with the fields.
    pub problems: Problems,
    /// Whether what is wrong is to be read first: after a save that was refused.
    pub is_refused: bool,
    /// The entries that the fields name.
    pub known: Vec<Entry>,
    /// The shop's payment methods.
    pub methods: Vec<PaymentMethod>,
    /// Why there are none.
    pub methods_problem: Option<ErrorCode>,
    /// Whether the business is registered for tax.
    pub is_registered: bool,
    /// Whether the one who looks may save.
    pub may_set: bool,
    /// How many empty rows a map ends with.
    pub rows: usize,
    /// How fresh the lists are.
    pub lists: ListsAge,
    /// The failure that led here.
    pub fix: Option<FixView>,
    /// Both people's changes, where somebody else was quicker.
    pub crossed: Option<Crossed>,
}

/// How fresh the lists of a business are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListsAge {
    /// When they were fetched.
    pub fetched: Moment,
    /// How long that is ago.
    pub age: String,
    /// Whether they are older than they should be and could not be fetched.
    pub is_stale: bool,
}

/// The failure that somebody comes from: what one setting would fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixView {
    /// Tells the cause from others.
    pub cause: String,
    /// What happened.
    pub sentence: String,
    /// How many documents, as people say it.
    pub documents: String,
    /// Currencies and sums of their totals, where they have any.
    pub value: Option<String>,
    /// The list of them.
    pub href: String,
    /// The view of the history whose runs can be retried; none where they need no retry or it is not allowed.
    pub retry: Option<String>,
    /// The field or card that fixes it.
    pub place: String,
}

/// What came of a save or a restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Rows", into = "Rows")]
pub struct SettingsSaved {
    /// The version in force.
    pub version: i64,
    /// What was done, for people.
    pub sentence: String,
    /// What is saved, as the form shows it.
    pub saved: Pairs,
    /// The entries that it names.
    pub known: Vec<Entry>,
    /// The version that would undo it.
    pub undo: Option<i64>,
}

/// What the lists and the rules say of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Rows", into = "Rows")]
pub struct SettingsChecked {
    /// What is wrong with the fields.
    pub problems: Problems,
    /// The entries that the form names.
    pub known: Vec<Entry>,
    /// How fresh the lists are.
    pub lists: ListsAge,
}

/// Both people's changes, where somebody else was quicker and some fields were changed by both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossed {
    /// The version that is there now.
    pub version: i64,
    /// Who saved it.
    pub author: Option<String>,
    /// What is saved, as the form shows it.
    pub saved: Pairs,
    /// Both people's changes; where they cross, this one's.
    pub pairs: Pairs,
    /// Where they cross.
    pub asked: Vec<Asked>,
    /// The entries that either names.
    pub known: Vec<Entry>,
}

/// Why settings were not saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Rows", into = "Rows")]
pub struct SettingsError {
    /// Which kind.
    pub code: ErrorCode,
    /// What is wrong with the fields.
    pub problems: Problems,
    /// What somebody else changed in the meantime.
    pub crossed: Option<Box<Crossed>>,
}

impl From<AppError> for SettingsError {
    fn from(error: AppError) -> Self {
        error.code.into()
    }
}

impl From<ErrorCode> for SettingsError {
    fn from(code: ErrorCode) -> Self {
        Self { code, problems: Vec::new(), crossed: None }
    }
}

impl std::fmt::Display for SettingsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code.sentence())
    }
}

impl std::error::Error for SettingsError {}

#[cfg(feature = "server-fn")]
impl FromServerFnError for SettingsError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        AppError::from_server_fn_error(error).into()
    }
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
    NotExported(ErrorCode),
    /// Somebody else saved in the meantime.
    Crossed,
    /// Something went wrong on the way.
    Problem(ErrorCode),
}

/// The page of the settings.
#[derive(Clone, Debug)]
pub struct SettingsView {
    /// The binding's name.
    pub name: String,
    /// The version in force; 0 = none yet.
    pub version: i64,
    /// What to say.
    pub told: SettingsNotice,
    /// The form.
    pub state: FormState,
    /// The lists that are short enough to travel with the page, for browsers without JavaScript: their names, and what each offers.
    pub short_lists: Vec<(&'static str, Vec<String>)>,
}

impl SettingsView {
    /// The address of the page.
    pub fn href(&self) -> String {
        href(&self.state.id)
    }
}

/// The address of a binding's settings.
pub fn href(id: &str) -> String {
    format!("/dashboard/bindings/{id}/settings")
}

/// The address of the page that shows what was typed again.
pub fn draft_href(id: &str, place: &str) -> String {
    let place = if place.is_empty() { String::new() } else { format!("#{place}") };
    format!("{}?draft=1{place}", href(id))
}

/// The address of the file of a binding's settings.
pub fn file_href(id: &str) -> String {
    format!("{}/file", href(id))
}

/// The address of their versions.
pub fn versions_href(id: &str) -> String {
    format!("{}/versions", href(id))
}
