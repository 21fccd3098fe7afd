//! The list of runs: a table, and on a narrow screen a stack of cards made of the same rows.

use leptos::{either::Either, prelude::*};

use crate::components::{
    erased,
    status_chip::StatusChip,
    time::{Time, Zone},
};
use views::{
    run,
    runs::{Amount, Reason, RunRow, SortLink, event_label},
};

/// A column's name and its class.
const COLUMNS: [(&str, &str); 7] = [
    ("Status", ""),
    ("Document", ""),
    ("Customer", ""),
    ("Amount", "number"),
    ("In Sage", ""),
    ("Date", ""),
    ("Attempts", "number"),
];

/// What can be done with a row, for whoever may.
#[derive(Clone, Copy)]
pub struct RowActions {
    /// Whether its retry is on its way.
    pub is_busy: Signal<bool>,
    /// Whether it is chosen for an act on several.
    pub is_chosen: Signal<bool>,
    /// Chooses it, or no longer.
    pub choose: Callback<bool>,
}

/// Runs to read only.
#[component]
pub fn RunsTable(
    /// The rows.
    rows: Vec<RunRow>,
) -> impl IntoView {
    let groups = rows.into_iter().map(|row| run_group(Signal::stored(row), None, Signal::stored(false)));
    runs_frame(Signal::stored(Vec::new()), groups.collect_view().into_any())
}

/// The table around runs; `sorts` are the ways to other orders, column by column, where there are any.
pub fn runs_frame(sorts: Signal<Vec<Option<SortLink>>>, groups: AnyView) -> AnyView {
    let heads = erased::dynamic(move || {
        let sorts = sorts.get().into_iter().chain(std::iter::repeat(None));
        COLUMNS
            .into_iter()
            .zip(sorts)
            .map(|((name, class), sort)| head(name, class, sort))
            .collect_view()
            .into_any()
    });
    // The roles are what tables have by themselves, until the style sheet of narrow screens takes them away.
    view! {
        <table class="runs" role="table" aria-label="Sync runs" id="runs-table">
            <thead role="rowgroup">
                <tr role="row">
                    {heads} <th scope="col" role="columnheader">
                        <span class="sr-only">"Action"</span>
                    </th>
                </tr>
            </thead>
            {groups}
        </table>
    }
    .into_any()
}

fn head(name: &'static str, class: &'static str, sort: Option<SortLink>) -> impl IntoView {
    let direction = sort.as_ref().and_then(|sort| sort.descending);
    let aria = direction.map(|descending| if descending { "descending" } else { "ascending" });
    let arrow = direction.map(|descending| if descending { "\u{2193}" } else { "\u{2191}" });
    let label = match sort {
        Some(sort) => Either::Left(view! {
            <a class="sort text-inherit no-underline hover:text-accent hover:underline" href=sort.href>
                {name}
                <span class="ml-1 empty:ml-0" aria-hidden="true">
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

/// One run: its line, and beneath it the reason, if there is one. Each part follows the row by itself, so that the button keeps the focus.
/// Tab passes over a row that is skipped.
pub fn run_group(row: Signal<RunRow>, actions: Option<RowActions>, is_skipped: Signal<bool>) -> AnyView {
    let (choice, action) = actions.map(|actions| row_controls(row, actions, is_skipped)).unzip();
    let of = move |part: fn(&RunRow) -> Option<String>| {
        erased::dynamic(move || or_dash(row.with(part)).into_any())
    };
    let (id, href) = row.with_untracked(|row| (format!("run-{}", row.id), run::href(&row.id)));
    let shop = row.with_untracked(|row| row.shop.clone());
    let event = row.with_untracked(|row| event_label(row.event));
    view! {
        <tbody class="run" role="rowgroup" data-status=erased::text(move || row.with(|row| row.status.as_str().to_owned())) id=id>
            <tr class="run-line" role="row">
                <td class="max-desk:text-right max-desk:[grid-area:1/2]" role="cell">
                    {choice} {erased::dynamic(move || view! { <StatusChip status=row.with(|row| row.status) /> }.into_any())}
                </td>
                <th class="font-normal max-desk:[grid-area:1/1]" scope="row" role="rowheader">
                    <a class="run-number block font-semibold whitespace-nowrap" href=href tabindex=stop(is_skipped)>
                        {erased::text(move || row.with(|row| row.document.clone()))}
                    </a>
                    <span class="note block whitespace-nowrap">{event}</span>
                    {shop.map(|shop| view! { <span class="block text-small text-ink-dim">{shop}</span> })}
                </th>
                <td class="wrap-anywhere desk:max-w-72" role="cell" data-label="Customer">
                    {of(|row| row.customer.clone())}
                </td>
                <td class="run-amount number" role="cell" data-label="Amount">
                    {erased::dynamic(move || amount(row.with(|row| row.amount.clone())).into_any())}
                </td>
                <td class="run-sage whitespace-nowrap" role="cell" data-label="In Sage">
                    {of(|row| row.sage_reference.clone())}
                </td>
                <td class="run-received" role="cell" data-label="Date">
                    {erased::text(move || row.with(|row| row.date.clone().unwrap_or_default()))}
                    <span class="block text-small whitespace-nowrap text-ink-dim">
                        "Received " <Time at=row.with_untracked(|row| row.received.clone()) /> " " <Zone />
                    </span>
                </td>
                <td class="run-tries number" role="cell" data-label="Attempts">
                    {erased::text(move || row.with(|row| row.attempts.to_string()))}
                </td>
                <td class="run-action" role="cell">
                    {action}
                </td>
            </tr>
            {erased::dynamic(move || reason_line(row.get()).into_any())}
        </tbody>
    }
    .into_any()
}

/// Why the run is where it is, where there is anything to say.
fn reason_line(row: RunRow) -> Option<impl IntoView> {
    let next_try = row.next_try.map(|at| {
        view! { <p class="next-try">"Next attempt: " <Time at=at /> " " <Zone /></p> }
    });
    let resolved = row.is_resolved.then_some("A later run of this document succeeded. No action needed.");
    let reason = row.reason?;
    Some(view! {
        <tr class="run-reason" role="row">
            <td colspan="8" role="cell">
                {explanation(reason)} {resolved.map(|text| view! { <p class="text-good">{text}</p> })} {next_try}
            </td>
        </tr>
    })
}

/// Takes a row's control out of the way of Tab while the row is skipped.
fn stop(is_skipped: Signal<bool>) -> Signal<Option<String>> {
    erased::attribute(move || is_skipped.get().then(|| "-1".to_owned()))
}

/// The box that chooses a run, and the button that retries it: it submits the form that it is in, with the run's id as `run_id`.
fn row_controls(row: Signal<RunRow>, actions: RowActions, is_skipped: Signal<bool>) -> (AnyView, AnyView) {
    let RowActions { is_busy, is_chosen, choose } = actions;
    let called = move || row.with(|row| format!("{}, {}", row.document, event_label(row.event)));
    // Only where the browser has taken over: without it the box would do nothing.
    let choice = view! {
        <input
            class="run-choice mr-2"
            type="checkbox"
            tabindex=stop(is_skipped)
            aria-label=erased::text(move || format!("Select {}", called()))
            prop:checked=is_chosen
            on:change=erased::on(move |event| choose.run(event_target_checked(&event)))
        />
    };
    // Once there it stays: the focus of whoever has just pressed it would be lost.
    let is_offered =
        Memo::new(move |was: Option<&bool>| was == Some(&true) || row.with(|row| row.offers_retry));
    let retry = view! {
        <button
            class="button"
            type="submit"
            name="run_id"
            value=row.with_untracked(|row| row.id.clone())
            tabindex=stop(is_skipped)
            aria-label=erased::text(move || format!("Retry {}", called()))
            aria-disabled=erased::flag(move || !row.with(|row| row.can_retry))
            aria-busy=erased::flag(move || is_busy.get())
            hidden=erased::switch(move || !is_offered.get())
        >
            "Retry"
        </button>
    };
    (choice.into_any(), retry.into_any())
}

fn amount(amount: Option<Amount>) -> impl IntoView {
    let Some(Amount { magento, sage }) = amount else {
        return Either::Right(dash());
    };
    Either::Left(view! {
        <span class="font-medium whitespace-nowrap">{magento}</span>
        {sage.map(|sage| view! { <span class="differs block text-note font-semibold text-bad max-desk:w-full">"Sage has " {sage}</span> })}
    })
}

fn explanation(reason: Reason) -> impl IntoView {
    view! {
        <p>
            <span class="text-ink">{reason.sentence}</span>
            " "
            <span class="reason-action">{reason.action}</span>
            " "
            <span class="code">{reason.code}</span>
        </p>
        {reason.message.map(|message| view! { <p class="wrap-anywhere whitespace-pre-line text-ink">{message}</p> })}
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
        <span class="text-ink-dim" aria-hidden="true">
            "\u{2013}"
        </span>
        <span class="sr-only">"none"</span>
    }
}
