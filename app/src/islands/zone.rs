//! Times in the reader's own zone. The server writes them in UTC, for whoever has no script; here they are rewritten in place, as
//! often as the page changes, and say UTC on hover.

use leptos::prelude::*;
use views::format::day_of;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Element, MutationObserver, MutationObserverInit, Node};

/// Rewrites the times of the page, now and whenever it changes.
pub fn follow() {
    let Some(body) = document().body() else { return };
    drop(rewrite(&body));
    let part = body.clone();
    let changed = Closure::<dyn FnMut()>::new(move || drop(rewrite(&part)));
    // For as long as the document lives.
    let Ok(observer) = MutationObserver::new(changed.into_js_value().unchecked_ref()) else { return };
    let what = MutationObserverInit::new();
    what.set_child_list(true);
    what.set_subtree(true);
    what.set_character_data(true);
    drop(observer.observe_with_options(&body, &what));
}

fn rewrite(part: &Element) -> Result<(), JsValue> {
    let times = part.query_selector_all("time.time")?;
    for place in 0..times.length() {
        if let Some(time) = times.item(place).and_then(|time| time.dyn_into::<Element>().ok()) {
            rewrite_one(&time)?;
        }
    }
    let zones = part.query_selector_all(".zone")?;
    for place in 0..zones.length() {
        if let Some(zone) = zones.item(place) {
            write(&zone, &zone_at(&time_beside(&zone)?));
        }
    }
    Ok(())
}

fn rewrite_one(time: &Element) -> Result<(), JsValue> {
    let Some(iso) = time.get_attribute("datetime") else { return Ok(()) };
    let at = js_sys::Date::new(&iso.as_str().into());
    if at.get_time().is_nan() {
        return Ok(());
    }
    // The reader's own clock, written as if it were UTC: dates have no other way to name it.
    let shift = at.get_timezone_offset() * 60_000.0;
    let local = js_sys::Date::new(&(at.get_time() - shift).into());
    let day = day_of(number(local.get_utc_full_year()), local.get_utc_month(), local.get_utc_date());
    let clock: String = local.to_iso_string().slice(11, 19).into();
    for (part, text) in [(time.first_element_child(), day), (time.last_element_child(), clock)] {
        if let Some(part) = part {
            write(&part, &text);
        }
    }
    let utc = iso.replace('T', " ").replace('Z', " UTC");
    if time.get_attribute("title").as_ref() != Some(&utc) {
        time.set_attribute("title", &utc)?;
    }
    Ok(())
}

/// The text of an element is written into the node that is there: the islands know it.
fn write(element: &Node, text: &str) {
    let node = element.first_child().unwrap_or_else(|| element.clone());
    if node.text_content().as_deref() != Some(text) {
        node.set_text_content(Some(text));
    }
}

/// Years of four digits fit.
fn number(year: u32) -> i32 {
    year.try_into().unwrap_or(i32::MAX)
}

/// The instant that a zone is named for: in summer it has another name than in winter.
fn time_beside(zone: &Node) -> Result<js_sys::Date, JsValue> {
    let around = zone.parent_element();
    let time = around.map_or(Ok(None), |around| around.query_selector("time.time"))?;
    let iso = time.and_then(|time| time.get_attribute("datetime"));
    Ok(iso.map_or_else(js_sys::Date::new_0, |iso| js_sys::Date::new(&iso.into())))
}

/// The short name of the reader's zone at an instant, such as `GMT` or `CET`.
fn zone_at(at: &js_sys::Date) -> String {
    let options = js_sys::Object::new();
    for (name, value) in [("year", "numeric"), ("timeZoneName", "short")] {
        // A plain object takes any property.
        drop(js_sys::Reflect::set(&options, &name.into(), &value.into()));
    }
    let text: String = at.to_locale_string("en-GB", &options).into();
    text.rsplit(' ').next().unwrap_or("UTC").to_owned()
}
