//! A run, as its own page shows it: every text is ready.

use domain::run::{EventName, RunStatus};

use super::format::Moment;

/// The page of a run.
#[derive(Clone, Debug)]
pub struct RunView {
    /// The store's change number when it was read.
    pub version: u64,
    /// Whether the one who looks may exclude the document.
    pub may_exclude: bool,
    /// Its id.
    pub id: String,
    /// What it is, how it stands and of which shop: the title of the page.
    pub title: String,
    /// The document's number.
    pub document: String,
    /// What happened.
    pub event: EventName,
    /// Where it stands.
    pub status: RunStatus,
    /// The shop's name and the address of its page.
    pub shop: (String, String),
    /// The customer's name.
    pub customer: Option<String>,
    /// What is to be said and done.
    pub advice: AdviceView,
    /// The document in Sage.
    pub sage: Option<SageView>,
    /// Runs of the same sale, this one among them, in the order of a sale; none where there is no other.
    pub related: Vec<RelatedView>,
    /// Both sides' sums.
    pub totals: Option<TotalsView>,
    /// The version of the settings, and where it is shown.
    pub settings: Option<(i64, String)>,
    /// Named moments.
    pub moments: Vec<MomentView>,
    /// What was to be done, and why; or why that is not shown.
    pub plan: Result<PlanView, &'static str>,
    /// The tries, newest first.
    pub attempts: Vec<AttemptView>,
}

impl RunView {
    /// The address of the page.
    pub fn href(&self) -> String {
        href(&self.id)
    }
}

/// The address of a run's page.
pub fn href(id: &str) -> String {
    format!("/dashboard/sync/{id}")
}

/// What happened, what to do, and what to do it with.
#[derive(Clone, Debug)]
pub struct AdviceView {
    /// What happened.
    pub sentence: String,
    /// What to do.
    pub action: String,
    /// This document's figures, and Sage's words.
    pub message: Option<String>,
    /// The code.
    pub code: Option<&'static str>,
    /// When it is tried again.
    pub next_try: Option<Moment>,
    /// The things to do it with, the most helpful first.
    pub remedies: Vec<RemedyView>,
    /// What comes of a retry, where it does not go at once.
    pub of_a_retry: Option<&'static str>,
}

/// A thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemedyView {
    /// The button that puts the run in the queue again.
    Retry {
        /// Whether it can be pressed now.
        is_ready: bool,
        /// Whether it is what helps, and not only what can be done.
        is_advised: bool,
    },
    /// The button that resumes the shop.
    Resume {
        /// The shop's id.
        binding: String,
    },
    /// The button that takes the document's exclusion back.
    TakeBack,
    /// A link to where it is done.
    Link {
        /// What it says.
        label: String,
        /// Where it leads.
        href: String,
    },
    /// No button does it.
    Say(String),
}

/// The document in Sage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SageView {
    /// Its number there.
    pub reference: String,
    /// Where Sage shows it.
    pub href: String,
    /// Whether the link leads to the document, and not only to Sage.
    pub is_exact: bool,
}

/// A run of the same sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelatedView {
    /// What happened.
    pub event: EventName,
    /// Where it stands.
    pub status: RunStatus,
    /// Its number in Sage.
    pub reference: Option<String>,
    /// The address of its page; none of the one that is shown.
    pub href: Option<String>,
}

/// Both sides' sums.
#[derive(Clone, Debug)]
pub struct TotalsView {
    /// Currency code.
    pub currency: String,
    /// What Magento's are held against.
    pub other: &'static str,
    /// Total and tax: name, Magento's, the others, the difference where there is one.
    pub rows: Vec<SumView>,
}

/// One sum on both sides.
#[derive(Clone, Debug)]
pub struct SumView {
    /// What it is.
    pub name: &'static str,
    /// Magento's.
    pub magento: Option<String>,
    /// The others.
    pub other: Option<String>,
    /// The others less Magento's, where both are known.
    pub difference: Option<String>,
    /// Whether they differ.
    pub differs: bool,
}

/// A named moment.
#[derive(Clone, Debug)]
pub struct MomentView {
    /// When.
    pub at: Moment,
    /// What.
    pub title: String,
    /// More of it.
    pub detail: Option<String>,
    /// The time since the moment before.
    pub cost: Option<String>,
    /// Whether that is the longest of all.
    pub is_longest: bool,
    /// Whether it is still to come.
    pub is_ahead: bool,
}

/// What was to be done, and why.
#[derive(Clone, Debug)]
pub struct PlanView {
    /// What the Plan says to do.
    pub verdict: &'static str,
    /// When it was kept.
    pub made: Moment,
    /// What is to be said with it.
    pub message: Option<String>,
    /// The sums that Sage must show, as name and amount.
    pub sums: Vec<(String, String)>,
    /// The calls: in words, and as method and path.
    pub calls: Vec<(String, String)>,
    /// The choices.
    pub rules: Vec<RuleView>,
    /// What was cut, coerced or found out.
    pub notes: Vec<String>,
}

/// A choice, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleView {
    /// What for.
    pub subject: String,
    /// What was chosen.
    pub chosen: String,
    /// By which rule.
    pub because: String,
    /// From what.
    pub from: String,
}

/// A try.
#[derive(Clone, Debug)]
pub struct AttemptView {
    /// 1, 2, 3 ...
    pub number: i32,
    /// How it ended.
    pub outcome: String,
    /// When it began.
    pub started: Moment,
    /// How long it took; none while it runs.
    pub took: Option<String>,
    /// What was said at its end.
    pub said: Option<String>,
    /// Its calls.
    pub steps: Vec<StepView>,
}

/// A call.
#[derive(Clone, Debug)]
pub struct StepView {
    /// What it was, in words.
    pub words: String,
    /// Method and path.
    pub line: String,
    /// HTTP status, or that there was no answer.
    pub status: String,
    /// Whether it went well.
    pub is_good: bool,
    /// How long it took.
    pub took: String,
    /// What came of it.
    pub summary: String,
    /// Ids, for support: name and value.
    pub ids: Vec<(&'static str, String)>,
    /// What was sent.
    pub request: Option<String>,
    /// What was answered.
    pub answer: Option<String>,
}
