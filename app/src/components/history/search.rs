//! The search box of the history.

use leptos::prelude::*;
use views::{history::HistoryFrame, links::HISTORY};

/// One box that understands what people hold in their hands.
pub fn search_box(frame: &HistoryFrame) -> AnyView {
    let kept = frame.parts.iter().filter(|(name, _)| name != "q").cloned();
    let kept = kept.map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
    let search = frame.search.clone();
    view! {
        <form class="grid max-w-3xl flex-[1_1_24rem] grid-cols-[minmax(0,1fr)_auto] gap-x-2 gap-y-1" method="get" action=HISTORY role="search" autocomplete="off">
            <label class="sr-only" for="q">
                "Search"
            </label>
            <input
                class="min-h-9 text-body"
                id="q"
                name="q"
                type="search"
                value=search
                placeholder="Number, SI-27, e-mail, amount, request ID"
                aria-describedby="q-hint"
            />
            {kept.collect_view()}
            <button class="button min-h-9" type="submit">
                "Search"
            </button>
            <p class="field-hint col-span-full" id="q-hint">
                "Or use filters: " <code>"status:failed amount:>100"</code> ", "
                <code>"code:totals_mismatch"</code> ", " <code>"from:2026-03-01"</code>
            </p>
        </form>
    }
    .into_any()
}
