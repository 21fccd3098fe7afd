//! Bindings, as pages show them.

use domain::{business::ReferenceList, run::BindingStatus};
use serde::{Deserialize, Serialize};

use super::format::Moment;

/// A binding, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The shop's address.
    pub shop: String,
    /// The Sage business with its country, once connected.
    pub business: Option<String>,
    /// Where it stands.
    pub status: BindingStatus,
    /// Since when.
    pub since: Moment,
    /// After how many failed documents Ledger paused it, where it was not a person.
    pub paused_after: Option<u32>,
    /// What arrived last and reached Sage.
    pub last_sync: Option<Moment>,
    /// When the business's lists were fetched.
    pub lists_fetched: Option<Moment>,
    /// What the business's lists suggest, as name and value, while there are no settings yet.
    pub suggestions: Vec<(String, String)>,
    /// Whether the one who looks may change settings.
    pub may_set: bool,
    /// Whether the one who looks may pause and resume.
    pub may_pause: bool,
    /// Whether the one who looks may connect and disconnect.
    pub may_connect: bool,
}

impl BindingView {
    /// What its status means and what to do.
    pub fn status_sentence(&self) -> String {
        match self.paused_after {
            Some(failed) => format!(
                "Paused by Ledger: {failed} documents failed one after another. Mend the cause, then resume. What the shop sends is kept and waits."
            ),
            None => status_sentence(self.status).to_owned(),
        }
    }

    /// The address of its page.
    pub fn href(&self) -> String {
        href(&self.id)
    }

    /// The address of its way to Sage.
    pub fn connect_href(&self) -> String {
        connect_href(&self.id)
    }
}

/// The address of a binding's page.
pub fn href(id: &str) -> String {
    format!("/dashboard/bindings/{id}")
}

/// The same, asking both sides what will fail.
pub fn checked_href(id: &str) -> String {
    format!("/dashboard/bindings/{id}?check=1")
}

/// The address of a binding's way to Sage.
pub fn connect_href(id: &str) -> String {
    format!("/dashboard/connect-sage?binding={id}")
}

/// The address of the page that shows how far connecting has come.
pub fn connecting_href(id: &str) -> String {
    format!("/dashboard/connecting?binding={id}")
}

/// How far connecting has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProgressView {
    /// A list is being fetched.
    Fetching {
        /// The binding's id.
        binding: String,
        /// Which list.
        list: ReferenceList,
    },
    /// It is over, well or not.
    Over {
        /// Where to go on.
        href: String,
    },
}

/// A binding that is on its way to Sage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectView {
    /// The binding.
    pub binding: BindingView,
    /// The businesses to choose from, as id and name; none before the consent.
    pub businesses: Vec<(String, String)>,
}

/// A status in a person's word.
pub const fn status_label(status: BindingStatus) -> &'static str {
    match status {
        BindingStatus::Pending => "Sage is missing",
        BindingStatus::Active => "Working",
        BindingStatus::Paused => "Paused",
        BindingStatus::NeedsReauth => "Must be connected again",
        BindingStatus::Revoked => "Disconnected",
    }
}

/// What a status means and what to do.
pub const fn status_sentence(status: BindingStatus) -> &'static str {
    match status {
        BindingStatus::Pending => {
            "The shop is paired. What it sends is kept and waits until Sage is connected."
        }
        BindingStatus::Active => "What the shop sends is on its way to Sage within moments.",
        BindingStatus::Paused => "Somebody paused it. What the shop sends is kept and waits.",
        BindingStatus::NeedsReauth => {
            "Sage or Magento refuses Ledger. Nothing is lost: connect again, and what waits goes on."
        }
        BindingStatus::Revoked => "Nothing is synced. Its history stays.",
    }
}
