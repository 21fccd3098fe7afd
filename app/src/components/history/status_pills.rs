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
                    {link.label} " " <span class="ml-1 font-normal text-ink-dim tabular-nums">{link.count}</span>
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

/// A filter that applies, or the way to do without all.
const CHIP: &str = "inline-block rounded-3xl border border-line-strong px-3 text-note leading-7 no-underline";

/// The filters that apply, each with a way to do without it.
pub fn filter_chips(frame: Memo<HistoryFrame>) -> impl IntoView {
    let chips = erased::dynamic(move || {
        let chips = frame.with(|frame| frame.chips.clone());
        let chips = chips.into_iter().map(|chip| {
            let label = format!("Remove the filter {}", chip.label);
            view! {
                <li>
                    <a class=CHIP href=chip.href aria-label=label>
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
        <ul class="flex flex-wrap gap-2" aria-label="Filters" hidden=is_plain>
            {chips}
            <li>
                <a class=CHIP href=HISTORY>
                    "Clear filters"
                </a>
            </li>
        </ul>
    }
}
