//! Forms that are sent in place: a form marked `data-in-place` leads back to the page that it is on. That page is made like the
//! server's answer, so that focus, scroll position and what somebody has opened stay; what was done
//! is said there, or in a toast where that is out of sight.

use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Document, Element, HtmlButtonElement, HtmlDetailsElement, HtmlElement, HtmlFormElement,
    ScrollIntoViewOptions, ScrollLogicalPosition,
};

use super::{
    fetched::{self, Fetched},
    morph::fill_like,
    toast::{self, Toast},
};

/// Where whoever is signed out is led.
const SIGN_IN: &str = "/sign-in";

/// Sends the form of an event, if it is one that stays where it is.
pub fn submitted(event: &SubmitEvent) {
    let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
    let Some(form) = form.filter(|form| form.has_attribute("data-in-place")) else { return };
    event.prevent_default();
    // Sent once, however often it is pressed.
    if form.has_attribute("aria-busy") {
        return;
    }
    let button = event.submitter().and_then(|button| button.dyn_into::<HtmlButtonElement>().ok());
    if button.as_ref().is_some_and(|button| button.get_attribute("aria-disabled").as_deref() == Some("true"))
    {
        return;
    }
    let button = button.map(|button| (button.name(), button.value()));
    // Found now: the form may be gone from the page by the time that the server answers.
    let Some(place) = Place::of(&form) else { return };
    spawn_local(async move {
        // An attribute of a fixed name can always be set.
        drop(form.set_attribute("aria-busy", "true"));
        let answer = fetched::submitted(&form, button, &place.path).await;
        drop(form.remove_attribute("aria-busy"));
        if answer.and_then(|answer| place.take(&form, &answer)).is_err() {
            refuse("The server did not answer. Try again.".to_owned(), None);
        }
    });
}

fn refuse(text: String, link: Option<(String, String)>) {
    toast::say(Toast { text, is_good: false, link });
}

/// The page that a form is on: this one, or a run beside the list.
struct Place {
    part: Element,
    path: String,
}

impl Place {
    fn of(form: &HtmlFormElement) -> Option<Self> {
        let around = form.closest("[data-page]").ok().flatten();
        let path = around.as_ref().and_then(|part| part.get_attribute("data-page"));
        let path = path.or_else(|| location().pathname().ok())?;
        Some(Self { part: around.or_else(|| document().get_element_by_id("main"))?, path })
    }

    /// Shows what the server has answered.
    fn take(&self, form: &HtmlFormElement, answer: &Fetched) -> Result<(), JsValue> {
        let Some(page) = answer.page.as_ref() else {
            let again =
                answer.wait.map_or_else(String::new, |seconds| format!(" Try again in {seconds} seconds."));
            refuse(format!("The server could not do this.{again}"), None);
            return Ok(());
        };
        let path = answer.address.pathname();
        if path == SIGN_IN {
            // What was typed stays here; the session is the browser's, so another tab can begin it.
            let link = ("Sign in in a new tab".to_owned(), SIGN_IN.to_owned());
            refuse("You are signed out, so nothing was done.".to_owned(), Some(link));
            return Ok(());
        }
        if path != self.path {
            return location().set_href(&answer.address.href());
        }
        let fresh = page.get_element_by_id("main").ok_or(JsValue::NULL)?;
        if flash_of(&self.part, &fresh)? {
            done(form);
        }
        fill_like(&self.part, &fresh)?;
        // After the line of what was done has been read, it goes.
        let part = self.part.clone();
        set_timeout(move || drop(quiet(&part)), toast::STAYS);
        keep_focus(&self.part)
    }
}

/// Empties a form that has done its work, and folds away what it was in.
fn done(form: &HtmlFormElement) {
    form.reset();
    let fold = form.closest("details.confirm").ok().flatten();
    if let Some(fold) = fold.and_then(|fold| fold.dyn_into::<HtmlDetailsElement>().ok()) {
        fold.set_open(false);
    }
}

/// Takes away what a part says once.
fn quiet(part: &Element) -> Result<(), JsValue> {
    match part.query_selector(".flash")? {
        Some(flash) => {
            flash.set_text_content(None);
            flash.remove_attribute("data-tone")
        }
        None => Ok(()),
    }
}

/// Whether something good was done. What was done is the page's first line; where that is out of sight a toast says it instead.
fn flash_of(part: &Element, fresh: &Element) -> Result<bool, JsValue> {
    let Some(flash) = fresh.query_selector(".flash")? else { return Ok(false) };
    let text = flash.text_content().unwrap_or_default().trim().to_owned();
    let is_good = flash.get_attribute("data-tone").as_deref() == Some("good");
    let is_in_sight = part.get_bounding_client_rect().top() >= 0.0 && part.scroll_top() == 0;
    if !text.is_empty() && !is_in_sight {
        quiet(fresh)?;
        toast::say(Toast { text, is_good, link: None });
    }
    Ok(is_good)
}

/// Leads to what is wrong; keeps the reader's place where what had the focus is gone.
fn keep_focus(part: &Element) -> Result<(), JsValue> {
    let wrong = part.query_selector("[aria-invalid=true]")?;
    let wrong = wrong.map_or_else(|| part.query_selector(".problem"), |wrong| Ok(Some(wrong)))?;
    if let Some(wrong) = wrong.and_then(|wrong| wrong.dyn_into::<HtmlElement>().ok()) {
        let near = ScrollIntoViewOptions::new();
        near.set_block(ScrollLogicalPosition::Nearest);
        wrong.scroll_into_view_with_scroll_into_view_options(&near);
        return wrong.focus();
    }
    let page: Document = document();
    let is_lost = page.active_element().is_none_or(|element| element.tag_name() == "BODY");
    match part.dyn_ref::<HtmlElement>().filter(|_| is_lost) {
        Some(part) => {
            let still = web_sys::FocusOptions::new();
            still.set_prevent_scroll(true);
            part.focus_with_options(&still)
        }
        None => Ok(()),
    }
}
