//! What the form asks of the browser: what was typed before it woke up, the title, and whether a page may be left.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{BeforeUnloadEvent, HtmlInputElement, HtmlSelectElement};

/// What stands in an input: what was rendered, or what somebody has typed before the browser woke up.
pub fn typed(id: &str, given: &str) -> String {
    if !cfg!(target_arch = "wasm32") {
        return given.to_owned();
    }
    let Some(element) = document().get_element_by_id(id) else { return given.to_owned() };
    if let Some(input) = element.dyn_ref::<HtmlInputElement>() {
        return if input.type_() == "checkbox" { input.checked().to_string() } else { input.value() };
    }
    element.dyn_ref::<HtmlSelectElement>().map_or_else(|| given.to_owned(), HtmlSelectElement::value)
}

/// Says in the title that something is wrong, or no longer.
pub fn mark_title(is_wrong: bool) {
    const MARK: &str = "Error: ";
    let title = document().title();
    let plain = title.strip_prefix(MARK).unwrap_or(&title);
    document().set_title(&if is_wrong { format!("{MARK}{plain}") } else { plain.to_owned() });
}

/// Asks before unsaved changes are left behind, but for what a form of this page leads to: the draft waits there.
pub fn guard(would_lose: impl Fn() -> bool + 'static) {
    let leaves_knowingly = std::rc::Rc::new(std::cell::Cell::new(false));
    let knowing = std::rc::Rc::clone(&leaves_knowingly);
    let sent = Closure::<dyn FnMut(web_sys::Event)>::new(move |event: web_sys::Event| {
        knowing.set(!event.default_prevented());
    });
    let asked = Closure::<dyn FnMut(BeforeUnloadEvent)>::new(move |event: BeforeUnloadEvent| {
        if !leaves_knowingly.get() && would_lose() {
            event.prevent_default();
        }
    });
    // For as long as the document lives, and after the form itself: what it has prevented leads nowhere.
    drop(window().add_event_listener_with_callback("submit", sent.into_js_value().unchecked_ref()));
    drop(window().add_event_listener_with_callback("beforeunload", asked.into_js_value().unchecked_ref()));
}
