//! Sync runs, as the list shows them.

use domain::run::{EventName, RunStatus};
use serde::{Deserialize, Serialize};

use super::format::Moment;
use crate::query::RunsQuery;

/// How many runs a page shows.
pub const PAGE_SIZE: u32 = 25;

/// A page of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunsPage {
    /// What was asked for.
    pub query: RunsQuery,
    /// The runs, newest first.
    pub rows: Vec<RunRow>,
    /// Where the newer ones are, when there are any.
    pub newer: Option<String>,
    /// Where the older ones are, when there are any.
    pub older: Option<String>,
    /// Whether the one who asks may retry.
    pub may_retry: bool,
    /// The store's change number when the page was read; live events name newer ones.
    pub version: u64,
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
    /// The document's number, or `#` and Magento's id while the number is not known.
    pub document: String,
    /// The customer's name.
    pub customer: Option<String>,
    /// What it comes to.
    pub amount: Option<Amount>,
    /// What people see in Sage, such as `SI-27`.
    pub sage_reference: Option<String>,
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
}

/// What a document comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Currency code.
    pub currency: String,
    /// Magento's total.
    pub magento: String,
    /// Sage's total, where it is another.
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

/// A status in a person's word.
pub const fn status_label(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Queued => "Queued",
        RunStatus::Running => "Running",
        RunStatus::Waiting => "Waiting",
        RunStatus::Retrying => "Retrying",
        RunStatus::Succeeded => "Succeeded",
        RunStatus::SkippedByPolicy => "Skipped",
        RunStatus::Failed => "Failed",
    }
}

/// An event in a person's words.
pub const fn event_label(event: EventName) -> &'static str {
    match event {
        EventName::InvoiceCreated => "Invoice created",
        EventName::InvoicePaid => "Invoice paid",
        EventName::CreditmemoCreated => "Credit memo created",
        EventName::CustomerUpserted => "Customer saved",
        EventName::ProductUpserted => "Product saved",
    }
}

/// What is shown while a person looks at the list: with `hold` (their pointer rests on it), the rows stay where they are and
/// only change in place. Returns the page to show and how many new rows wait.
pub fn settle(shown: Option<&RunsPage>, fresh: RunsPage, hold: bool) -> (RunsPage, usize) {
    let Some(shown) = shown.filter(|shown| hold && shown.query == fresh.query && !shown.rows.is_empty())
    else {
        return (fresh, 0);
    };
    let waiting = fresh.rows.iter().filter(|row| shown.rows.iter().all(|old| old.id != row.id)).count();
    if waiting == 0 && fresh.rows.len() >= shown.rows.len() {
        return (fresh, 0);
    }
    let rows =
        shown.rows.iter().map(|old| fresh.rows.iter().find(|row| row.id == old.id).unwrap_or(old).clone());
    let page =
        RunsPage { rows: rows.collect(), newer: shown.newer.clone(), older: shown.older.clone(), ..fresh };
    (page, waiting)
}

#[cfg(feature = "ssr")]
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

#[cfg(feature = "ssr")]
impl From<store::Run> for RunRow {
    fn from(run: store::Run) -> Self {
        let facts = run.facts;
        Self {
            id: run.id.to_string(),
            status: run.status,
            event: run.event,
            document: facts.increment_id.unwrap_or_else(|| format!("#{}", run.magento_id)),
            customer: facts.customer,
            amount: facts.amount_minor.map(|magento| Amount {
                currency: facts.currency.unwrap_or_default(),
                magento: super::format::amount(magento),
                sage: facts.sage_amount_minor.filter(|sage| *sage != magento).map(super::format::amount),
            }),
            sage_reference: facts.sage_reference,
            received: run.created_at.into(),
            next_try: (run.status == RunStatus::Retrying).then(|| run.next_at.into()),
            attempts: run.attempts,
            reason: run.code.map(|code| Reason::new(code, run.message)),
            can_retry: !matches!(run.status, RunStatus::Queued | RunStatus::Running),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, status: RunStatus) -> RunRow {
        RunRow {
            id: id.to_owned(),
            status,
            event: EventName::InvoicePaid,
            document: "000000001".to_owned(),
            customer: None,
            amount: None,
            sage_reference: None,
            received: Moment { iso: String::new(), day: String::new(), time: String::new() },
            next_try: None,
            attempts: 1,
            reason: None,
            can_retry: true,
        }
    }

    fn page(rows: &[(&str, RunStatus)]) -> RunsPage {
        RunsPage { rows: rows.iter().map(|(id, status)| row(id, *status)).collect(), ..RunsPage::default() }
    }

    use RunStatus::{Queued, Running, Succeeded};

    #[test]
    fn without_a_pointer_on_it_the_list_shows_what_is_new() {
        let (shown, waiting) =
            settle(Some(&page(&[("a", Running)])), page(&[("b", Queued), ("a", Succeeded)]), false);
        assert_eq!((shown, waiting), (page(&[("b", Queued), ("a", Succeeded)]), 0));
    }

    #[test]
    fn under_a_pointer_rows_change_in_place_and_new_ones_wait() {
        let old = page(&[("b", Queued), ("a", Running)]);
        let (shown, waiting) =
            settle(Some(&old), page(&[("d", Queued), ("c", Queued), ("b", Succeeded)]), true);
        assert_eq!((shown, waiting), (page(&[("b", Succeeded), ("a", Running)]), 2));
    }

    #[test]
    fn a_row_that_left_the_filter_stays_under_the_pointer() {
        let (shown, waiting) =
            settle(Some(&page(&[("b", Queued), ("a", Queued)])), page(&[("a", Queued)]), true);
        assert_eq!((shown.rows.len(), waiting), (2, 0));
    }

    #[test]
    fn another_view_of_the_list_is_shown_at_once() {
        let mut fresh = page(&[("z", Queued)]);
        fresh.query.status = Some(Queued);
        assert_eq!(settle(Some(&page(&[("a", Queued)])), fresh.clone(), true), (fresh, 0));
    }
}
