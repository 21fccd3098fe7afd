//! The keys of the desk, for whoever presses `?`.

use leptos::prelude::*;

const KEYS: [(&str, &str); 10] = [
    ("Ctrl K", "Go to a page, or find a run"),
    ("/", "Search"),
    ("j, k", "Next run, previous run"),
    ("n, p", "Next failed run, previous failed run"),
    ("Enter", "Open the run beside the list; again to go into it"),
    ("Esc", "Close the run"),
    ("x", "Select the run"),
    ("r", "Retry the run"),
    ("e", "Exclude the document"),
    ("?", "This list"),
];

/// The list, closed until it is asked for.
#[component]
pub fn Keys() -> impl IntoView {
    let keys = KEYS.map(|(key, what)| {
        view! {
            <div class="grid grid-cols-[7rem_1fr]">
                <dt>
                    <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
            </div>
        }
    });
    view! {
        <dialog class="palette" id="keys" aria-labelledby="keys-title">
            <h2 id="keys-title">"Keyboard shortcuts"</h2>
            <dl class="my-3 grid gap-1">{keys.collect_view()}</dl>
            <form method="dialog">
                <button class="button">"Close"</button>
            </form>
        </dialog>
    }
    .into_any()
}
