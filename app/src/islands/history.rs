//! The history: rows that follow the server, and other lists without another page. Every way is an ordinary link or form; here they
//! are followed in place, and the address says where.

use std::time::Duration;

use leptos::{
    ev::{Event, MouseEvent, SubmitEvent},
    leptos_dom::helpers::{TimeoutHandle, WindowListenerHandle},
    prelude::*,
    task::spawn_local,
};
use views::{
    history::{HistoryFrame, HistoryView},
    links::{HISTORY, escape},
};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Element, HtmlAnchorElement, HtmlFormElement, HtmlInputElement, HtmlSelectElement};

use super::{
    rows_view::rows,
    run_panel::RunPanel,
    runs_list::{RowList, query_of},
    toast::{self, Toast},
};
use crate::{
    api::runs::fetch_history,
    components::{
        erased,
        history::{
            saved_views::saved_views,
            status_pills::{filter_chips, status_pills},
        },
    },
};

/// The id of the part of the page whose links and forms are followed in place.
const PART: &str = "history";
/// How long somebody must have stopped typing before what they look for is asked.
const STOPPED_TYPING: Duration = Duration::from_millis(300);

/// What the address does when another list is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    /// It gains an entry, so that Back leads to the list before.
    Push,
    /// It is put in the place of the one before.
    Replace,
    /// It is there already: somebody went back or forward.
    Keep,
}

#[derive(Clone, Copy)]
struct Desk {
    list: RowList,
    panel: RunPanel,
    /// Counts what was asked, so that an answer that comes late changes nothing.
    asked: StoredValue<u32>,
    is_loading: RwSignal<bool>,
    typing: StoredValue<Option<TimeoutHandle>>,
}

/// The history, whole.
#[island(lazy)]
pub fn History(
    /// What it shows at first.
    view: HistoryView,
) -> impl IntoView {
    let HistoryView { page, frame } = view;
    let views = page.views.clone();
    let list = RowList::new(page, frame);
    let desk = Desk {
        list,
        panel: RunPanel::new(),
        asked: StoredValue::new(0),
        is_loading: RwSignal::new(false),
        typing: StoredValue::new(None),
    };
    Effect::new(move |_| desk.listen());
    let shown = Memo::new(move |_| list.frame.get());
    // Cut here: a page is one nested type, and the stack of a debug build is small.
    let ways = (status_pills(shown).into_any(), saved_views(shown, views).into_any());
    let parts = (
        filter_chips(shown).into_any(),
        tools(shown).into_any(),
        rows(desk.list, desk.panel, shown).into_any(),
    );
    view! {
        <div class="row max-desk:flex-col max-desk:flex-nowrap max-desk:items-stretch justify-between gap-x-6 gap-y-3">{ways.0} {ways.1}</div>
        {parts.0}
        {parts.1}
        <div id="runs" class="grid gap-4 aria-busy:opacity-60" aria-busy=erased::flag(move || desk.is_loading.get())>
            {parts.2}
        </div>
    }
}

/// What can be done with the whole list.
fn tools(frame: Memo<HistoryFrame>) -> impl IntoView {
    let export = move |kind: &'static str| erased::text(move || frame.with(|frame| frame.export(kind)));
    let retry_all = erased::dynamic(move || {
        let href = frame.with(|frame| frame.retry_all.clone());
        let link = |href| {
            view! {
                <a class="button" href=href>
                    "Retry all matching runs\u{2026}"
                </a>
            }
        };
        href.map(link).into_any()
    });
    view! {
        <div class="flex flex-wrap items-center gap-2">
            <a class="button button-quiet" href=format!("{HISTORY}/causes")>
                "Failures by cause"
            </a>
            {retry_all}
            <a class="button" href=export("csv")>
                "Export CSV"
            </a>
            <a class="button" href=export("json")>
                "Export JSON"
            </a>
        </div>
    }
}

impl Desk {
    /// Takes over the links and forms of the page's part, whoever rendered them.
    fn listen(self) {
        if let Some(part) = document().get_element_by_id(PART) {
            // An attribute of a fixed name can always be set.
            drop(part.set_attribute("data-awake", "true"));
        }
        let heard = [
            window_event_listener(leptos::ev::click, move |event| self.clicked(&event)),
            window_event_listener(leptos::ev::submit, move |event| self.submitted(&event)),
            window_event_listener(leptos::ev::input, move |event| self.typed(&event)),
            window_event_listener(leptos::ev::change, move |event| self.chosen(&event)),
        ];
        on_cleanup(move || heard.into_iter().for_each(WindowListenerHandle::remove));
        self.panel.follow();
        self.follow_back_and_forward();
    }

    /// Shows the list at an address of the history.
    fn go(self, href: String, entry: Entry) {
        let number = self.asked.get_value() + 1;
        self.asked.set_value(number);
        // The run beside it may not be in the other list.
        self.panel.close();
        self.is_loading.set(true);
        spawn_local(async move {
            let answer = fetch_history(query_of(&href).to_owned()).await;
            if self.asked.get_value() != number {
                return;
            }
            self.is_loading.set(false);
            match answer {
                Ok(view) => {
                    write_address(&view.frame.href, entry);
                    fill_in(&view.frame);
                    self.list.show(view);
                }
                // The server leads to the sign-in, and from there back.
                Err(error) if error.is_not_signed_in() => drop(location().set_href(&href)),
                Err(error) => toast::say(Toast {
                    text: format!("{} {}", error.code.sentence(), error.code.action()),
                    ..Toast::default()
                }),
            }
        });
    }

    /// Follows a link to another list in place, as long as nobody wants it elsewhere.
    fn clicked(self, event: &MouseEvent) {
        let is_plain = event.button() == 0
            && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key());
        let link = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if link.as_ref().is_some_and(|element| element.class_list().contains("panel-close")) {
            self.panel.close();
        }
        let link = link.and_then(|element| element.closest("#history a[href]").ok().flatten());
        let link = link.and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok());
        let Some(link) = link.filter(|_| is_plain) else { return };
        if link.pathname() == HISTORY {
            event.prevent_default();
            self.go(format!("{HISTORY}{}", link.search()), Entry::Push);
        } else if link.class_list().contains("run-number") && RunPanel::has_room() {
            event.prevent_default();
            self.panel.show(link.pathname());
        }
    }

    fn submitted(self, event: &SubmitEvent) {
        let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
        let Some(form) = form else { return };
        if form.closest("#history").ok().flatten().is_none() {
            return;
        }
        if form.method() == "get" {
            event.prevent_default();
            self.ask(&form, Entry::Push);
        } else {
            self.list.submitted(event);
        }
    }

    /// The search box asks when somebody has stopped typing.
    fn typed(self, event: &Event) {
        let input = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        let Some(form) = input.filter(|input| input.name() == "q").and_then(|input| input.form()) else {
            return;
        };
        self.typing.update_value(|typing| {
            if let Some(before) = typing.take() {
                before.clear();
            }
            *typing = set_timeout_with_handle(move || self.ask(&form, Entry::Replace), STOPPED_TYPING).ok();
        });
    }

    /// A filter asks when it is chosen.
    fn chosen(self, event: &Event) {
        let field = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let form = field.and_then(|field| field.closest("#history form.filter-form").ok().flatten());
        if let Some(form) = form.and_then(|form| form.dyn_into::<HtmlFormElement>().ok()) {
            self.ask(&form, Entry::Push);
        }
    }

    /// Shows the list that a form asks for: what is shown now, with the form's own fields.
    fn ask(self, form: &HtmlFormElement, entry: Entry) {
        let own = fields_of(form);
        let parts = self.list.frame.with_untracked(|frame| frame.parts.clone());
        let kept = parts.into_iter().filter(|(name, _)| own.iter().all(|(own, _)| own != name));
        let asked = kept.chain(own.iter().filter(|(_, value)| !value.is_empty()).cloned());
        let query: Vec<_> = asked.map(|(name, value)| format!("{name}={}", escape(&value))).collect();
        self.go(format!("{HISTORY}?{}", query.join("&")), entry);
    }

    fn follow_back_and_forward(self) {
        let went = Closure::<dyn FnMut()>::new(move || {
            let search = location().search().unwrap_or_default();
            self.go(format!("{HISTORY}{search}"), Entry::Keep);
        });
        // For as long as the document lives.
        drop(window().add_event_listener_with_callback("popstate", went.into_js_value().unchecked_ref()));
    }
}

/// Name and value of the fields that people fill in.
fn fields_of(form: &HtmlFormElement) -> Vec<(String, String)> {
    let elements = form.elements();
    let field = |place| {
        let element = elements.item(place)?;
        if let Some(select) = element.dyn_ref::<HtmlSelectElement>() {
            return Some((select.name(), select.value()));
        }
        let input = element.dyn_ref::<HtmlInputElement>().filter(|input| input.type_() != "hidden")?;
        Some((input.name(), input.value().trim().to_owned()))
    };
    (0..elements.length()).filter_map(field).collect()
}

/// Puts what the list asks for into the fields, but for the one that somebody is typing in.
fn fill_in(frame: &HistoryFrame) {
    let Ok(found) = document().query_selector_all(&format!("#{PART} form[method=get]")) else { return };
    let forms = (0..found.length()).filter_map(|place| found.item(place)?.dyn_into::<HtmlFormElement>().ok());
    for elements in forms.map(|form| form.elements()) {
        for element in (0..elements.length()).filter_map(|place| elements.item(place)) {
            if document().active_element().as_ref() == Some(&element) {
                continue;
            }
            if let Some(select) = element.dyn_ref::<HtmlSelectElement>() {
                select.set_value(&frame.value(&select.name()));
            } else if let Some(input) = element.dyn_ref::<HtmlInputElement>() {
                input.set_value(&frame.value(&input.name()));
            }
        }
    }
}

fn write_address(href: &str, entry: Entry) {
    let Ok(history) = window().history() else { return };
    let written = match entry {
        Entry::Push => history.push_state_with_url(&JsValue::NULL, "", Some(href)),
        Entry::Replace => history.replace_state_with_url(&JsValue::NULL, "", Some(href)),
        Entry::Keep => Ok(()),
    };
    if written.is_err() {
        leptos::logging::warn!("the address could not be written");
    }
}
