//! The list of runs: a table, and on a narrow screen a stack of cards made of the same rows.

use leptos::{either::Either, prelude::*};
use store::SortBy;

use crate::components::{status_chip::StatusChip, time::Time};
use services::history::query::HistoryQuery;
use views::{
    run,
    runs::{Amount, Reason, RunRow, event_label},
};

/// A column's name, its class, and the order it sorts by, where it does.
const COLUMNS: [(&str, &str, Option<SortBy>); 7] = [
    ("Status", "", None),
    ("Document", "", Some(SortBy::Number)),
    ("Customer", "", None),
    ("Amount", "number", Some(SortBy::Amount)),
    ("In Sage", "", None),
    ("Received (UTC)", "", Some(SortBy::Received)),
    ("Attempts", "number", None),
];

/// The runs of a page. Each has its id, so that the live page keeps the focus and the place under the pointer. Its buttons submit the
/// form that it stands in, with the run's id as `run_id`.
#[component]
pub fn RunsTable(
    /// The rows.
    rows: Vec<RunRow>,
    /// Whether the one who looks may retry.
    may_retry: bool,
    /// The list that it is a page of, where its columns sort.
    #[prop(optional_no_strip)]
    query: Option<HistoryQuery>,
) -> impl IntoView {
    let heads = match query {
        Some(query) => COLUMNS.map(|(name, class, by)| head(name, class, by.map(|by| (&query, by)))),
        None => COLUMNS.map(|(name, class, _)| head(name, class, None)),
    };
    let groups = rows.into_iter().map(|row| group(row, may_retry)).collect_view();
    // The roles are what tables have by themselves, until the style sheet of narrow screens takes them away.
    view! {
        <table class="runs" role="table" aria-label="Sync runs" id="runs-table">
            <thead role="rowgroup">
                <tr role="row">
                    {heads.collect_view()} <th scope="col" role="columnheader">
                        <span class="visually-hidden">"Action"</span>
                    </th>
                </tr>
            </thead>
            {groups}
        </table>
    }
}

fn head(
    name: &'static str,
    class: &'static str,
    sorted: Option<(&HistoryQuery, SortBy)>,
) -> impl IntoView + use<> {
    let direction =
        sorted.filter(|(query, by)| query.order.by == *by).map(|(query, _)| query.order.descending);
    let aria = direction.map(|descending| if descending { "descending" } else { "ascending" });
    let arrow = direction.map(|descending| if descending { "\u{2193}" } else { "\u{2191}" });
    let label = match sorted {
        Some((query, by)) => Either::Left(view! {
            <a class="sort" href=query.sorted_by(by).href()>
                {name}
                <span class="sort-arrow" aria-hidden="true">
                    {arrow}
                </span>
            </a>
        }),
        None => Either::Right(name),
    };
    view! {
        <th scope="col" role="columnheader" class=class aria-sort=aria>
            {label}
        </th>
    }
}

/// One run: its line, and beneath it the reason, if there is one.
fn group(row: RunRow, may_retry: bool) -> AnyView {
    let retry = may_retry.then(|| retry_button(&row));
    let next_try = row.next_try.map(|at| {
        view! { <p class="next-try">"Next attempt: " <Time at=at /> " UTC"</p> }
    });
    let resolved = row.is_resolved.then_some("A later run of this document succeeded. No action needed.");
    let reason = row.reason.map(|reason| {
        view! {
            <tr class="run-reason" role="row">
                <td colspan="8" role="cell">
                    {explanation(reason)} {resolved.map(|text| view! { <p class="run-resolved">{text}</p> })} {next_try}
                </td>
            </tr>
        }
    });
    view! {
        <tbody class="run" role="rowgroup" data-status=row.status.as_str() id=format!("run-{}", row.id)>
            <tr class="run-line" role="row">
                <td class="run-status" role="cell">
                    <StatusChip status=row.status />
                </td>
                <th class="run-document" scope="row" role="rowheader">
                    <a class="run-number" href=run::href(&row.id)>
                        {row.document}
                    </a>
                    <span class="run-event">{event_label(row.event)}</span>
                    {row.shop.map(|shop| view! { <span class="run-shop">{shop}</span> })}
                </th>
                <td class="run-customer" role="cell" data-label="Customer">
                    {or_dash(row.customer)}
                </td>
                <td class="run-amount number" role="cell" data-label="Amount">
                    {amount(row.amount)}
                </td>
                <td class="run-sage" role="cell" data-label="In Sage">
                    {or_dash(row.sage_reference)}
                </td>
                <td class="run-received" role="cell" data-label="Received (UTC)">
                    <Time at=row.received />
                </td>
                <td class="run-tries number" role="cell" data-label="Attempts">
                    {row.attempts}
                </td>
                <td class="run-action" role="cell">
                    {retry}
                </td>
            </tr>
            {reason}
        </tbody>
    }
    .into_any()
}

fn retry_button(row: &RunRow) -> impl IntoView + use<> {
    let label = format!("Retry {}, {}", row.document, event_label(row.event));
    // Not taken away while the run is queued or at work: the focus of who has just pressed it would be lost.
    view! {
        <button
            class="button"
            type="submit"
            name="run_id"
            value=row.id.clone()
            aria-label=label
            aria-disabled=(!row.can_retry).then_some("true")
        >
            "Retry"
        </button>
    }
}

fn amount(amount: Option<Amount>) -> impl IntoView {
    let Some(Amount { currency, magento, sage }) = amount else {
        return Either::Right(dash());
    };
    Either::Left(view! {
        <span class="money">
            <span class="currency">{currency}</span>
            " "
            {magento}
        </span>
        {sage.map(|sage| view! { <span class="differs">"Sage has " {sage}</span> })}
    })
}

fn explanation(reason: Reason) -> impl IntoView {
    view! {
        <p>
            <span class="reason-sentence">{reason.sentence}</span>
            " "
            <span class="reason-action">{reason.action}</span>
            " "
            <span class="code">{reason.code}</span>
        </p>
        {reason.message.map(|message| view! { <p class="reason-message">{message}</p> })}
    }
}

fn or_dash(text: Option<String>) -> impl IntoView {
    match text.filter(|text| !text.is_empty()) {
        Some(text) => Either::Left(text),
        None => Either::Right(dash()),
    }
}

/// Nothing, visibly so.
fn dash() -> impl IntoView {
    view! {
        <span class="none" aria-hidden="true">
            "\u{2013}"
        </span>
        <span class="visually-hidden">"none"</span>
    }
}
