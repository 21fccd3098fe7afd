//! A run beside the list: its page, fetched and shown in a panel, with its forms sent in place. A narrow window has no room for it:
//! there the link leads to the page.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlDetailsElement, HtmlElement};

use super::{
    fetched, focus, live,
    live_parts::settle,
    morph::fill_like,
    refetch::Refetch,
    toast::{self, Toast},
};

/// So wide a window shows both the list and a run.
const ROOM: &str = "(min-width: 64rem)";

/// Why a run is fetched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It is to be shown.
    Whole,
    /// It is to be shown, with the field for the reason of its exclusion.
    Exclusion,
    /// Something has changed: the parts that follow changes are to be.
    Parts,
}

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
                self.fetch(Kind::Parts);
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
        self.fetch(Kind::Whole);
    }

    /// Shows a run and leads to the reason for its exclusion.
    pub fn exclude(self, path: String) {
        self.open.set(Some(path));
        self.fetch(Kind::Exclusion);
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

    fn fetch(self, kind: Kind) {
        self.refetch.ask(move || async move {
            let Some(path) = self.open.get_untracked() else { return };
            let Ok(answer) = fetched::page(&path).await else {
                let text = "The server did not answer. Try again.".to_owned();
                return toast::say(Toast { text, ..Toast::default() });
            };
            if self.open.get_untracked().as_ref() != Some(&path) {
                return;
            }
            if answer.is_elsewhere() || put(&path, &answer, kind).is_err() {
                // It cannot be shown beside the list; its own page says why.
                drop(location().set_href(&path));
            }
        });
    }
}

fn panel() -> Option<HtmlElement> {
    document().get_element_by_id("run-panel")?.dyn_into().ok()
}

fn put(path: &str, answer: &fetched::Fetched, kind: Kind) -> Result<(), JsValue> {
    let (Some(panel), Some(page)) = (panel(), answer.page.as_ref()) else { return Err(JsValue::NULL) };
    let part = panel.query_selector("[data-page]")?.ok_or(JsValue::NULL)?;
    if kind == Kind::Parts && part.get_attribute("data-page").as_deref() == Some(path) {
        return settle(&part, page);
    }
    let fresh = page.get_element_by_id("main").ok_or(JsValue::NULL)?;
    part.set_attribute("data-page", path)?;
    if let Some(link) = panel.query_selector("a.panel-page")? {
        link.set_attribute("href", path)?;
    }
    part.set_text_content(None);
    fill_like(&part, &fresh)?;
    panel.set_hidden(false);
    panel.set_scroll_top(0);
    if kind == Kind::Exclusion {
        let fold = part.query_selector("details.exclude")?;
        if let Some(fold) = fold.and_then(|fold| fold.dyn_into::<HtmlDetailsElement>().ok()) {
            fold.set_open(true);
            focus::within(&fold, "input:not([type=hidden])");
        }
    }
    Ok(())
}
