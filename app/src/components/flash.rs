//! What a page says once after something was done.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use leptos_router::hooks::use_query_map;

use views::flash::Flash;

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

/// What the address says was done, unless something went wrong since.
#[cfg(feature = "ssr")]
pub fn flash_unless(is_problem: bool) -> Signal<Option<Flash>> {
    let map = use_query_map();
    Signal::derive(move || map.with(|map| Flash::read(map.get_str("flash"))).filter(|_| !is_problem))
}
