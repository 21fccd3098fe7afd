//! A field that looks its entries up while somebody types (ARIA's combobox). Without JavaScript it is a field for a name or a number.

use leptos::{ev::KeyboardEvent, prelude::*, task::spawn_local};
use views::settings::Entry;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, ScrollIntoViewOptions, ScrollLogicalPosition};

use super::erased::{dynamic, flag, follow, on, text};
use crate::api::settings::{Sent, search_reference};

/// So long after the last key the server is asked.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(200);

/// Where the entries are.
#[derive(Clone, Debug)]
pub struct Source {
    /// The binding whose lists are searched.
    pub binding: String,
    /// The list's name.
    pub list: &'static str,
}

/// What a combobox reports.
#[derive(Clone, Copy)]
pub struct Watched {
    /// Somebody types or chooses.
    pub typed: Callback<()>,
    /// Somebody has left it, or has chosen.
    pub left: Callback<()>,
    /// Entries were found.
    pub found: Callback<Vec<Entry>>,
    /// What is read out: a live region of the page shows it.
    pub said: RwSignal<String>,
}

#[derive(Clone, Copy)]
struct Picker {
    id: StoredValue<String>,
    value: RwSignal<String>,
    source: StoredValue<Source>,
    watched: Watched,
    entries: RwSignal<Vec<Entry>>,
    is_open: RwSignal<bool>,
    /// The entry that Enter takes.
    active: RwSignal<Option<usize>>,
    /// Counts the questions: an answer to an older one comes too late.
    asked: StoredValue<u32>,
}

/// A field with a list.
#[component]
pub fn Combobox(
    /// Its id.
    id: String,
    /// Its name in the form.
    name: String,
    /// What stands in it.
    value: RwSignal<String>,
    /// Where the entries are.
    source: Source,
    /// Its name for people, where no label stands beside it.
    #[prop(optional_no_strip)]
    label: Option<String>,
    /// What describes it, by id.
    described_by: String,
    /// Whether it is wrong.
    is_wrong: Signal<bool>,
    /// Whether what it names is gone.
    is_missing: Signal<bool>,
    /// What is shown while it is empty.
    #[prop(into)]
    placeholder: Signal<String>,
    /// What it reports.
    watched: Watched,
) -> impl IntoView {
    let list_id = format!("{id}-list");
    let short_list = format!("{}-short", source.list);
    let picker = Picker {
        id: StoredValue::new(id.clone()),
        value,
        source: StoredValue::new(source),
        watched,
        entries: RwSignal::new(Vec::new()),
        is_open: RwSignal::new(false),
        active: RwSignal::new(None),
        asked: StoredValue::new(0),
    };
    view! {
        <div class="relative">
            <input
                id=id
                name=name
                class="pr-9"
                role="combobox"
                aria-autocomplete="list"
                aria-expanded=text(move || picker.is_open.get().to_string())
                aria-controls=list_id.clone()
                aria-activedescendant=Signal::derive(move || picker.active_id())
                aria-label=label.clone()
                aria-describedby=described_by
                aria-invalid=flag(move || is_wrong.get())
                data-missing=flag(move || is_missing.get())
                list=short_list
                placeholder=placeholder
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                value=value.get_untracked()
                prop:value=follow(value)
                on:input=on(move |event| picker.typed(event_target_value(&event)))
                on:keydown=on(move |event| picker.pressed(&event))
                on:blur=on(move |_| picker.left())
                on:click=on(move |_| picker.clicked())
            />
            <button
                class="absolute inset-y-0 right-0 w-9 cursor-pointer text-ink-dim before:mx-auto before:-mt-1 before:block before:size-2 before:rotate-45 before:border-r-2 before:border-b-2 before:border-current unscripted:hidden"
                type="button"
                tabindex="-1"
                aria-label="Show the list"
                on:mousedown=on(|event: leptos::ev::MouseEvent| stay(&event))
                on:click=on(move |_| picker.toggle())
            ></button>
            <ul
                class="panel absolute top-[calc(100%+2px)] left-0 z-5 max-h-72 w-max max-w-[min(32rem,80vw)] min-w-full overflow-y-auto border-line-strong shadow-raised"
                id=list_id
                role="listbox"
                aria-label=label.unwrap_or_else(|| "Choices".to_owned())
                hidden=Signal::derive(move || !picker.is_open.get())
                on:mousedown=on(|event: leptos::ev::MouseEvent| stay(&event))
            >
                {dynamic(move || picker.options())}
            </ul>
        </div>
    }
}

/// A press on the list leaves the focus where it is.
fn stay(event: &leptos::ev::MouseEvent) {
    event.prevent_default();
}

impl Picker {
    fn option_id(self, place: usize) -> String {
        self.id.with_value(|id| format!("{id}-option-{place}"))
    }

    fn active_id(self) -> Option<String> {
        self.active.get().filter(|_| self.is_open.get()).map(|place| self.option_id(place))
    }

    fn options(self) -> AnyView {
        let entries = self.entries.get();
        if !self.is_open.get() || entries.is_empty() {
            return ().into_any();
        }
        let option = |(place, entry): (usize, Entry)| {
            let Entry { text: said, note, .. } = entry.clone();
            let (marked, own) = (said.clone(), StoredValue::new(entry));
            view! {
                <li
                    class="grid cursor-pointer px-3 py-2 -outline-offset-2 outline-transparent hover:bg-accent-tint hover:outline-2 aria-selected:font-strong data-active:bg-accent-tint data-active:outline-2"
                    id=self.option_id(place)
                    role="option"
                    aria-selected=text(move || self.value.with(|value| *value == marked).to_string())
                    data-active=flag(move || self.active.get() == Some(place))
                    on:click=on(move |_| self.choose(own.get_value()))
                >
                    <span class="in-aria-selected:after:content-['_✓']">{said}</span>
                    {(!note.is_empty()).then(|| view! { <span class="text-small font-normal text-ink-dim">{note}</span> })}
                </li>
            }
        };
        entries.into_iter().enumerate().map(option).collect_view().into_any()
    }

    fn typed(self, text: String) {
        self.watched.typed.run(());
        self.value.set(text.clone());
        self.active.set(None);
        self.ask(text, PAUSE, false);
    }

    /// Whoever comes with the pointer sees the list, and types in place of what is there.
    fn clicked(self) {
        if self.is_open.get_untracked() {
            return;
        }
        if let Some(input) = self.input() {
            input.select();
        }
        self.open();
    }

    fn input(self) -> Option<HtmlInputElement> {
        self.id.with_value(|id| document().get_element_by_id(id))?.dyn_into().ok()
    }

    fn toggle(self) {
        if self.is_open.get_untracked() {
            self.close();
            return;
        }
        if let Some(input) = self.input() {
            // Keys go to the input from now on.
            drop(input.focus());
        }
        self.open();
    }

    /// Shows the beginning of the whole list, and what is chosen.
    fn open(self) {
        self.ask(String::new(), std::time::Duration::ZERO, true);
    }

    fn close(self) {
        self.asked.update_value(|asked| *asked += 1);
        self.is_open.set(false);
        self.active.set(None);
    }

    /// Looks a text up; of several questions the last one is answered.
    fn ask(self, text: String, pause: std::time::Duration, is_whole: bool) {
        self.asked.update_value(|asked| *asked += 1);
        let number = self.asked.get_value();
        let work = move || {
            if self.asked.try_get_value() != Some(number) {
                return;
            }
            let Source { binding, list } = self.source.get_value();
            spawn_local(async move {
                let pairs = vec![("list".to_owned(), list.to_owned()), ("text".to_owned(), text)];
                let Ok(found) = search_reference(Sent { binding, pairs }).await else { return };
                if self.asked.try_get_value() == Some(number) {
                    self.show(found.0, is_whole);
                }
            });
        };
        if pause.is_zero() { work() } else { set_timeout(work, pause) }
    }

    fn show(self, mut found: Vec<Entry>, is_whole: bool) {
        self.watched.found.run(found.clone());
        self.watched.said.set(match found.len() {
            0 => "No matches.".to_owned(),
            1 => "1 choice.".to_owned(),
            many => format!("{many} choices."),
        });
        let value = self.value.get_untracked();
        let chosen = found.iter().position(|entry| entry.text == value);
        if is_whole && chosen.is_none() && !value.trim().is_empty() {
            // What is chosen lies further down: it is shown all the same, first.
            found.insert(0, Entry { text: value, ..Entry::default() });
        }
        let is_chosen_shown = chosen.is_some() || !self.value.with_untracked(|value| value.trim().is_empty());
        self.active.set(is_whole.then_some(chosen.unwrap_or_default()).filter(|_| is_chosen_shown));
        self.is_open.set(!found.is_empty());
        self.entries.set(found);
        self.reveal();
    }

    fn pressed(self, event: &KeyboardEvent) {
        let is_open = self.is_open.get_untracked();
        let last = self.entries.with_untracked(Vec::len).saturating_sub(1);
        let active = self.active.get_untracked();
        let next = match event.key().as_str() {
            "ArrowDown" | "ArrowUp" if !is_open => return self.open_by(event),
            "ArrowDown" => active.map_or(0, |place| if place >= last { 0 } else { place + 1 }),
            "ArrowUp" => active.map_or(last, |place| if place == 0 { last } else { place - 1 }),
            "Home" if is_open && active.is_some() => 0,
            "End" if is_open && active.is_some() => last,
            "Enter" if is_open => return self.take(event),
            "Escape" if is_open => {
                event.prevent_default();
                event.stop_propagation();
                return self.close();
            }
            _ => return,
        };
        event.prevent_default();
        self.active.set(Some(next));
        self.reveal();
    }

    fn open_by(self, event: &KeyboardEvent) {
        event.prevent_default();
        self.open();
    }

    /// Takes the entry that the keys have led to; the form is not sent by this Enter.
    fn take(self, event: &KeyboardEvent) {
        event.prevent_default();
        let place = self.active.get_untracked();
        match place.and_then(|place| self.entries.with_untracked(|entries| entries.get(place).cloned())) {
            Some(entry) => self.choose(entry),
            None => self.close(),
        }
    }

    fn choose(self, entry: Entry) {
        self.watched.typed.run(());
        self.value.set(entry.text.clone());
        self.watched.found.run(vec![entry].into_iter().filter(|entry| !entry.id.is_empty()).collect());
        self.close();
        self.watched.left.run(());
    }

    fn left(self) {
        self.close();
        self.watched.left.run(());
    }

    /// Scrolls the list, and nothing else, to what the keys have led to.
    fn reveal(self) {
        request_animation_frame(move || {
            let Some(place) = self.active.try_get_untracked().flatten() else { return };
            if let Some(option) = document().get_element_by_id(&self.option_id(place)) {
                let options = ScrollIntoViewOptions::new();
                options.set_block(ScrollLogicalPosition::Nearest);
                option.scroll_into_view_with_scroll_into_view_options(&options);
            }
        });
    }
}
