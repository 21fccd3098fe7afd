//! The keys of the history. The list is one stop for Tab: within it j and k lead from row to row.

use leptos::{ev::KeyboardEvent, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::{focus, run_panel::RunPanel, runs_list::RowList};
use views::run::href;

/// Listens for as long as the list is shown.
pub fn listen(list: RowList, panel: RunPanel) {
    let first = list.page.with_untracked(|page| page.rows.first().map(|row| row.id.clone()));
    list.current.set(first);
    let heard = window_event_listener(leptos::ev::keydown, move |event| pressed((list, panel), &event));
    on_cleanup(move || heard.remove());
    let focused = window_event_listener(leptos::ev::focusin, move |event| {
        let element = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if let Some(id) = element.and_then(|element| row_of(&element)) {
            list.current.set(Some(id));
        }
    });
    on_cleanup(move || focused.remove());
}

/// The id of the run in whose row an element is.
fn row_of(element: &Element) -> Option<String> {
    let row = element.closest("tbody.run").ok().flatten()?;
    row.id().strip_prefix("run-").map(str::to_owned)
}

fn pressed((list, panel): (RowList, RunPanel), event: &KeyboardEvent) {
    // A dialog in front takes its own keys.
    if document().query_selector("dialog[open]").is_ok_and(|dialog| dialog.is_some()) {
        return;
    }
    if event.key() == "Escape" && !event.default_prevented() && panel.close() {
        let current = list.current.get_untracked();
        return current.iter().for_each(|id| focus::to(&number_of(id)));
    }
    if event.ctrl_key() || event.meta_key() || event.alt_key() || is_typing(event) {
        return;
    }
    // In the panel, the row is the one that was left for it.
    let here = document().active_element();
    let is_in_panel =
        here.as_ref().is_some_and(|here| here.closest("#run-panel").is_ok_and(|panel| panel.is_some()));
    let current = || list.current.get_untracked().filter(|_| is_in_panel);
    let focused = here.and_then(|here| row_of(&here)).or_else(current);
    match event.key().as_str() {
        "j" => step((list, panel), focused.as_deref(), 1, |_| true),
        "k" => step((list, panel), focused.as_deref(), -1, |_| true),
        // From failure to failure.
        "n" => step((list, panel), focused.as_deref(), 1, |status| status == "failed"),
        "p" => step((list, panel), focused.as_deref(), -1, |status| status == "failed"),
        "e" if RunPanel::has_room() => focused.iter().for_each(|id| panel.exclude(href(id))),
        "r" => focused.iter().for_each(|id| list.retry(id)),
        "x" => focused.iter().for_each(|id| {
            let is_chosen = list.chosen.with_untracked(|chosen| chosen.contains(id));
            list.choose(id, !is_chosen);
        }),
        "/" => focus::to("#q"),
        _ => return,
    }
    event.prevent_default();
}

/// Whether the key goes into a field.
fn is_typing(event: &KeyboardEvent) -> bool {
    let field = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    field.is_some_and(|field| {
        let is_box = field.get_attribute("type").as_deref() == Some("checkbox");
        !is_box && field.matches("input, select, textarea, dialog *").unwrap_or(false)
    })
}

/// Leads to the next row in a direction whose status is wanted; the panel follows.
fn step((list, panel): (RowList, RunPanel), from: Option<&str>, by: isize, is_wanted: fn(&str) -> bool) {
    let found = list.page.with_untracked(|page| {
        let here = from.and_then(|id| page.rows.iter().position(|row| row.id == id));
        let mut rest: Box<dyn Iterator<Item = _>> = match (here, by) {
            (Some(here), 1..) => Box::new(page.rows.iter().skip(here + 1)),
            (Some(here), _) => Box::new(page.rows.iter().take(here).rev()),
            (None, _) => Box::new(page.rows.iter()),
        };
        rest.find(|row| is_wanted(row.status.as_str())).map(|row| row.id.clone())
    });
    if let Some(id) = found {
        list.current.set(Some(id.clone()));
        focus::to(&number_of(&id));
        if panel.is_open() {
            panel.show(href(&id));
        }
    }
}

/// The link of a row.
fn number_of(id: &str) -> String {
    format!("[id=\"run-{id}\"] .run-number")
}
