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
            <li class="view">
                <a href=href aria-current=is_current>
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
        <details class="views">
            <summary>"Views"</summary>
            <ul>{links}</ul>
            <form class="save-view" method="post" action=SaveView::PATH>
                <label for="view-name">"Save this view as"</label>
                <input id="view-name" name="name" required maxlength="60" autocomplete="off" />
                <input type="hidden" name="query" value=erased::text(move || frame.with(|frame| frame.query.clone())) />
                <button class="button">"Save"</button>
            </form>
        </details>
    }
}
