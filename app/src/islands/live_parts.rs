//! Parts of a page that only show: what is marked with `data-live` is kept as it is on the server. The page is fetched again, and each
//! part is made like its newer self in place.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element};

use super::{fetched, live, morph::become_like, refetch::Refetch};

/// Keeps the parts of its page up to date.
#[island]
pub fn LiveParts(
    /// The store's change number when the page was read.
    version: u64,
) -> impl IntoView {
    let known = StoredValue::new(version);
    let refetch = Refetch::new();
    Effect::new(move |_| {
        let Some(newest) = live::live().version.get() else { return };
        if newest != known.get_value() {
            known.set_value(newest);
            // What could not be fetched is fetched with the next change.
            refetch.ask(move || async { drop(fetch_page().await) });
        }
    });
}

async fn fetch_page() -> Result<(), JsValue> {
    let answer = fetched::page(&location().href()?).await?;
    if answer.is_elsewhere() {
        // Somebody else has to be asked first, such as for the password.
        return location().reload();
    }
    match (answer.page, document().body()) {
        (Some(fresh), Some(page)) => settle(&page, &fresh),
        _ => Ok(()),
    }
}

/// Makes the parts of a page that follow changes like those of a newer one.
pub fn settle(page: &Element, fresh: &Document) -> Result<(), JsValue> {
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
