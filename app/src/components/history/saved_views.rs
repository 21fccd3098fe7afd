//! The member's own views of the history.

use leptos::{prelude::*, server_fn::ServerFn};
use views::{history::HistoryFrame, links::HISTORY};

use crate::{
    api::runs::{ForgetView, SaveView},
    components::erased,
};

/// Links to the views, and the form that gives the list that is shown a name.
pub fn saved_views(frame: Memo<HistoryFrame>, views: Vec<(String, String)>) -> impl IntoView {
    let return_to = move || erased::text(move || frame.with(|frame| frame.href.clone()));
    let links = views.into_iter().map(|(name, saved)| {
        let href = format!("{HISTORY}?{saved}");
        let is_current = erased::flag(move || frame.with(|frame| frame.query == saved));
        view! {
            <li class="flex items-center">
                <a class="aria-[current]:font-strong" href=href aria-current=is_current>
                    {name.clone()}
                </a>
                <form method="post" action=ForgetView::PATH>
                    <input type="hidden" name="return_to" value=return_to() />
                    <button
                        class="button button-quiet"
                        name="name"
                        value=name.clone()
                        aria-label=format!("Delete the view {name}")
                    >
                        "\u{d7}"
                    </button>
                </form>
            </li>
        }
    });
    let links = links.collect_view();
    view! {
        <details>
            <summary class="min-h-8 px-2 py-1 text-note font-medium text-accent">"Views"</summary>
            <ul class="flex flex-wrap gap-x-4 gap-y-2">{links}</ul>
            <form class="save-view flex flex-wrap items-center gap-2 text-note" method="post" action=SaveView::PATH>
                <label for="view-name">"Save this view as"</label>
                <input class="text-body" id="view-name" name="name" required maxlength="60" autocomplete="off" />
                <input type="hidden" name="query" value=erased::text(move || frame.with(|frame| frame.query.clone())) />
                <button class="button">"Save"</button>
            </form>
        </details>
    }
}
