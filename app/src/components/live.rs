//! The live line: the server says that something has changed, and `public/live.js` brings the marked parts of the page up to date.

use leptos::prelude::*;

/// Shows whether changes arrive by themselves, and lets a person stop that. Hidden until the script has begun.
#[component]
pub fn LiveSwitch(
    /// The store's change number when the page was read.
    version: u64,
) -> impl IntoView {
    view! {
        <div class="live" data-line="off" data-version=version.to_string() hidden>
            <span class="live-dot" aria-hidden="true"></span>
            <span class="live-label" role="status"></span>
            <button class="button button-quiet" type="button" aria-pressed="false">
                "Pause"
            </button>
        </div>
        <script type="module" src="/live.js"></script>
    }
}
