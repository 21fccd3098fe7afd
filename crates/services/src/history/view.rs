//! The history at an address, with the ways to other parts of it.

use domain::run::RunStatus;
use messages::message;
use store::{Order, Seek, SortBy};
use views::{
    error::{AppError, ErrorCode},
    history::{FilterChip, HistoryFrame, HistoryView, StatusLink},
    links::{HISTORY, escape},
    runs::{RunsPage, SortLink, StatusCounts, event_label, status_label},
};

use super::{
    counts::counts,
    named,
    operator_actions::retry_href,
    page,
    query::{FilterFields, HistoryQuery, unknown_word},
    shops,
};
use crate::{Member, Services};

/// The runs of an address, and what stands around them.
pub async fn view(
    services: &Services,
    member: &Member,
    query: &HistoryQuery,
) -> Result<HistoryView, AppError> {
    let page = page(services, member, query).await?;
    let frame = frame(&page, query);
    Ok(HistoryView { page, frame })
}

/// The runs of an address, or where it cannot be understood no runs, and what is meant: never a list that was not asked for.
pub async fn answer(
    services: &Services,
    member: &Member,
    read: Result<HistoryQuery, AppError>,
) -> Result<HistoryView, AppError> {
    match read {
        Ok(query) => view(services, member, &query).await,
        Err(error) if error.code == ErrorCode::Invalid => refused(services, member, &error).await,
        Err(error) => Err(error),
    }
}

async fn refused(services: &Services, member: &Member, error: &AppError) -> Result<HistoryView, AppError> {
    let whole = HistoryQuery::default();
    let version = *services.store.changes_of(member.organisation()).borrow();
    let page = RunsPage {
        version,
        counts: counts(&*services.store, member.organisation(), &whole).await?,
        shops: named(&shops(services, member).await?),
        ..RunsPage::default()
    };
    // The address stays as it was asked for, and a page that follows the server asks for the same again.
    let asked: Vec<String> =
        error.echo.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    let frame = HistoryFrame {
        href: format!("{HISTORY}?{}", asked.join("&")),
        search: error.typed("q").unwrap_or_default().to_owned(),
        unknown_key: unknown_word(error),
        is_filtered: true,
        ..frame(&page, &whole)
    };
    Ok(HistoryView { page, frame })
}

fn frame(page: &RunsPage, query: &HistoryQuery) -> HistoryFrame {
    let is_first = query.seek == Seek::First;
    HistoryFrame {
        href: query.href(),
        query: query.text(),
        search: query.search.clone(),
        parts: query.parts().into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        statuses: statuses(&page.counts, query),
        chips: chips(page, query),
        sorts: sorts(query),
        first: (!is_first).then(|| query.at(Seek::First).href()),
        names: names(query.order),
        unknown_key: page.unknown_key.clone(),
        left_out: page.left_out.clone().map(|sentence| (sentence, with_all(query).href())),
        is_filtered: query.is_filtered(),
        retry_all: page.may_retry.then(|| retry_href(query)),
    }
}

fn statuses(counts: &StatusCounts, query: &HistoryQuery) -> Vec<StatusLink> {
    let current = (query.fields.status, query.fields.open);
    let all = query.with(|fields| (fields.status, fields.open, fields.cause) = (None, false, None));
    let open = query.with(|fields| (fields.status, fields.open) = (None, true));
    let link = |label: &str, count: &str, to: &HistoryQuery, status, is_current| StatusLink {
        label: label.to_owned(),
        href: to.href(),
        count: count.to_owned(),
        status,
        is_current,
    };
    let others = RunStatus::ALL.iter().map(|status| {
        let to = query.with(|fields| (fields.status, fields.open) = (Some(*status), false));
        let count = counts.of(*status).unwrap_or("0");
        link(status_label(*status), count, &to, Some(*status), current == (Some(*status), false))
    });
    [
        link("All", &counts.all, &all, None, current == (None, false)),
        link("Needs attention", &counts.open, &open, None, current.1),
    ]
    .into_iter()
    .chain(others)
    .collect()
}

/// Takes one filter away.
type Without = fn(&mut FilterFields);

/// The filters that apply, besides the status and the search, each with the way to the list without it.
fn chips(page: &RunsPage, query: &HistoryQuery) -> Vec<FilterChip> {
    let FilterFields { binding, event, code, cause, version, bulk, from, until, currency, customer, .. } =
        &query.fields;
    let shop = binding.map(|binding| {
        let id = binding.to_string();
        let name = page.shops.iter().find(|(own, _)| *own == id).map_or(id.clone(), |(_, name)| name.clone());
        format!("Shop: {name}")
    });
    let typed = query.parts();
    let amount = |name| typed.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone());
    let without = |change: Without| query.with(change).href();
    let all: Vec<(Option<String>, Without)> = vec![
        (event.map(|event| format!("Event: {}", event_label(event))), |fields| fields.event = None),
        (shop, |fields| fields.binding = None),
        (code.map(|code| format!("Reason: {}", code.as_str().replace('_', " "))), |fields| {
            fields.code = None;
        }),
        (cause.as_ref().map(|_| "One cause".to_owned()), |fields| fields.cause = None),
        (bulk.map(|_| "One bulk retry".to_owned()), |fields| fields.bulk = None),
        (version.map(|version| format!("Settings version {version}")), |fields| fields.version = None),
        (customer.as_ref().map(|name| format!("Customer: {name}")), |fields| fields.customer = None),
        (currency.map(|currency| format!("Currency: {currency}")), |fields| fields.currency = None),
        (from.map(|day| format!("From {}", day.format("%-d %b %Y"))), |fields| fields.from = None),
        (until.map(|day| format!("Until {}", day.format("%-d %b %Y"))), |fields| fields.until = None),
        (amount("min").map(|amount| format!("Amount from {amount}")), |fields| fields.at_least = None),
        (amount("max").map(|amount| format!("Amount to {amount}")), |fields| fields.at_most = None),
    ];
    let skips = query.with_switched_off.then(|| FilterChip {
        label: message!(history_list.with_left_out).to_owned(),
        href: HistoryQuery { with_switched_off: false, seek: Seek::First, ..query.clone() }.href(),
    });
    all.into_iter()
        .filter_map(|(label, change)| Some(FilterChip { label: label?, href: without(change) }))
        .chain(skips)
        .collect()
}

/// The same list with what it leaves out.
fn with_all(query: &HistoryQuery) -> HistoryQuery {
    HistoryQuery { with_switched_off: true, seek: Seek::First, ..query.clone() }
}

/// The ways to other orders, in the order of the table's columns.
fn sorts(query: &HistoryQuery) -> Vec<Option<SortLink>> {
    let columns = [None, Some(SortBy::Number), None, Some(SortBy::Amount), None, Some(SortBy::Received)];
    let link = |by: SortBy| SortLink {
        href: query.sorted_by(by).href(),
        descending: (query.order.by == by).then_some(query.order.descending),
    };
    columns.into_iter().map(|by| by.map(link)).collect()
}

fn names(order: Order) -> Vec<String> {
    let names = if order == Order::default() {
        ["Newest", "Newer", "Older"]
    } else if order == (Order { by: SortBy::Received, descending: false }) {
        ["Oldest", "Older", "Newer"]
    } else {
        ["First", "Previous", "Next"]
    };
    names.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_filter_that_applies_has_a_way_to_the_list_without_it() {
        let query =
            HistoryQuery::parse("q=quill&status=failed&event=invoice.paid&from=2026-03-01&min=100").unwrap();
        let frame = frame(&RunsPage::default(), &query);
        let chips: Vec<_> =
            frame.chips.iter().map(|chip| (chip.label.as_str(), chip.href.as_str())).collect();
        assert_eq!(
            chips,
            [
                ("Event: Invoice paid", "/dashboard/sync?q=quill&status=failed&from=2026-03-01&min=100"),
                ("From 1 Mar 2026", "/dashboard/sync?q=quill&status=failed&event=invoice.paid&min=100"),
                (
                    "Amount from 100",
                    "/dashboard/sync?q=quill&status=failed&event=invoice.paid&from=2026-03-01"
                ),
            ]
        );
    }

    #[test]
    fn what_a_list_leaves_out_is_said_and_shown_on_demand() {
        let left_out = Some("142 runs".to_owned());
        let page = RunsPage { left_out, ..RunsPage::default() };
        let (sentence, href) = frame(&page, &HistoryQuery::parse("min=1").unwrap()).left_out.unwrap();
        assert_eq!((sentence.as_str(), href.as_str()), ("142 runs", "/dashboard/sync?min=1&skips=1"));
        let chips = frame(&RunsPage::default(), &HistoryQuery::parse("min=1&skips=1").unwrap()).chips;
        assert_eq!(chips.last().map(|chip| chip.href.as_str()), Some("/dashboard/sync?min=1"));
    }

    #[test]
    fn exactly_one_status_is_the_one_that_is_shown() {
        for (text, label) in [("", "All"), ("open=1", "Needs attention"), ("status=failed", "Failed")] {
            let frame = frame(&RunsPage::default(), &HistoryQuery::parse(text).unwrap());
            let current: Vec<_> = frame.statuses.iter().filter(|link| link.is_current).collect();
            assert_eq!(current.len(), 1, "{text}");
            assert_eq!(current[0].label, label);
        }
    }
}
