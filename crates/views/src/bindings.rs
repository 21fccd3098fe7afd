//! Bindings, as pages show them.

use domain::{
    business::ReferenceList,
    code::Code,
    run::{BackfillStage, BindingStatus},
    setup::ShopState,
};
use messages::message;
use serde::{Deserialize, Serialize};

use super::{format::Moment, setup::SetupView};

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
    /// The same, as people are shown it.
    pub state: ShopState,
    /// The steps of its first day, until a document is in Sage.
    pub setup: Option<SetupView>,
    /// Since when.
    pub since: Moment,
    /// Who refuses Ledger, or left it, while it must be connected again.
    pub refusal: Option<Code>,
    /// The search for what the shop did while it was not paired.
    pub backfill: Option<BackfillView>,
    /// After how many failed documents Ledger paused it, where it was not a person.
    pub paused_after: Option<u32>,
    /// Who paused it, where it was not Ledger, and when.
    pub paused_by: Option<(String, Moment)>,
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

/// A business in Sage that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessView {
    /// Sage's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its country by name, where Sage says it.
    pub country: Option<String>,
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
            0 => message!(backfill.none).to_owned(),
            1 => message!(backfill.one).to_owned(),
            many => message!(backfill.many, many = many),
        };
        let result = match self.queued {
            0 => message!(backfill.found, found = found),
            1 => message!(backfill.found_one_queued, found = found),
            many => message!(backfill.found_many_queued, found = found, many = many),
        };
        if self.ended_at.is_some() {
            return message!(backfill.ended, result = result);
        }
        if status != BindingStatus::Active {
            return message!(backfill.stopped, result = result);
        }
        if let Some(code) = self.code {
            return message!(backfill.held, result = result, cause = code.sentence());
        }
        let stage = match self.stage {
            BackfillStage::Invoices => "invoices",
            BackfillStage::CreditMemos => "credit memos",
            BackfillStage::Payments => message!(backfill.payments),
        };
        message!(backfill.looking, result = result, stage = stage)
    }
}

/// What has to be done for a shop that does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryStep {
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
    pub fn way_back(&self) -> Option<RecoveryStep> {
        match (self.status, self.refusal) {
            (BindingStatus::Active | BindingStatus::Paused, _) => None,
            (BindingStatus::NeedsReauth | BindingStatus::Revoked, Some(Code::MagentoAuth)) => {
                Some(RecoveryStep::PairAgain)
            }
            (BindingStatus::NeedsReauth | BindingStatus::Revoked, _) => Some(RecoveryStep::ConnectSageAgain),
            (BindingStatus::Pending, _) if self.business.is_some() => Some(RecoveryStep::ConnectSageAgain),
            (BindingStatus::Pending, _) => Some(RecoveryStep::ConnectSage),
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
        // A connected shop without settings or documents does not work yet, whatever its status.
        if self.status == BindingStatus::Active
            && let Some(next) = self.setup.as_ref().and_then(SetupView::next)
        {
            let step = message!(setup.text.next, step = next.step.title());
            return format!("{} {step}", message!(setup.text.nothing_posted));
        }
        match (self.paused_after, &self.paused_by) {
            (Some(failed), _) => message!(shop_status.sentence.paused_by_ledger, failed = failed),
            (None, Some((name, at))) => {
                let minute = at.time.get(..5).unwrap_or(&at.time);
                message!(shop_status.sentence.paused_by, name = name, day = at.day, time = minute)
            }
            (None, None) => status_sentence(self.status).to_owned(),
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

const REFUSED_BY_SHOP: &str = message!(shop_status.sentence.refused_by_shop);
const REFUSED_BY_SAGE: &str = message!(shop_status.sentence.refused_by_sage);
const LEFT_BY_SHOP: &str = message!(shop_status.sentence.left_by_shop);
const BUSINESS_SHARED: &str = message!(shop_status.sentence.business_shared);

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
    /// The businesses to choose from; none before the consent.
    pub businesses: Vec<BusinessView>,
    /// The id of the one that was connected before, where it is among them.
    pub before: Option<String>,
    /// Those that another shop posts to, with the shop's name: each business has one shop.
    pub taken: Vec<(String, String)>,
}

/// What a status means and what to do.
pub const fn status_sentence(status: BindingStatus) -> &'static str {
    match status {
        BindingStatus::Pending => {
            message!(shop_status.sentence.pending)
        }
        BindingStatus::Active => message!(shop_status.sentence.active),
        BindingStatus::Paused => message!(shop_status.sentence.paused),
        BindingStatus::NeedsReauth => {
            message!(shop_status.sentence.needs_reauth)
        }
        BindingStatus::Revoked => message!(shop_status.sentence.revoked),
    }
}
