//! The command palette: Ctrl-K.

use leptos::{
    ev::{KeyboardEvent, SubmitEvent},
    html::Dialog,
    prelude::*,
};
use views::links::{HISTORY, HOME, escape};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDialogElement};

use crate::components::boxed;

/// Where the palette leads: a name and an address.
const PLACES: [(&str, &str); 9] = [
    ("Overview", HOME),
    ("Sync runs", HISTORY),
    ("Failed runs", "/dashboard/sync?status=failed"),
    ("Failures by cause", "/dashboard/sync/causes"),
    ("Bulk retries", "/dashboard/sync/retries"),
    ("Shops and their settings", "/dashboard/bindings"),
    ("People", "/dashboard/members"),
    ("Notifications", "/dashboard/account/alerts"),
    ("Your account", "/dashboard/account"),
];

/// The palette, closed until its keys are pressed; it opens the list of keys as well, which the frame holds.
#[island]
pub fn Palette() -> impl IntoView {
    let palette = NodeRef::<Dialog>::new();
    let typed = RwSignal::new(String::new());
    Effect::new(move |_| {
        let heard = window_event_listener(leptos::ev::keydown, move |event| {
            let is_palette = (event.ctrl_key() || event.meta_key()) && event.key() == "k";
            let asked = match (is_palette, event.key().as_str()) {
                (true, _) => palette.get_untracked(),
                (false, "?") if !is_typing(&event) => document()
                    .get_element_by_id("keys")
                    .and_then(|keys| keys.dyn_into::<HtmlDialogElement>().ok()),
                _ => None,
            };
            if let Some(dialog) = asked.filter(|dialog| !dialog.open()) {
                event.prevent_default();
                typed.set(String::new());
                // A dialog of the document that is closed can be shown.
                drop(dialog.show_modal());
            }
        });
        on_cleanup(move || heard.remove());
    });
    let found = Memo::new(move |_| found(&typed.get()));
    let go = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some((_, href)) = found.with_untracked(|found| found.first().cloned()) {
            // The browser shows itself where it may not go.
            drop(location().set_href(&href));
        }
    };
    let places = boxed::view(move || {
        let places = found.get().into_iter().map(|(name, href)| view! { <li><a href=href>{name}</a></li> });
        places.collect_view().into_any()
    });
    view! {
        <dialog class="palette" node_ref=palette aria-label="Go to">
            <form on:submit=go>
                <input
                    type="search"
                    aria-label="Go to a page, or find a run"
                    placeholder="A page, a number, a customer"
                    autocomplete="off"
                    prop:value=typed
                    on:input=move |event| typed.set(event_target_value(&event))
                />
            </form>
            <ul>{places}</ul>
        </dialog>
    }
}

/// The places whose names hold what was typed; a run is always looked for as well.
fn found(typed: &str) -> Vec<(String, String)> {
    let typed = typed.trim();
    let lower = typed.to_lowercase();
    let places = PLACES.iter().filter(|(name, _)| name.to_lowercase().contains(&lower));
    let places = places.map(|(name, href)| ((*name).to_owned(), (*href).to_owned()));
    let runs = (!typed.is_empty())
        .then(|| (format!("Find runs: {typed}"), format!("{HISTORY}?q={}", escape(typed))));
    places.chain(runs).collect()
}

fn is_typing(event: &KeyboardEvent) -> bool {
    let field = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    field.is_some_and(|field| field.matches("input:not([type=checkbox]), select, textarea").unwrap_or(false))
}
