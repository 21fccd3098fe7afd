//! The ways to the neighbouring pages of a list.

use leptos::prelude::*;

/// Links to the pages before and after.
#[component]
pub fn Pager(
    /// Where the list begins, when the page shows another part.
    first: Option<String>,
    /// Where the page before is, when there is one.
    previous: Option<String>,
    /// Where the page after is, when there is one.
    next: Option<String>,
    /// What the three are called.
    names: Vec<String>,
) -> impl IntoView {
    let hidden = first.is_none() && previous.is_none() && next.is_none();
    let mut names = names.into_iter();
    let (first_name, previous_name, next_name) = (names.next(), names.next(), names.next());
    let link = |href: Option<String>, name: Option<String>, rel| {
        href.map(|href| {
            view! {
                <a class="button" href=href rel=rel>
                    {name}
                </a>
            }
        })
    };
    view! {
        <nav class="flex flex-wrap gap-2" aria-label="Pages" hidden=hidden>
            {link(first, first_name, None)}
            {link(previous, previous_name, Some("prev"))}
            {link(next, next_name, Some("next"))}
        </nav>
    }
}
