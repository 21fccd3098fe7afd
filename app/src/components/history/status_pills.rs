//! One list of runs for each status, and the filters that apply.

use leptos::prelude::*;
use views::{history::HistoryFrame, links::HISTORY};

use crate::components::erased;

/// The lists of the statuses.
pub fn status_pills(frame: Memo<HistoryFrame>) -> impl IntoView {
    let links = erased::dynamic(move || {
        let links = frame.with(|frame| frame.statuses.clone());
        let links = links.into_iter().map(|link| {
            view! {
                <a
                    class="pill"
                    href=link.href
                    aria-current=link.is_current.then_some("true")
                    data-status=link.status.map(domain::run::RunStatus::as_str)
                >
                    {link.label} " " <span class="pill-count">{link.count}</span>
                </a>
            }
        });
        links.collect_view().into_any()
    });
    view! {
        <nav class="pills" aria-label="Status">
            {links}
        </nav>
    }
}

/// The filters that apply, each with a way to do without it.
pub fn filter_chips(frame: Memo<HistoryFrame>) -> impl IntoView {
    let chips = erased::dynamic(move || {
        let chips = frame.with(|frame| frame.chips.clone());
        let chips = chips.into_iter().map(|chip| {
            let label = format!("Remove the filter {}", chip.label);
            view! {
                <li>
                    <a class="filter-chip" href=chip.href aria-label=label>
                        {chip.label}
                        <span aria-hidden="true">" \u{d7}"</span>
                    </a>
                </li>
            }
        });
        chips.collect_view().into_any()
    });
    let is_plain = erased::switch(move || !frame.with(|frame| frame.is_filtered));
    view! {
        <ul class="filter-chips" aria-label="Filters" hidden=is_plain>
            {chips}
            <li>
                <a class="filter-chip" href=HISTORY>
                    "Clear filters"
                </a>
            </li>
        </ul>
    }
}
