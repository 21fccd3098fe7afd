//! The rows of the history with what belongs to them: what waits, what can be done with several, the ways to the neighbouring pages.

use leptos::{prelude::*, server_fn::ServerFn};
use views::{history::HistoryFrame, links::HISTORY};

use super::{live, row_keys, run_panel::RunPanel, runs_list::RowList, selection::action_bar};
use crate::{
    api::runs::RetryRun,
    components::{erased, pager::Pager},
};

/// The rows, with the ways to the neighbouring pages.
pub fn rows(list: RowList, panel: RunPanel, frame: Memo<HistoryFrame>) -> impl IntoView {
    let may_retry = list.page.with_untracked(|page| page.may_retry);
    Effect::new(move |_| {
        if let Some(version) = live::live().version.get() {
            list.hear(version);
        }
    });
    Effect::new(move |_| row_keys::listen(list, panel));
    let is_empty = Memo::new(move |_| list.page.with(|page| page.rows.is_empty() && !page.stopped));
    let is_part = move || frame.with(|frame| frame.is_filtered || frame.first.is_some());
    view! {
        {erased::dynamic(move || frame.with(|frame| frame.unknown_key.clone()).map(|text| view! { <p class="notice">{text}</p> }).into_any())}
        {erased::dynamic(move || frame.with(|frame| frame.left_out.clone()).map(left_out).into_any())}
        <p class="waiting text-note font-medium text-busy empty:hidden" role="status">
            {erased::text(move || list.waiting_sentence().unwrap_or_default())}
        </p>
        {erased::dynamic(move || list.page.with(|page| page.stopped).then(|| stopped(frame)).into_any())}
        {erased::dynamic(move || is_empty.get().then(|| nothing(is_part())).into_any())}
            <form method="post" action=RetryRun::PATH hidden=erased::switch(move || is_empty.get())>
                <input type="hidden" name="return_to" value=erased::text(move || frame.with(|frame| frame.href.clone())) />
                <div
                    class="desk:panel desk:shadow-sheet"
                    on:pointerenter=move |_| list.is_held.set(true)
                    on:pointerleave=move |_| list.let_go()
                >
                    {list.table(frame, may_retry)}
                </div>
            </form>
        {may_retry.then(|| action_bar(list))}
        {erased::dynamic(move || {
            let (first, names) = frame.with(|frame| (frame.first.clone(), frame.names.clone()));
            let (previous, next) = list.page.with(|page| (page.previous.clone(), page.next.clone()));
            view! { <Pager first previous next names /> }.into_any()
        })}
    }
}

fn left_out((sentence, href): (String, String)) -> impl IntoView {
    view! {
        <p class="notice">
            {sentence} " " <a href=href>"Show them"</a>
        </p>
    }
}

fn stopped(frame: Memo<HistoryFrame>) -> impl IntoView {
    let older = frame.with(|frame| frame.names.last().cloned().unwrap_or_default());
    view! {
        <p class="notice">
            "Search stopped early because few runs match. Choose \u{201c}" {older}
            "\u{201d} to continue, or narrow it by date or shop."
        </p>
    }
}

/// The empty list.
fn nothing(is_part: bool) -> AnyView {
    if is_part {
        return view! {
            <div class="empty">
                <p class="empty-title">"No matching runs"</p>
                <p>"No runs on this page match these filters."</p>
                <a class="button" href=HISTORY>
                    "Show all runs"
                </a>
            </div>
        }
        .into_any();
    }
    view! {
        <div class="empty">
            <p class="empty-title">"Nothing synced yet"</p>
            <p>"The first invoice from your shop appears here within moments."</p>
        </div>
    }
    .into_any()
}
