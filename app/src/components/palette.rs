//! The command palette: where one can go from anywhere. It is closed until Ctrl-K is pressed, and the browser moves what is in it.

use leptos::prelude::*;
use views::links::{HISTORY, HOME};

const PLACES: [(&str, &str); 10] = [
    ("Overview", HOME),
    ("Sync runs", HISTORY),
    ("Failed runs", "/dashboard/sync?status=failed"),
    ("Failures by cause", "/dashboard/sync/causes"),
    ("Bulk retries", "/dashboard/sync/retries"),
    ("Shops and their settings", "/dashboard/bindings"),
    ("People", "/dashboard/members"),
    ("Notifications", "/dashboard/account/alerts"),
    ("Your account", "/dashboard/account"),
    // The last one looks for runs.
    ("Find runs", HISTORY),
];

/// The palette.
#[component]
pub fn Palette() -> impl IntoView {
    let last = PLACES.len() - 1;
    let places = PLACES.into_iter().enumerate().map(|(place, (name, href))| {
        view! {
            <li hidden=place == last>
                <a class="block rounded-control px-3 py-1 no-underline hover:bg-accent-tint focus-visible:bg-accent-tint in-[li:first-child]:bg-accent-tint" href=href>{name}</a>
            </li>
        }
    });
    view! {
        <dialog class="palette" id="palette" aria-label="Go to">
            <form>
                <input
                    class="min-h-0 w-full border-0 px-0"
                    id="palette-search"
                    type="search"
                    aria-label="Go to a page, or find a run"
                    placeholder="A page, a number, a customer"
                    autocomplete="off"
                />
            </form>
            <ul class="my-3 grid gap-1">{places.collect_view()}</ul>
        </dialog>
    }
    .into_any()
}
