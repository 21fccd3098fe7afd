//! Parts of a page that only show: what is marked with `data-live` is kept as it is on the server. The page is fetched again, and each
//! part is made like its newer self in place, so that focus, selection and what somebody has opened stay.

use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, DomParser, Element, Node, Response, SupportedType};

use super::live;

/// Keeps the parts of its page up to date.
#[island]
pub fn LiveParts(
    /// The store's change number when the page was read.
    version: u64,
) -> impl IntoView {
    let known = StoredValue::new(version);
    let is_fetching = StoredValue::new(false);
    Effect::new(move |_| {
        let Some(newest) = live::live().version.get() else { return };
        if newest == known.get_value() {
            return;
        }
        known.set_value(newest);
        if is_fetching.get_value() {
            return;
        }
        is_fetching.set_value(true);
        spawn_local(async move {
            loop {
                let shown = known.get_value();
                // What could not be fetched is fetched with the next change.
                drop(fetch_page().await);
                if known.get_value() == shown {
                    break;
                }
            }
            is_fetching.set_value(false);
        });
    });
}

async fn fetch_page() -> Result<(), JsValue> {
    let answer = JsFuture::from(window().fetch_with_str(&location().href()?)).await?;
    let answer: Response = answer.dyn_into()?;
    if answer.redirected() {
        // Somebody else has to be asked first, such as for the password.
        return location().reload();
    }
    if !answer.ok() {
        return Ok(());
    }
    let text = JsFuture::from(answer.text()?).await?.as_string().unwrap_or_default();
    let fresh = DomParser::new()?.parse_from_string(&text, SupportedType::TextHtml)?;
    settle(&document(), &fresh)
}

fn settle(page: &Document, fresh: &Document) -> Result<(), JsValue> {
    let parts = page.query_selector_all("[data-live]")?;
    for place in 0..parts.length() {
        let part: Option<Element> = parts.item(place).and_then(|part| part.dyn_into().ok());
        if let Some(part) = part
            && let Some(newer) = fresh.get_element_by_id(&part.id())
        {
            become_like(&part, &newer)?;
        }
    }
    Ok(())
}

/// Makes a node like another one in place.
fn become_like(old: &Node, fresh: &Node) -> Result<(), JsValue> {
    if old.is_equal_node(Some(fresh)) {
        return Ok(());
    }
    let (Some(one), Some(other)) = (old.dyn_ref::<Element>(), fresh.dyn_ref::<Element>()) else {
        if old.node_type() == fresh.node_type() {
            old.set_node_value(fresh.node_value().as_deref());
            return Ok(());
        }
        return replace(old, fresh);
    };
    if one.tag_name() != other.tag_name() || one.id() != other.id() {
        return replace(old, fresh);
    }
    let names = |element: &Element| {
        element.get_attribute_names().iter().filter_map(|name| name.as_string()).collect::<Vec<_>>()
    };
    // Whether a part is open is the reader's.
    let is_readers = |name: &str| name == "open" && one.tag_name() == "DETAILS";
    for name in names(one).iter().filter(|name| !other.has_attribute(name) && !is_readers(name)) {
        one.remove_attribute(name)?;
    }
    for name in names(other).iter().filter(|name| !is_readers(name)) {
        let value = other.get_attribute(name).unwrap_or_default();
        if one.get_attribute(name).as_ref() != Some(&value) {
            one.set_attribute(name, &value)?;
        }
    }
    let mut at = old.first_child();
    let mut coming = fresh.first_child();
    while let Some(newer) = coming {
        coming = newer.next_sibling();
        match at {
            Some(here) => {
                at = here.next_sibling();
                become_like(&here, &newer)?;
            }
            None => drop(old.append_child(&copy(&newer)?)?),
        }
    }
    while let Some(here) = at {
        at = here.next_sibling();
        old.remove_child(&here)?;
    }
    Ok(())
}

fn replace(old: &Node, fresh: &Node) -> Result<(), JsValue> {
    let Some(parent) = old.parent_node() else { return Ok(()) };
    parent.replace_child(&copy(fresh)?, old).map(drop)
}

fn copy(fresh: &Node) -> Result<Node, JsValue> {
    document().import_node_with_deep(fresh, true)
}
