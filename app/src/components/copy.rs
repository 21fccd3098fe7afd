//! A button that copies what is beside it; only where there is a script, because only a script can.

use leptos::prelude::*;

/// The button.
#[component]
pub fn Copy(
    /// The id of what is copied.
    of: &'static str,
    /// What it is, for people.
    what: &'static str,
) -> impl IntoView {
    view! {
        <button class="button button-quiet unscripted:hidden" type="button" data-copy=of aria-label=format!("Copy {what}")>
            "Copy"
        </button>
    }
}
