//! The table of causes: each with what it is about, what to do, and how much it holds up.

use domain::run::RunStatus;
use leptos::prelude::*;
use views::{causes::CauseView, format::grouped};

use super::{erased, status_chip::StatusChip};

/// What can be done with a cause, for whoever may.
#[derive(Clone, Copy)]
pub struct Acts {
    /// Whether its retry waits for a second word.
    pub is_asked: Signal<bool>,
    /// Asks for that word, or takes the question back.
    pub ask: Callback<bool>,
    /// Retries it.
    pub retry: Callback<()>,
}

/// The table around causes.
pub fn frame(groups: AnyView) -> impl IntoView {
    view! {
        <table class="runs causes" role="table" aria-label="Failures by cause">
            <thead role="rowgroup">
                <tr role="row">
                    <th scope="col" role="columnheader">
                        "Status"
                    </th>
                    <th scope="col" role="columnheader">
                        "Cause"
                    </th>
                    <th scope="col" role="columnheader">
                        "Shop"
                    </th>
                    <th scope="col" role="columnheader" class="number">
                        "Documents"
                    </th>
                    <th scope="col" role="columnheader" class="number">
                        "Total"
                    </th>
                    <th scope="col" role="columnheader">
                        <span class="sr-only">"Action"</span>
                    </th>
                </tr>
            </thead>
            {groups}
        </table>
    }
}

/// A cause.
pub fn row(group: Signal<CauseView>, acts: Option<Acts>) -> AnyView {
    let first = group.get_untracked();
    let id = format!("cause-{}", first.id);
    let (status, is_failed) = (first.status, first.status == RunStatus::Failed);
    let settings = first.settings.clone().map(|href| {
        view! {
            <a class="button" href=href>
                "Open the setting"
            </a>
        }
    });
    let retry = acts.filter(|_| is_failed).map(|acts| retry(group, acts));
    view! {
        <tbody class="run cause" role="rowgroup" id=id data-status=status.as_str()>
            <tr class="run-line" role="row">
                <td class="max-desk:text-right max-desk:[grid-area:1/2]" role="cell">
                    <StatusChip status />
                </td>
                <th class="max-w-lg max-desk:[grid-area:1/1] font-semibold" scope="row" role="rowheader">
                    {first.sentence}
                </th>
                <td role="cell" data-label="Shop">
                    {first.shop}
                </td>
                <td class="number" role="cell" data-label="Documents">
                    <a href=first.href>{erased::text(move || group.with(documents))}</a>
                </td>
                <td class="number" role="cell" data-label="Total">
                    {erased::text(move || group.with(|group| group.value.clone().unwrap_or_default()))}
                </td>
                <td class="run-action" role="cell">
                    <div class="cause-acts inline-flex flex-wrap justify-end gap-2">{settings} {retry}</div>
                </td>
            </tr>
            <tr class="run-reason" role="row">
                <td colspan="6" role="cell">
                    <p>
                        <span class="reason-action">{first.action}</span>
                        " "
                        <span class="code">{first.code}</span>
                    </p>
                    {first.example.map(|example| view! { <p class="wrap-anywhere whitespace-pre-line text-ink">{example}</p> })}
                </td>
            </tr>
        </tbody>
    }
    .into_any()
}

/// Asks once more where the browser has taken over; without it the link leads to a page that asks.
fn retry(group: Signal<CauseView>, acts: Acts) -> impl IntoView {
    let Acts { is_asked, ask, retry } = acts;
    let href = group.with_untracked(|group| group.retry.clone());
    let label = move || format!("Retry {}", group.with(documents));
    view! {
        <a
            class="button"
            href=href
            hidden=erased::switch(move || is_asked.get())
            on:click=move |event| {
                // Whoever wants the page elsewhere gets it.
                if event.ctrl_key() || event.meta_key() || event.shift_key() {
                    return;
                }
                event.prevent_default();
                ask.run(true);
            }
        >
            {erased::text(move || format!("{}\u{2026}", label()))}
        </a>
        <span class="cause-acts inline-flex flex-wrap justify-end gap-2" hidden=erased::switch(move || !is_asked.get())>
            <button class="button button-main" type="button" on:click=move |_| retry.run(())>
                {erased::text(label)}
            </button>
            <button class="button button-quiet" type="button" on:click=move |_| ask.run(false)>
                "Cancel"
            </button>
        </span>
    }
}

fn documents(group: &CauseView) -> String {
    match group.count {
        1 => "1 document".to_owned(),
        many => format!("{} documents", grouped(many.unsigned_abs())),
    }
}
