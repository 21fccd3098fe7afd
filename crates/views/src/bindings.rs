//! Bindings, as pages show them.

use domain::{
    business::ReferenceList,
    code::Code,
    run::{BackfillStage, BindingStatus},
};
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
    /// The address of the form that pairs it again.
    pub pair_href: String,
    /// The Sage business with its country, once connected.
    pub business: Option<String>,
    /// Where it stands.
    pub status: BindingStatus,
    /// Since when.
    pub since: Moment,
    /// Who refuses Ledger, or left it, while it must be connected again.
    pub refusal: Option<Code>,
    /// The search for what the shop did while it was not paired.
    pub backfill: Option<BackfillView>,
    /// After how many failed documents Ledger paused it, where it was not a person.
    pub paused_after: Option<u32>,
    /// What arrived last and reached Sage.
    pub last_sync: Option<Moment>,
    /// When the business's lists were fetched.
    pub lists_fetched: Option<Moment>,
    /// How many events the shop may send.
    pub events: String,
    /// What the business's lists suggest, as name and value, while there are no settings yet.
    pub suggestions: Vec<(String, String)>,
    /// Whether the one who looks may change settings.
    pub may_set: bool,
    /// Whether the one who looks may pause and resume.
    pub may_pause: bool,
    /// Whether the one who looks may connect and disconnect.
    pub may_connect: bool,
}

/// The search for what a shop did while it was not paired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillView {
    /// How far it has come.
    pub stage: BackfillStage,
    /// Documents and payments that Ledger had not heard of.
    pub found: i64,
    /// Runs that were queued for them.
    pub queued: i64,
    /// Why it rests, where something went wrong.
    pub code: Option<Code>,
    /// When it ended.
    pub ended_at: Option<Moment>,
}

impl BackfillView {
    /// What is being done, or was.
    pub fn sentence(&self, status: BindingStatus) -> String {
        let found = match self.found {
            0 => "No missing documents".to_owned(),
            1 => "1 missing document".to_owned(),
            many => format!("{many} missing documents"),
        };
        let result = match self.queued {
            0 => format!("{found} found"),
            1 => format!("{found} found, 1 run queued"),
            many => format!("{found} found, {many} runs queued"),
        };
        if self.ended_at.is_some() {
            return format!("{result}. The search has ended.");
        }
        if status != BindingStatus::Active {
            return format!("{result} so far. The search goes on when the shop works again.");
        }
        if let Some(code) = self.code {
            return format!("{result} so far. The search is held up: {}", code.sentence());
        }
        let stage = match self.stage {
            BackfillStage::Invoices => "invoices",
            BackfillStage::CreditMemos => "credit memos",
            BackfillStage::Payments => "payments of open invoices",
        };
        format!("{result} so far. Looking for {stage}.")
    }
}

/// What has to be done for a shop that does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayBack {
    /// Connect Sage for the first time.
    ConnectSage,
    /// Connect Sage again.
    ConnectSageAgain,
    /// Pair the shop again; Sage may follow.
    PairAgain,
}

impl BindingView {
    /// What has to be done, where something has. Magento throws its keys away when it disconnects: then pairing comes first, and
    /// connecting Sage alone would change nothing.
    pub fn way_back(&self) -> Option<WayBack> {
        match (self.status, self.refusal) {
            (BindingStatus::Active | BindingStatus::Paused, _) => None,
            (BindingStatus::NeedsReauth | BindingStatus::Revoked, Some(Code::MagentoAuth)) => {
                Some(WayBack::PairAgain)
            }
            (BindingStatus::NeedsReauth | BindingStatus::Revoked, _) => Some(WayBack::ConnectSageAgain),
            (BindingStatus::Pending, _) if self.business.is_some() => Some(WayBack::ConnectSageAgain),
            (BindingStatus::Pending, _) => Some(WayBack::ConnectSage),
        }
    }

    /// What its status means and what to do.
    pub fn status_sentence(&self) -> String {
        match (self.status, self.refusal) {
            (BindingStatus::NeedsReauth, Some(Code::MagentoAuth)) => return REFUSED_BY_SHOP.to_owned(),
            (BindingStatus::NeedsReauth, Some(Code::SageAuth)) => return REFUSED_BY_SAGE.to_owned(),
            (BindingStatus::Revoked, Some(Code::MagentoAuth)) => return LEFT_BY_SHOP.to_owned(),
            (BindingStatus::Pending, Some(Code::BusinessShared)) => return BUSINESS_SHARED.to_owned(),
            _ => {}
        }
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

const REFUSED_BY_SHOP: &str = "Magento refuses Ledger, most likely because the shop was disconnected in Magento. Nothing is synced. Pair the shop again: settings and history stay, and Ledger looks for what it missed.";
const REFUSED_BY_SAGE: &str =
    "Sage refuses Ledger. Nothing is lost: connect Sage again, and what waits resumes automatically.";
const LEFT_BY_SHOP: &str = "The shop was disconnected in Magento. Nothing is synced. Pair the shop again, then connect Sage: settings and history stay, and Ledger looks for what it missed.";
const BUSINESS_SHARED: &str = "Another shop posts to the same Sage business, and a business has one shop. Nothing is lost: connect this shop to a business of its own, or disconnect the other shop first.";

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
    /// The id of the one that was connected before, where it is among them.
    pub before: Option<String>,
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
        BindingStatus::Revoked => {
            "Disconnected. What the shop still sends is kept. Connect Sage again, and what waits resumes automatically."
        }
    }
}
