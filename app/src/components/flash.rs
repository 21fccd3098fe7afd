//! What a page says once after something was done.

use leptos::prelude::*;

use crate::query::Flash;

/// A live region for flashes. It is always there, because screen readers announce what changes within one.
#[component]
pub fn FlashLine(
    /// What to say.
    #[prop(into)]
    flash: Signal<Option<Flash>>,
) -> impl IntoView {
    let sentence = move || flash.get().map(Flash::sentence);
    let tone = move || flash.get().map(|flash| if flash.is_good() { "good" } else { "bad" });
    view! {
        <p class="flash" role="status" data-tone=tone>
            {sentence}
        </p>
    }
}
