//! The frame's own keys: the command palette (Ctrl-K), the list of keys (`?`), and the colours without another page. All of it is in
//! the page already and is only moved here, so that it costs the bundle next to nothing.

use leptos::{
    ev::{Event, KeyboardEvent, SubmitEvent},
    prelude::*,
};
use views::links::{HISTORY, escape};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlAnchorElement, HtmlButtonElement, HtmlDialogElement, HtmlDocument, HtmlElement};

use super::focus;
use crate::theme::{self, Theme};

/// Opens the palette or the list of keys.
pub fn pressed(event: &KeyboardEvent) {
    if let Some(by) = step_of(event) {
        return walk(event, by);
    }
    let is_palette = (event.ctrl_key() || event.meta_key()) && event.key() == "k";
    let id = if is_palette {
        "palette"
    } else if event.key() == "?" && !is_typing(event) {
        "keys"
    } else {
        return;
    };
    let dialog =
        document().get_element_by_id(id).and_then(|dialog| dialog.dyn_into::<HtmlDialogElement>().ok());
    if let Some(dialog) = dialog.filter(|dialog| !dialog.open()) {
        event.prevent_default();
        // A dialog of the document that is closed can be shown.
        drop(dialog.show_modal());
    }
}

/// Where an arrow leads within the palette.
fn step_of(event: &KeyboardEvent) -> Option<isize> {
    let here = event.target()?.dyn_into::<Element>().ok()?;
    here.closest("#palette").ok().flatten()?;
    match event.key().as_str() {
        "ArrowDown" => Some(1),
        "ArrowUp" => Some(-1),
        _ => None,
    }
}

/// Leads the focus from the field to the places and back.
fn walk(event: &KeyboardEvent, by: isize) {
    event.prevent_default();
    let shown: Vec<_> = places().into_iter().filter(is_shown).collect();
    let here = document().active_element();
    let place = shown.iter().position(|link| Some(link.as_ref()) == here.as_ref());
    let next = match place {
        Some(place) => place.checked_add_signed(by),
        None => (by > 0).then_some(0),
    };
    match next.and_then(|next| shown.get(next)) {
        Some(link) => drop(link.focus()),
        None => focus::to("#palette-search"),
    }
}

fn is_shown(link: &HtmlAnchorElement) -> bool {
    link.closest("[hidden]").is_ok_and(|hidden| hidden.is_none())
}

fn is_typing(event: &KeyboardEvent) -> bool {
    let field = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    field.is_some_and(|field| field.matches("input:not([type=checkbox]), select, textarea").unwrap_or(false))
}

/// The places of the palette; the last one looks for runs.
fn places() -> Vec<HtmlAnchorElement> {
    let Ok(found) = document().query_selector_all("#palette li a") else { return Vec::new() };
    (0..found.length()).filter_map(|place| found.item(place)?.dyn_into().ok()).collect()
}

/// Leaves the places whose names hold what was typed; runs are always looked for as well.
pub fn typed(event: &Event) {
    let field = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
    if field.is_none_or(|field| field.id() != "palette-search") {
        return;
    }
    let typed = event_target_value(event);
    let typed = typed.trim();
    let places = places();
    for (place, link) in places.iter().enumerate() {
        let is_last = place + 1 == places.len();
        let name = link.text_content().unwrap_or_default();
        if is_last {
            link.set_href(&format!("{HISTORY}?q={}", escape(typed)));
        }
        let is_found =
            if is_last { !typed.is_empty() } else { name.to_lowercase().contains(&typed.to_lowercase()) };
        if let Some(item) = link.parent_element().and_then(|item| item.dyn_into::<HtmlElement>().ok()) {
            item.set_hidden(!is_found);
        }
    }
}

/// Follows the first place that is left, or takes the colours that were chosen.
pub fn submitted(event: &SubmitEvent) {
    let form = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(form) = form else { return };
    if form.closest("#palette").is_ok_and(|palette| palette.is_some()) {
        event.prevent_default();
        if let Some(first) = places().into_iter().find(is_shown) {
            first.click();
        }
    } else if form.class_name() == "theme" {
        let button = event.submitter().and_then(|button| button.dyn_into::<HtmlButtonElement>().ok());
        if let Some(choice) = button.and_then(|button| button.value().parse().ok()) {
            event.prevent_default();
            choose(&form, choice);
        }
    }
}

/// Shows the colours at once, and keeps them for the next page.
fn choose(form: &Element, choice: Theme) {
    // Attributes of fixed names can always be set, and a cookie that is not kept is asked for again.
    if let Some(root) = document().document_element() {
        drop(match choice.attribute() {
            Some(word) => root.set_attribute("data-theme", word),
            None => root.remove_attribute("data-theme"),
        });
    }
    for theme in Theme::ALL {
        if let Ok(Some(button)) = form.query_selector(&format!("button[value={}]", theme.as_str())) {
            drop(button.set_attribute("aria-pressed", &(theme == choice).to_string()));
        }
    }
    drop(document().unchecked_into::<HtmlDocument>().set_cookie(&theme::cookie(choice)));
}
