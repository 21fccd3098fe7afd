//! Sync runs, as the list shows them.

use domain::run::{EventName, RunStatus};
use messages::message;
use serde::{Deserialize, Serialize};

use super::{flash::Flash, format::Moment};

/// How many runs a page shows.
pub const PAGE_SIZE: u32 = 25;

/// A page of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunsPage {
    /// The runs, in the order asked for.
    pub rows: Vec<RunRow>,
    /// Where the page before this one is.
    pub previous: Option<String>,
    /// Where the page after this one is.
    pub next: Option<String>,
    /// The search was stopped before the page was full.
    pub stopped: bool,
    /// Whether the one who asks may retry.
    pub may_retry: bool,
    /// The store's change number when the page was read; live events name newer ones.
    pub version: u64,
    /// Name and query of the member's saved views.
    pub views: Vec<(String, String)>,
    /// Id and name of the organisation's shops.
    pub shops: Vec<(String, String)>,
    /// How many runs each filter of the status would show, with all other filters as they are.
    #[serde(default)]
    pub counts: StatusCounts,
    /// What is said of a key in the search box that is none.
    #[serde(default)]
    pub unknown_key: Option<String>,
    /// What is said of skipped runs that the list leaves out.
    #[serde(default)]
    pub left_out: Option<String>,
}

/// How many runs there are, as text: `34`, or `2,000+` where nobody counts further.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusCounts {
    /// In whatever status.
    pub all: String,
    /// Failed and not made good, or waiting.
    pub open: String,
    /// In each status.
    pub by_status: Vec<(RunStatus, String)>,
}

impl StatusCounts {
    /// How many are in a status.
    pub fn of(&self, status: RunStatus) -> Option<&str> {
        self.by_status.iter().find(|(one, _)| *one == status).map(|(_, count)| count.as_str())
    }
}

/// A run, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRow {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub status: RunStatus,
    /// What happened.
    pub event: EventName,
    /// The shop's name, where the organisation has several.
    pub shop: Option<String>,
    /// Whether a later run of the same document made it good.
    pub is_resolved: bool,
    /// The document's number, or `#` and Magento's id while the number is not known.
    pub document: String,
    /// The customer's name.
    pub customer: Option<String>,
    /// What it comes to.
    pub amount: Option<Amount>,
    /// What people see in Sage, such as `SI-27`.
    pub sage_reference: Option<String>,
    /// The day that the document bears in the books, for people.
    #[serde(default)]
    pub date: Option<String>,
    /// When it arrived.
    pub received: Moment,
    /// When it is tried again, while it is retrying.
    pub next_try: Option<Moment>,
    /// How many attempts have begun.
    pub attempts: i32,
    /// Why it was skipped, waits, failed or is tried again.
    pub reason: Option<Reason>,
    /// Whether it can be retried as it stands.
    pub can_retry: bool,
    /// Whether a retry is offered beside it: [`domain::remedy::offers_retry`].
    #[serde(default)]
    pub offers_retry: bool,
}

/// The way to the same list in the order of a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortLink {
    /// Where it is.
    pub href: String,
    /// Whether the list is in this order, and in which direction.
    pub descending: Option<bool>,
}

/// What came of a retry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetriedView {
    /// What is said of it.
    pub flash: Flash,
    /// The run as it is now.
    pub row: RunRow,
}

/// What a document comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Magento's total with its currency: [`super::format::money`].
    pub magento: String,
    /// Sage's total in the same currency, where it is another.
    pub sage: Option<String>,
}

/// Why a run is where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The code.
    pub code: String,
    /// What happened.
    pub sentence: String,
    /// What to do.
    pub action: String,
    /// This document's figures, and Sage's messages verbatim.
    pub message: Option<String>,
}

impl RunRow {
    /// The row as it will be when its retry is taken.
    #[must_use]
    pub fn queued(self) -> Self {
        Self { status: RunStatus::Queued, reason: None, next_try: None, can_retry: false, ..self }
    }

    /// Whether it came to a good end.
    pub fn is_good(&self) -> bool {
        self.status == RunStatus::Succeeded
    }

    /// What became of it, in a sentence; the document is called as it was when it was retried.
    pub fn end(&self, document: &str) -> String {
        match (self.status, &self.sage_reference) {
            (RunStatus::Succeeded, Some(reference)) => {
                message!(runs.end.in_sage_as, document = document, reference = reference)
            }
            (RunStatus::Succeeded, None) => message!(runs.end.in_sage, document = document),
            (RunStatus::SkippedByPolicy, _) => message!(runs.end.skipped, document = document),
            _ => message!(runs.end.failed, document = document),
        }
    }
}

/// A status in a person's word.
pub const fn status_label(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Queued => message!(run_status.queued),
        RunStatus::Running => message!(run_status.running),
        RunStatus::Waiting => message!(run_status.waiting),
        RunStatus::Retrying => message!(run_status.retrying),
        RunStatus::Succeeded => message!(run_status.succeeded),
        RunStatus::SkippedByPolicy => message!(run_status.skipped),
        RunStatus::Failed => message!(run_status.failed),
    }
}

/// An event in a person's words.
pub const fn event_label(event: EventName) -> &'static str {
    match event {
        EventName::InvoiceCreated => message!(events.invoice_created),
        EventName::InvoicePaid => message!(events.invoice_paid),
        EventName::CreditmemoCreated => message!(events.creditmemo_created),
        EventName::CustomerUpserted => message!(events.customer_saved),
        EventName::ProductUpserted => message!(events.product_saved),
    }
}

impl Reason {
    /// A code's sentences with what this document adds to them. Written out here: the browser does without the catalogue.
    pub fn new(code: domain::code::Code, message: Option<String>) -> Self {
        Self {
            code: code.as_str().to_owned(),
            sentence: code.sentence().to_owned(),
            action: code.action().to_owned(),
            message,
        }
    }
}

#[cfg(feature = "server")]
impl RunRow {
    /// A run of a shop in this status, whose books are kept in that currency.
    pub fn of(run: store::Run, binding: domain::run::BindingStatus, books: Option<&str>) -> Self {
        let reason = run.reason(binding);
        let next_try = run.status == RunStatus::Retrying && reason == run.code;
        let message = run.message.filter(|_| reason == run.code);
        let offers_retry = domain::remedy::offers_retry(run.status, reason);
        let facts = run.facts;
        let currency = facts.currency.unwrap_or_default();
        let money = |minor| super::format::money(&currency, minor, books);
        Self {
            id: run.id.to_string(),
            status: run.status,
            event: run.event,
            shop: None,
            is_resolved: run.resolved_by.is_some(),
            document: facts.increment_id.unwrap_or_else(|| format!("#{}", run.magento_id)),
            customer: facts.customer,
            amount: facts.amount_minor.map(|magento| Amount {
                magento: money(magento),
                sage: facts.sage_amount_minor.filter(|sage| *sage != magento).map(money),
            }),
            sage_reference: facts.sage_reference,
            date: facts.document_date.map(super::format::day),
            received: run.created_at.into(),
            next_try: next_try.then(|| run.next_at.into()),
            attempts: run.attempts,
            reason: reason.map(|code| Reason::new(code, message)),
            can_retry: !matches!(run.status, RunStatus::Queued | RunStatus::Running),
            offers_retry,
        }
    }
}
