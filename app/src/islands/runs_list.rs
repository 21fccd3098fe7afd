//! The rows of the history: they follow the server, and are retried where they stand.

use std::collections::BTreeMap;

use leptos::{ev::SubmitEvent, prelude::*, server_fn::ServerFn, task::spawn_local};
use views::{
    error::AppError,
    links::HISTORY,
    runs::{RetriedView, RunRow, RunsPage, SortLink},
};
use wasm_bindgen::JsCast;
use web_sys::HtmlButtonElement;

use super::live;
use crate::{
    api::runs::{RetryRun, fetch_runs, retry_in_place},
    components::{
        pager::Pager,
        runs_table::{retry_button, run_group, runs_frame},
    },
};

/// What the list keeps while its page is open.
#[derive(Clone, Copy)]
struct List {
    /// What is shown.
    page: RwSignal<RunsPage>,
    /// A newer page that waits until the pointer leaves the list.
    waiting: RwSignal<Option<RunsPage>>,
    is_held: RwSignal<bool>,
    /// Whether a page is on its way, and whether another one is to be fetched after it.
    is_fetching: StoredValue<bool>,
    is_behind: StoredValue<bool>,
    /// Runs whose retry is on its way.
    busy: RwSignal<Vec<String>>,
    /// Runs that were retried here, with what they are called: their end is said.
    retried: StoredValue<BTreeMap<String, String>>,
    /// What is said of the last retry.
    said: RwSignal<String>,
    query: StoredValue<String>,
}

/// The rows of a page of the history, with the ways to its neighbours.
#[island]
pub fn RunsList(
    /// The page as it was rendered.
    page: RunsPage,
    /// Its address without the path.
    query: String,
    /// Its address.
    return_to: String,
    /// The ways to other orders, column by column.
    sorts: Vec<Option<SortLink>>,
    /// Where the list begins, when this is another part of it.
    first: Option<String>,
    /// What the neighbouring pages are called.
    names: Vec<String>,
    /// Whether there are runs that this list leaves out.
    is_part: bool,
) -> impl IntoView {
    let may_retry = page.may_retry;
    let list = List {
        page: RwSignal::new(page),
        waiting: RwSignal::new(None),
        is_held: RwSignal::new(false),
        is_fetching: StoredValue::new(false),
        is_behind: StoredValue::new(false),
        busy: RwSignal::new(Vec::new()),
        retried: StoredValue::new(BTreeMap::new()),
        said: RwSignal::new(String::new()),
        query: StoredValue::new(query),
    };
    Effect::new(move |_| {
        if let Some(version) = live::live().version.get() {
            list.hear(version);
        }
    });
    let is_empty = Memo::new(move |_| list.page.with(|page| page.rows.is_empty() && !page.stopped));
    let (sorts, return_to) = (StoredValue::new(sorts), StoredValue::new(return_to));
    view! {
        <p class="waiting" role="status">
            {move || list.waiting_sentence()}
        </p>
        <p class="toast" role="status">
            {list.said}
        </p>
        <Show when=move || !is_empty.get() fallback=move || nothing(is_part)>
            <form method="post" action=RetryRun::PATH on:submit=move |event| list.submit(&event)>
                <input type="hidden" name="return_to" value=return_to.get_value() />
                <div
                    class="runs-frame"
                    on:pointerenter=move |_| list.is_held.set(true)
                    on:pointerleave=move |_| list.let_go()
                >
                    {list.table(&sorts.get_value(), may_retry)}
                </div>
            </form>
        </Show>
        {move || {
            let (previous, next) = list.page.with(|page| (page.previous.clone(), page.next.clone()));
            view! { <Pager first=first.clone() previous next names=names.clone() /> }
        }}
    }
}

/// The empty list.
fn nothing(is_part: bool) -> AnyView {
    if is_part {
        return view! {
            <div class="empty">
                <p class="empty-title">"No matching runs"</p>
                <p>"No runs on this page match these filters."</p>
                <a class="button" href=HISTORY>
                    "Show all runs"
                </a>
            </div>
        }
        .into_any();
    }
    view! {
        <div class="empty">
            <p class="empty-title">"Nothing synced yet"</p>
            <p>"The first invoice from your shop appears here within moments."</p>
        </div>
    }
    .into_any()
}

impl List {
    fn table(self, sorts: &[Option<SortLink>], may_retry: bool) -> AnyView {
        let ids = Memo::new(move |_| {
            self.page.with(|page| page.rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>())
        });
        let groups = view! {
            <For each=move || ids.get() key=Clone::clone let(id)>
                {self.row(id, may_retry)}
            </For>
        };
        runs_frame(sorts, groups.into_any())
    }

    fn row(self, id: String, may_retry: bool) -> AnyView {
        let find = move |page: &RunsPage, id: &str| page.rows.iter().find(|row| row.id == id).cloned();
        let Some(first) = self.page.with_untracked(|page| find(page, &id)) else { return ().into_any() };
        let (own, busy_id) = (id.clone(), id);
        // A row that is about to leave the list stays what it was until then.
        let row = Memo::new(move |before: Option<&RunRow>| {
            let now = self.page.with(|page| find(page, &own));
            now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
        });
        let is_busy = Signal::derive(move || self.busy.with(|busy| busy.contains(&busy_id)));
        run_group(row.into(), may_retry.then(|| retry_button(row.into(), is_busy)))
    }

    /// The server has named a change: what is shown is fetched again, unless it is as new.
    fn hear(self, version: u64) {
        let shown = self.page.with_untracked(|page| page.version);
        let waits = self.waiting.with_untracked(|page| page.as_ref().map(|page| page.version));
        if waits.unwrap_or(shown) != version {
            self.fetch();
        }
    }

    fn fetch(self) {
        if self.is_fetching.get_value() {
            self.is_behind.set_value(true);
            return;
        }
        self.is_fetching.set_value(true);
        spawn_local(async move {
            loop {
                self.is_behind.set_value(false);
                // What could not be fetched is fetched with the next change.
                if let Ok(page) = fetch_runs(self.query.get_value()).await {
                    self.take(page);
                }
                if !self.is_behind.get_value() {
                    break;
                }
            }
            self.is_fetching.set_value(false);
        });
    }

    /// Shows a newer page; while the pointer is in the list no row moves, and new ones wait.
    fn take(self, newer: RunsPage) {
        self.say_ends(&newer);
        let ids = |page: &RunsPage| page.rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
        if self.is_held.get_untracked() && self.page.with_untracked(ids) != ids(&newer) {
            self.page.update(|page| {
                for row in &mut page.rows {
                    if let Some(now) = newer.rows.iter().find(|now| now.id == row.id) {
                        row.clone_from(now);
                    }
                }
            });
            self.waiting.set(Some(newer));
        } else {
            self.waiting.set(None);
            self.page.set(newer);
        }
    }

    fn let_go(self) {
        self.is_held.set(false);
        if let Some(page) = self.waiting.get_untracked() {
            self.waiting.set(None);
            self.page.set(page);
        }
    }

    fn waiting_sentence(self) -> Option<String> {
        let waiting = self.waiting.get()?;
        let shown = self.page.with(|page| page.rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>());
        match waiting.rows.iter().filter(|row| !shown.contains(&row.id)).count() {
            0 => None,
            1 => Some("1 new run. It appears when the pointer leaves the list.".to_owned()),
            many => Some(format!("{many} new runs. They appear when the pointer leaves the list.")),
        }
    }

    /// Retries the run whose button was pressed, and leaves the page where it is.
    fn submit(self, event: &SubmitEvent) {
        let button = event.submitter().and_then(|button| button.dyn_into::<HtmlButtonElement>().ok());
        let Some(button) = button else { return };
        event.prevent_default();
        let id = button.value();
        let before = self.page.with_untracked(|page| page.rows.iter().find(|row| row.id == id).cloned());
        let Some(before) = before.filter(|row| row.can_retry) else { return };
        if self.busy.with_untracked(|busy| busy.contains(&id)) {
            return;
        }
        self.busy.update(|busy| busy.push(id.clone()));
        self.put(before.clone().queued());
        spawn_local(async move {
            let answer = retry_in_place(id.clone()).await;
            self.busy.update(|busy| busy.retain(|other| *other != id));
            self.answered(before, answer);
        });
    }

    fn answered(self, before: RunRow, answer: Result<RetriedView, AppError>) {
        let document = before.document.clone();
        match answer {
            Ok(RetriedView { flash, row }) => {
                self.said.set(format!("{document}: {}", flash.sentence()));
                self.retried.update_value(|retried| drop(retried.insert(row.id.clone(), document)));
                self.put(row);
            }
            Err(error) => {
                self.said.set(format!("{document}: {} {}", error.code.sentence(), error.code.action()));
                self.put(before);
            }
        }
    }

    fn put(self, row: RunRow) {
        self.page.update(|page| {
            if let Some(own) = page.rows.iter_mut().find(|own| own.id == row.id) {
                *own = row;
            }
        });
    }

    /// Says what became of the runs that were retried here.
    fn say_ends(self, page: &RunsPage) {
        for row in page.rows.iter().filter(|row| row.status.is_terminal()) {
            let mut document = None;
            self.retried.update_value(|retried| document = retried.remove(&row.id));
            if let Some(document) = document {
                self.said.set(row.end(&document));
            }
        }
    }
}
