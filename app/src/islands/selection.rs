//! What can be done with the runs that are chosen.

use leptos::prelude::*;

use super::runs_list::RowList;
use crate::components::erased;

/// A bar that is there while runs are chosen.
pub fn action_bar(list: RowList) -> impl IntoView {
    let count = Memo::new(move |_| list.chosen.with(Vec::len));
    let label = erased::text(move || match count.get() {
        1 => "1 run selected".to_owned(),
        many => format!("{many} runs selected"),
    });
    let retry = move |_| {
        for id in list.chosen.get_untracked() {
            list.retry(&id);
        }
        list.chosen.update(Vec::clear);
    };
    let all = move |_| {
        let ids = list.page.with_untracked(|page| page.rows.iter().map(|row| row.id.clone()).collect());
        list.chosen.set(ids);
    };
    view! {
        <div class="panel row sticky bottom-3 z-2 mt-3 gap-3 border-line-strong px-4 py-3 shadow-sheet" role="group" aria-label="Selected runs" hidden=erased::switch(move || count.get() == 0)>
            <p role="status">{label}</p>
            <button class="button button-main" type="button" on:click=erased::on(retry)>
                "Retry"
            </button>
            <button class="button" type="button" on:click=erased::on(all)>
                "Select all on this page"
            </button>
            <button
                class="button button-quiet"
                type="button"
                on:click=erased::on(move |_| list.chosen.update(Vec::clear))
            >
                "Clear"
            </button>
        </div>
    }
}
