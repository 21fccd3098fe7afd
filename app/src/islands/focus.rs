//! Leads the focus somewhere. Where something cannot take it, it stays.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// To the first element of the page that fits a selector.
pub fn to(selector: &str) {
    if let Some(found) = document().query_selector(selector).ok().flatten() {
        on(&found);
    }
}

/// To what will be there once the page has followed what has just changed.
pub fn soon(selector: String) {
    request_animation_frame(move || to(&selector));
}

/// To the element of an id, as above.
pub fn soon_by_id(id: &str) {
    soon(format!("[id=\"{id}\"]"));
}

/// To the first element within another one.
pub fn within(part: &Element, selector: &str) {
    if let Some(found) = part.query_selector(selector).ok().flatten() {
        on(&found);
    }
}

fn on(element: &Element) {
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        drop(element.focus());
    }
}
