//! The list of runs: a table, and on a narrow screen a stack of cards made of the same rows.

use leptos::{either::Either, prelude::*};

use crate::{
    components::{status_chip::StatusChip, time::Time},
    screen::runs::{Amount, Reason, RunRow, event_label},
};

const COLUMNS: [(&str, &str); 7] = [
    ("Status", ""),
    ("Document", ""),
    ("Customer", ""),
    ("Amount", "number"),
    ("In Sage", ""),
    ("Received (UTC)", ""),
    ("Tries", "number"),
];

/// The runs of a page. Rows are kept by their id and change in place, so that the focus and the place under the pointer stay.
/// Its buttons submit the form that it stands in, with the run's id as `run_id`.
#[component]
pub fn RunsTable(
    /// The rows.
    #[prop(into)]
    rows: Signal<Vec<RunRow>>,
    /// Whether the one who looks may retry.
    #[prop(into)]
    may_retry: Signal<bool>,
) -> impl IntoView {
    let heads = COLUMNS.map(|(name, class)| {
        view! {
            <th scope="col" role="columnheader" class=class>
                {name}
            </th>
        }
    });
    // The roles are what tables have by themselves, until the style sheet of narrow screens takes them away.
    view! {
        <table class="runs" role="table" aria-label="Sync runs, newest first">
            <thead role="rowgroup">
                <tr role="row">
                    {heads.collect_view()} <th scope="col" role="columnheader">
                        <span class="visually-hidden">"Action"</span>
                    </th>
                </tr>
            </thead>
            <For each=move || rows.get() key=|row| row.id.clone() let(row)>
                <RunGroup row rows may_retry />
            </For>
        </table>
    }
}

/// One run: its line, and beneath it the reason, if there is one.
#[component]
fn RunGroup(row: RunRow, rows: Signal<Vec<RunRow>>, may_retry: Signal<bool>) -> impl IntoView {
    let now = Memo::new(move |_| {
        rows.with(|rows| rows.iter().find(|other| other.id == row.id).cloned()).unwrap_or_else(|| row.clone())
    });
    move || {
        let row = now.get();
        let retry = may_retry.get().then(|| retry_button(&row));
        view! {
            <tbody class="run" role="rowgroup" data-status=row.status.as_str()>
                <tr class="run-line" role="row">
                    <td class="run-status" role="cell">
                        <StatusChip status=row.status />
                    </td>
                    <th class="run-document" scope="row" role="rowheader">
                        <span class="run-number">{row.document}</span>
                        <span class="run-event">{event_label(row.event)}</span>
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
                    <td class="run-tries number" role="cell" data-label="Tries">
                        {row.attempts}
                    </td>
                    <td class="run-action" role="cell">
                        {retry}
                    </td>
                </tr>
                {row
                    .reason
                    .map(|reason| {
                        view! {
                            <tr class="run-reason" role="row">
                                <td colspan="8" role="cell">
                                    {explanation(reason)}
                                    {row
                                        .next_try
                                        .map(|at| {
                                            view! {
                                                <p class="next-try">"Next try: " <Time at=at /> " UTC"</p>
                                            }
                                        })}
                                </td>
                            </tr>
                        }
                    })}
            </tbody>
        }
    }
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
