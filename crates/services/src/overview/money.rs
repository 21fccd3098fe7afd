//! What was posted today, what waits, what failed, and since when.

use domain::{
    ids::RunId,
    run::{EventName, RunStatus},
};
use messages::message;
use store::{CauseGroup, Load, Takings};
use views::{
    format::Moment,
    links::HISTORY,
    overview::{FigureView, MoneyView, many},
    run,
};

use crate::{
    history::causes::received,
    purse::{AllBooks, Purse},
};

/// The figures of all shops.
pub(super) fn money<'a>(
    takings: &[Takings],
    groups: &[CauseGroup],
    loads: impl Iterator<Item = &'a Load>,
    books: &AllBooks,
) -> MoneyView {
    let due = loads.map(|load| load.backlog).sum();
    MoneyView {
        posted: posted(takings, books),
        waiting: open(groups, RunStatus::Waiting, books, due),
        failed: open(groups, RunStatus::Failed, books, 0),
        oldest: oldest(groups),
    }
}

fn posted(takings: &[Takings], books: &AllBooks) -> FigureView {
    let sum = |event: EventName| {
        let (mut purse, mut runs) = (Purse::default(), 0);
        for one in takings.iter().filter(|one| one.event == event) {
            purse.add(books, one.binding_id, one.currency.as_deref(), one.value_minor);
            runs += one.runs;
        }
        (purse, runs)
    };
    let (posted, invoices) = sum(EventName::InvoiceCreated);
    let (refunded, memos) = sum(EventName::CreditmemoCreated);
    let mut detail = many(invoices, "invoice", "invoices");
    if let Some(amount) = refunded.sums() {
        let memos = many(memos, "credit memo", "credit memos");
        detail = message!(overview.less_refunds, invoices = detail, memos = memos, amount = amount);
    }
    if posted.is_converted() || refunded.is_converted() {
        detail = message!(overview.at_sages_rates, amount = detail);
    }
    FigureView { value: posted.sums(), detail, href: format!("{HISTORY}?status=succeeded") }
}

/// `due` documents wait in the queue: what they come to is not known before they are fetched.
fn open(groups: &[CauseGroup], status: RunStatus, books: &AllBooks, due: i64) -> FigureView {
    let (mut purse, mut runs) = (Purse::default(), 0);
    for group in groups.iter().filter(|group| group.status == status) {
        purse.add(books, group.binding_id, group.currency.as_deref(), group.value_minor);
        runs += group.runs;
    }
    let mut detail = many(runs, "document", "documents");
    if due > 0 {
        detail = message!(overview.and_due, documents = detail, due = due);
    }
    if purse.is_converted() {
        detail = message!(overview.at_sages_rates, amount = detail);
    }
    FigureView { value: purse.sums(), detail, href: format!("{HISTORY}?open=1&status={status}") }
}

/// The oldest document that is open.
fn oldest(groups: &[CauseGroup]) -> Option<(Moment, String)> {
    let oldest: RunId = groups.iter().map(|group| group.oldest).min()?;
    Some((received(oldest)?.into(), run::href(&oldest.to_string())))
}
