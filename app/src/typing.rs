//! Checks the settings while somebody types: the server's own rules, run in the browser on the form of a page that is otherwise
//! plain. It also keeps people from leaving unsaved changes behind.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use domain::settings::{Choices, FieldProblem, List, Problems, Settings, form::Form};
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{
    BeforeUnloadEvent, Document, Element, Event, HtmlFormElement, HtmlInputElement, HtmlSelectElement,
};

/// Watches the form of the settings, if the page has it.
pub fn watch() {
    let document = leptos::prelude::document();
    let form =
        document.get_element_by_id("settings").and_then(|form| form.dyn_into::<HtmlFormElement>().ok());
    let Some(form) = form else { return };
    let watcher = Rc::new(RefCell::new(FormWatcher::new(document, form.clone())));
    listen(&form, "input", {
        let watcher = Rc::clone(&watcher);
        move |event: Event| watcher.borrow_mut().typed(&event)
    });
    listen(&form, "submit", {
        let watcher = Rc::clone(&watcher);
        move |_: Event| watcher.borrow_mut().leaves_knowingly = true
    });
    if let Ok(Some(revert)) = form.query_selector("[data-revert]") {
        let watcher = Rc::clone(&watcher);
        listen(&revert, "click", move |_: Event| watcher.borrow_mut().leaves_knowingly = true);
    }
    listen(&leptos::prelude::window(), "beforeunload", move |event: BeforeUnloadEvent| {
        if watcher.borrow().would_lose() {
            event.prevent_default();
        }
    });
}

/// Listens as long as the page lives.
fn listen<E: wasm_bindgen::convert::FromWasmAbi + 'static>(
    target: &web_sys::EventTarget,
    name: &str,
    heard: impl FnMut(E) + 'static,
) {
    let heard = Closure::<dyn FnMut(E)>::new(heard);
    if target.add_event_listener_with_callback(name, heard.as_ref().unchecked_ref()).is_ok() {
        heard.forget();
    }
}

struct FormWatcher {
    document: Document,
    form: HtmlFormElement,
    lists: PageLists,
    /// What stood in the form when the page came.
    first: Vec<(String, String)>,
    /// What was wrong then: nobody is told of it before they touch it.
    known: Problems,
    /// Whether the page came with changes that are not saved.
    came_changed: bool,
    leaves_knowingly: bool,
}

impl FormWatcher {
    fn new(document: Document, form: HtmlFormElement) -> Self {
        let lists = PageLists::new(&document, &form);
        let first = pairs(&form);
        let (_, known) = Form::from(first.clone()).read(&Settings::default(), &lists);
        let came_changed = form.get_attribute("data-changed").as_deref() == Some("true");
        let watcher = Self { document, form, lists, first, known, came_changed, leaves_knowingly: false };
        watcher.show_state(came_changed);
        let _ = watcher.form.set_attribute("data-watched", "");
        watcher
    }

    fn would_lose(&self) -> bool {
        !self.leaves_knowingly && self.is_changed(&pairs(&self.form))
    }

    fn is_changed(&self, pairs: &[(String, String)]) -> bool {
        self.came_changed || pairs != self.first
    }

    fn typed(&mut self, event: &Event) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let place =
            target.as_ref().and_then(|target| target.closest("[data-row],[data-path]").ok().flatten());
        if let Some(place) = &place {
            let _ = place.set_attribute("data-touched", "");
        }
        if let Some(target) = target {
            let _ = target.remove_attribute("data-missing");
        }
        let pairs = pairs(&self.form);
        self.show_state(self.is_changed(&pairs));
        let (_, problems) = Form::from(pairs).read(&Settings::default(), &self.lists);
        self.known.retain(|known| problems.contains(known));
        for found in all(&self.form, "[data-path]") {
            let path = found.get_attribute("data-path").unwrap_or_default();
            self.show(&found, &path, &path, &problems, place.as_ref());
        }
        for map in all(&self.form, "[data-map]") {
            let name = map.get_attribute("data-map").unwrap_or_default();
            for row in all(&map, "[data-row]") {
                let path = format!("{name}.{}", key_of(&row, &name));
                let id = row.get_attribute("data-row").unwrap_or_default();
                self.show(&row, &path, &id, &problems, place.as_ref());
            }
        }
    }

    /// Shows what is wrong at a place, or that nothing is any more.
    fn show(&self, place: &Element, path: &str, id: &str, problems: &Problems, typed_at: Option<&Element>) {
        let found = problems.iter().find(|(own, _)| own == path);
        let is_new = |problem: &&(String, FieldProblem)| !self.known.contains(problem);
        let found = found.filter(|problem| place.has_attribute("data-touched") || is_new(problem));
        // An empty row has the path of a row without a key: only one that holds something is wrong.
        let found = found.filter(|_| !path.ends_with('.') || holds_something(place));
        let Some(line) = self.document.get_element_by_id(&format!("{id}-error")) else { return };
        let sentence = found.map(|(_, problem)| problem.sentence(path)).unwrap_or_default();
        if line.text_content().as_deref().map(str::trim) == Some(sentence) {
            return;
        }
        line.set_text_content(Some(sentence));
        for input in all(place, "input:not([type=hidden]),select") {
            let _ = match found {
                Some(_) => input.set_attribute("aria-invalid", "true"),
                None => input.remove_attribute("aria-invalid"),
            };
        }
        let _ = match found {
            Some((_, problem)) => line.set_attribute("data-code", problem.as_str()),
            None => line.remove_attribute("data-code"),
        };
        if typed_at == Some(place)
            && let Some(said) = self.document.get_element_by_id("settings-said")
        {
            said.set_text_content(Some(sentence));
        }
    }

    fn show_state(&self, changed: bool) {
        if let Ok(Some(state)) = self.form.query_selector("[data-state]") {
            state.set_text_content(Some(if changed { "Not saved" } else { "" }));
        }
    }
}

fn all(within: &Element, selector: &str) -> Vec<Element> {
    let Ok(found) = within.query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|place| found.item(place)?.dyn_into().ok()).collect()
}

fn key_of(row: &Element, map: &str) -> String {
    let key = row.query_selector(&format!("[name='{map}.key']")).ok().flatten();
    let key = key.and_then(|key| key.dyn_into::<HtmlInputElement>().ok());
    key.map(|key| key.value().trim().to_owned()).unwrap_or_default()
}

fn holds_something(row: &Element) -> bool {
    all(row, "input,select").iter().any(|input| value(input).is_some_and(|value| !value.trim().is_empty()))
}

/// The names and values that the form would send.
fn pairs(form: &HtmlFormElement) -> Vec<(String, String)> {
    let elements = form.elements();
    let sent = |place| {
        let element = elements.item(place)?;
        let name = element.get_attribute("name").filter(|_| !element.has_attribute("disabled"))?;
        Some((name, value(&element)?))
    };
    (0..elements.length()).filter_map(sent).collect()
}

/// What an element would send; none for buttons, and for boxes that are not ticked.
fn value(element: &Element) -> Option<String> {
    if let Some(select) = element.dyn_ref::<HtmlSelectElement>() {
        return Some(select.value());
    }
    let input = element.dyn_ref::<HtmlInputElement>()?;
    let is_sent = match input.type_().as_str() {
        "checkbox" => input.checked(),
        "submit" | "button" => false,
        _ => true,
    };
    is_sent.then(|| input.value())
}

/// The lists as they stand in the page.
struct PageLists {
    /// From an id, a text or a number to the id, list by list in the order of [`List::ALL`].
    lists: [BTreeMap<String, String>; 4],
    zones: Vec<String>,
    registered_for_tax: bool,
}

impl PageLists {
    fn new(document: &Document, form: &HtmlFormElement) -> Self {
        let options = |id: &str| {
            let list = document.get_element_by_id(id);
            list.map(|list| all(&list, "option")).unwrap_or_default()
        };
        let entries = |list: List| {
            let mut names = BTreeMap::new();
            // The last word on a name is the first reading, as on the server: ids, texts, numbers.
            for attribute in ["data-number", "value", "data-id"] {
                for option in options(list.as_str()).iter().rev() {
                    let name = option.get_attribute(attribute).filter(|name| !name.is_empty());
                    if let (Some(name), Some(id)) = (name, option.get_attribute("data-id")) {
                        let name = if attribute == "value" { name.to_ascii_lowercase() } else { name };
                        names.insert(name, id);
                    }
                }
            }
            names
        };
        Self {
            lists: List::ALL.map(entries),
            zones: options("time-zones").iter().filter_map(|zone| zone.get_attribute("value")).collect(),
            registered_for_tax: form.get_attribute("data-registered").as_deref() == Some("true"),
        }
    }
}

impl Choices for PageLists {
    fn has(&self, list: List, id: &str) -> bool {
        self.find(list, id).is_some_and(|found| found == id)
    }

    fn find(&self, list: List, typed: &str) -> Option<String> {
        let names = self.lists.get(list as usize)?;
        names.get(typed).or_else(|| names.get(&typed.to_ascii_lowercase())).cloned()
    }

    fn is_registered_for_tax(&self) -> bool {
        self.registered_for_tax
    }

    fn is_time_zone(&self, name: &str) -> bool {
        self.zones.iter().any(|zone| zone == name)
    }
}
