//! The ways to the neighbouring pages of a list.

use leptos::prelude::*;

/// Links to newer and older entries.
#[component]
pub fn Pager(
    /// Where the newest are, when the page shows others.
    #[prop(into)]
    newest: Signal<Option<String>>,
    /// Where the newer ones are, when there are any.
    #[prop(into)]
    newer: Signal<Option<String>>,
    /// Where the older ones are, when there are any.
    #[prop(into)]
    older: Signal<Option<String>>,
) -> impl IntoView {
    let any = move || newest.get().is_some() || newer.get().is_some() || older.get().is_some();
    view! {
        <nav class="pager" aria-label="Pages" hidden=move || !any()>
            {move || newest.get().map(|href| view! { <a class="button" href=href>"Newest"</a> })}
            {move || newer.get().map(|href| view! { <a class="button" href=href rel="prev">"Newer"</a> })}
            {move || older.get().map(|href| view! { <a class="button" href=href rel="next">"Older"</a> })}
        </nav>
    }
}
