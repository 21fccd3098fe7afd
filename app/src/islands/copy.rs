//! Copies a text to the clipboard.

use leptos::{ev::MouseEvent, prelude::*, task::spawn_local};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::Element;

use super::toast::{self, Toast};

/// Copies what the button of an event names.
pub fn clicked(event: &MouseEvent) {
    let pressed = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let button = pressed.and_then(|pressed| pressed.closest("[data-copy]").ok().flatten());
    let text = button.and_then(|button| button.get_attribute("data-copy"));
    let text = text.and_then(|id| document().get_element_by_id(&id)).and_then(|part| {
        // A list is copied line by line.
        let items = part.query_selector_all("li").ok().filter(|items| items.length() > 0);
        let lines = items.map(|items| {
            (0..items.length())
                .filter_map(|place| items.item(place)?.text_content())
                .collect::<Vec<_>>()
                .join("\n")
        });
        lines.or_else(|| part.text_content())
    });
    let Some(text) = text else { return };
    let copying = JsFuture::from(window().navigator().clipboard().write_text(text.trim()));
    spawn_local(async move {
        let is_good = copying.await.is_ok();
        let text =
            if is_good { "Copied." } else { "The browser does not allow copying. Select the text instead." };
        toast::say(Toast { text: text.to_owned(), is_good, link: None });
    });
}
