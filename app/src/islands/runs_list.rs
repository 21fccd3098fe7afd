//! The rows of the history: they follow the server, and are retried where they are.

use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use views::{
    error::AppError,
    history::{HistoryFrame, HistoryView},
    run::href,
    runs::{RetriedView, RunRow, RunsPage},
};
use wasm_bindgen::JsCast;
use web_sys::HtmlButtonElement;

use super::{
    refetch::Refetch,
    toast::{self, Toast},
};
use crate::{
    api::runs::{fetch_history, retry_in_place},
    components::runs_table::{RowActions, run_group, runs_frame},
};

/// What the list keeps while its page is open.
#[derive(Clone, Copy)]
pub struct RowList {
    /// What is shown.
    pub page: RwSignal<RunsPage>,
    /// What stands around it.
    pub frame: RwSignal<HistoryFrame>,
    /// A newer page that waits until the pointer leaves the list.
    waiting: RwSignal<Option<RunsPage>>,
    /// Whether the pointer is in the list.
    pub is_held: RwSignal<bool>,
    refetch: Refetch,
    /// Runs whose retry is on its way.
    busy: RwSignal<Vec<String>>,
    /// Runs that were retried here: their end is said.
    retried: RwSignal<Vec<String>>,
    /// Runs that are chosen for an act on several.
    pub chosen: RwSignal<Vec<String>>,
    /// The row that Tab leads to; none until the browser has taken over: then it leads to every control.
    pub current: RwSignal<Option<String>>,
}

impl RowList {
    /// The list of a page.
    pub fn new(page: RunsPage, frame: HistoryFrame) -> Self {
        Self {
            page: RwSignal::new(page),
            frame: RwSignal::new(frame),
            waiting: RwSignal::new(None),
            is_held: RwSignal::new(false),
            refetch: Refetch::new(),
            busy: RwSignal::new(Vec::new()),
            retried: RwSignal::new(Vec::new()),
            chosen: RwSignal::new(Vec::new()),
            current: RwSignal::new(None),
        }
    }
}

impl RowList {
    /// The table of the rows.
    pub fn table(self, frame: Memo<HistoryFrame>, may_retry: bool) -> AnyView {
        let ids = Memo::new(move |_| self.page.with(ids_of));
        let groups = view! {
            <For each=move || ids.get() key=Clone::clone let(id)>
                {self.row(id, may_retry)}
            </For>
        };
        runs_frame(Signal::derive(move || frame.with(|frame| frame.sorts.clone())), groups.into_any())
    }

    fn row(self, id: String, may_retry: bool) -> AnyView {
        let find = move |page: &RunsPage, id: &str| page.rows.iter().find(|row| row.id == id).cloned();
        let Some(first) = self.page.with_untracked(|page| find(page, &id)) else { return ().into_any() };
        let (own, busy_id, current_id) = (id.clone(), id.clone(), id.clone());
        // A row that is about to leave the list stays what it was until then.
        let row = Memo::new(move |before: Option<&RunRow>| {
            let now = self.page.with(|page| find(page, &own));
            now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
        });
        let actions = may_retry.then(|| RowActions {
            is_busy: Signal::derive(move || self.busy.with(|busy| busy.contains(&busy_id))),
            is_chosen: Signal::derive({
                let id = id.clone();
                move || self.chosen.with(|chosen| chosen.contains(&id))
            }),
            choose: Callback::new(move |is_chosen: bool| self.choose(&id, is_chosen)),
        });
        let is_skipped = Signal::derive(move || {
            self.current.with(|current| current.as_ref().is_some_and(|current| *current != current_id))
        });
        run_group(row.into(), actions, is_skipped)
    }

    /// Chooses a run for an act on several, or no longer.
    pub fn choose(self, id: &str, is_chosen: bool) {
        self.chosen.update(|chosen| {
            chosen.retain(|own| own != id);
            if is_chosen {
                chosen.push(id.to_owned());
            }
        });
    }

    /// Shows another list.
    pub fn show(self, HistoryView { page, frame }: HistoryView) {
        self.frame.set(frame);
        self.waiting.set(None);
        self.chosen.set(Vec::new());
        self.current.update(|current| {
            if current.is_some() {
                *current = page.rows.first().map(|row| row.id.clone());
            }
        });
        self.page.set(page);
    }

    /// The server has named a change: what is shown is fetched again, unless it is as new.
    pub fn hear(self, version: u64) {
        let shown = self.page.with_untracked(|page| page.version);
        let waits = self.waiting.with_untracked(|page| page.as_ref().map(|page| page.version));
        if waits.unwrap_or(shown) != version {
            self.fetch();
        }
    }

    fn fetch(self) {
        self.refetch.ask(move || async move {
            let href = self.frame.with_untracked(|frame| frame.href.clone());
            // What could not be fetched is fetched with the next change; what another list has replaced is not shown.
            if let Ok(HistoryView { page, frame }) = fetch_history(query_of(&href).to_owned()).await
                && self.frame.with_untracked(|frame| frame.href == href)
            {
                self.take(page);
                self.frame.set(frame);
            }
        });
    }

    /// Shows a newer page; while the pointer is in the list no row moves, and new ones wait.
    fn take(self, newer: RunsPage) {
        self.say_ends(&newer);
        if self.is_held.get_untracked() && self.page.with_untracked(ids_of) != ids_of(&newer) {
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

    /// The pointer has left the list: what waits is shown.
    pub fn let_go(self) {
        self.is_held.set(false);
        if let Some(page) = self.waiting.get_untracked() {
            self.waiting.set(None);
            self.page.set(page);
        }
    }

    /// How many new rows wait until the pointer leaves the list.
    pub fn waiting_sentence(self) -> Option<String> {
        let waiting = self.waiting.get()?;
        let shown = self.page.with(ids_of);
        match waiting.rows.iter().filter(|row| !shown.contains(&row.id)).count() {
            0 => None,
            1 => Some("1 new run. It appears when the pointer leaves the list.".to_owned()),
            many => Some(format!("{many} new runs. They appear when the pointer leaves the list.")),
        }
    }

    /// Retries the run whose button was pressed, and leaves the page where it is.
    pub fn submitted(self, event: &SubmitEvent) {
        let button = event.submitter().and_then(|button| button.dyn_into::<HtmlButtonElement>().ok());
        if let Some(button) = button.filter(|button| button.name() == "run_id") {
            event.prevent_default();
            self.retry(&button.value());
        }
    }

    /// Retries a run of the list, if it can be.
    pub fn retry(self, id: &str) {
        let before = self.page.with_untracked(|page| page.rows.iter().find(|row| row.id == id).cloned());
        let Some(before) = before.filter(|row| row.can_retry) else { return };
        if self.busy.with_untracked(|busy| busy.iter().any(|own| own == id)) {
            return;
        }
        self.busy.update(|busy| busy.push(before.id.clone()));
        self.put(before.clone().queued());
        spawn_local(async move {
            let answer = retry_in_place(before.id.clone()).await;
            self.busy.update(|busy| busy.retain(|own| *own != before.id));
            self.answered(before, answer);
        });
    }

    fn answered(self, before: RunRow, answer: Result<RetriedView, AppError>) {
        let (document, link) = (before.document.clone(), Some(("View".to_owned(), href(&before.id))));
        match answer {
            Ok(RetriedView { flash, row }) => {
                let text = format!("{document}: {}", flash.sentence());
                toast::say(Toast { text, is_good: flash.is_good(), link });
                self.retried.update(|retried| retried.push(row.id.clone()));
                self.put(row);
            }
            Err(error) => {
                let text = format!("{document}: {} {}", error.code.sentence(), error.code.action());
                toast::say(Toast { text, is_good: false, link });
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
            if self.retried.with_untracked(|retried| retried.contains(&row.id)) {
                self.retried.update(|retried| retried.retain(|own| *own != row.id));
                let link = Some(("View".to_owned(), href(&row.id)));
                toast::say(Toast { text: row.end(&row.document), is_good: row.is_good(), link });
            }
        }
    }
}

/// An address's query, without the question mark.
pub fn query_of(href: &str) -> &str {
    href.split_once('?').map_or("", |(_, query)| query)
}

fn ids_of(page: &RunsPage) -> Vec<String> {
    page.rows.iter().map(|row| row.id.clone()).collect()
}
