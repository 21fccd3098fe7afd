//! A run beside the list: its page, fetched and shown in a panel, with its forms sent in place. A narrow window has no room for it:
//! there the link leads to the page.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlDetailsElement, HtmlElement};

use super::{fetched, forms, live, refetch::Refetch};

/// So wide a window shows both the list and a run.
const ROOM: &str = "(min-width: 64rem)";

/// The panel of the history's page.
#[derive(Clone, Copy)]
pub struct RunPanel {
    /// The path of the run that is shown.
    open: RwSignal<Option<String>>,
    refetch: Refetch,
}

impl RunPanel {
    /// A closed panel.
    pub fn new() -> Self {
        Self { open: RwSignal::new(None), refetch: Refetch::new() }
    }

    /// Keeps what is shown up to date.
    pub fn follow(self) {
        Effect::new(move |_| {
            let version = live::live().version.get();
            if version.is_some() && self.is_open() {
                self.fetch(|_| ());
            }
        });
    }

    /// Whether a run is shown.
    pub fn is_open(self) -> bool {
        self.open.with_untracked(Option::is_some)
    }

    /// Whether the window has room for the panel.
    pub fn has_room() -> bool {
        window().match_media(ROOM).ok().flatten().is_some_and(|media| media.matches())
    }

    /// Shows a run; what is shown already is led into.
    pub fn show(self, path: String) {
        if let Some(panel) = panel().filter(|_| self.open.get_untracked().as_ref() == Some(&path)) {
            // Where it cannot have the focus, the person leads it there.
            return drop(panel.focus());
        }
        self.open.set(Some(path));
        self.fetch(|_| ());
    }

    /// Shows a run and leads to the reason for its exclusion.
    pub fn exclude(self, path: String) {
        self.open.set(Some(path));
        self.fetch(|page| {
            let part = page.query_selector("details.exclude").ok().flatten();
            if let Some(part) = part.and_then(|part| part.dyn_into::<HtmlDetailsElement>().ok()) {
                part.set_open(true);
                focus(&part, "input:not([type=hidden])");
            }
        });
    }

    /// Takes the panel away. Whether it was there.
    pub fn close(self) -> bool {
        let was_open = self.is_open();
        if let Some(panel) = panel().filter(|_| was_open) {
            self.open.set(None);
            panel.set_hidden(true);
        }
        was_open
    }

    fn fetch(self, then: impl Fn(&Element) + Copy + 'static) {
        self.refetch.ask(move || async move {
            let Some(path) = self.open.get_untracked() else { return };
            let shown = match fetched::page(&path).await {
                Ok(answer) if answer.is_elsewhere() => location().set_href(&path),
                Ok(answer) if self.open.get_untracked().as_ref() == Some(&path) => put(&path, &answer, then),
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            };
            if shown.is_err() && panel().is_some_and(|panel| panel.hidden()) {
                // It cannot be shown beside the list; its own page says why.
                drop(location().set_href(&path));
            }
        });
    }
}

fn panel() -> Option<HtmlElement> {
    document().get_element_by_id("run-panel")?.dyn_into().ok()
}

fn put(path: &str, answer: &fetched::Fetched, then: impl Fn(&Element)) -> Result<(), JsValue> {
    let (Some(panel), Some(fresh)) = (panel(), answer.page.as_ref()) else { return Err(JsValue::NULL) };
    let (part, fresh) = (panel.query_selector("[data-page]")?, fresh.get_element_by_id("main"));
    let (Some(part), Some(fresh)) = (part, fresh) else { return Err(JsValue::NULL) };
    let is_another = part.get_attribute("data-page").as_deref() != Some(path);
    part.set_attribute("data-page", path)?;
    if let Some(link) = panel.query_selector("a.panel-page")? {
        link.set_attribute("href", path)?;
    }
    panel.set_hidden(false);
    if is_another {
        part.set_text_content(None);
        panel.set_scroll_top(0);
    }
    forms::show(&part, &fresh)?;
    then(&part);
    Ok(())
}

fn focus(part: &Element, selector: &str) {
    let field = part.query_selector(selector).ok().flatten();
    if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
        // Where it cannot have the focus, the person leads it there.
        drop(field.focus());
    }
}
