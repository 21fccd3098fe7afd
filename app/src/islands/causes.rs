//! Failures by cause: retried where they are, with what comes of it.

use leptos::{prelude::*, task::spawn_local};
use views::{
    bulk::BulkView,
    causes::{CauseView, CausesView},
    error::AppError,
    links::HISTORY,
};

use super::{
    bulk::job_line,
    focus, live,
    refetch::Refetch,
    toast::{self, Toast},
};
use crate::{
    api::runs::{fetch_bulk, fetch_causes, retry_cause},
    components::{causes_table, erased},
};

#[derive(Clone, Copy)]
struct Causes {
    view: RwSignal<CausesView>,
    /// The cause whose retry waits for a second word.
    asked: RwSignal<Option<String>>,
    /// Retries that were begun here, newest first.
    jobs: RwSignal<Vec<BulkView>>,
    refetch: Refetch,
}

/// The causes.
#[island(lazy)]
pub fn CausesList(
    /// What is open at first.
    view: CausesView,
) -> impl IntoView {
    let may_retry = view.may_retry;
    let causes = Causes {
        view: RwSignal::new(view),
        asked: RwSignal::new(None),
        jobs: RwSignal::new(Vec::new()),
        refetch: Refetch::new(),
    };
    Effect::new(move |_| {
        let version = live::live().version.get();
        if version.is_some_and(|version| causes.view.with_untracked(|view| view.version) != version) {
            causes.fetch();
        }
    });
    let jobs = erased::dynamic(move || {
        let jobs = causes.jobs.get();
        jobs.into_iter().map(|job| view! { <li>{job_line(&job)}</li> }).collect_view().into_any()
    });
    let ids = Memo::new(move |_| {
        causes.view.with(|view| view.groups.iter().map(|group| group.id.clone()).collect::<Vec<_>>())
    });
    view! {
        <ul class="jobs mb-3 border-l-3 border-busy bg-busy-tint px-4 py-2 empty:m-0 empty:p-0" role="status">
            {jobs}
        </ul>
        {erased::dynamic(move || ids.with(Vec::is_empty).then(nothing).into_any())}
            <div class="desk:panel desk:shadow-sheet" hidden=erased::switch(move || ids.with(Vec::is_empty))>
                {causes_table::frame(
                    view! {
                        <For each=move || ids.get() key=Clone::clone let(id)>
                            {causes.row(id, may_retry)}
                        </For>
                    }
                        .into_any(),
                )}
            </div>
    }
}

fn nothing() -> AnyView {
    view! {
        <div class="empty">
            <p class="empty-title">"Nothing needs attention"</p>
            <p>"No failed or waiting documents."</p>
            <a class="button" href=HISTORY>
                "Go to sync runs"
            </a>
        </div>
    }
    .into_any()
}

impl Causes {
    fn row(self, id: String, may_retry: bool) -> AnyView {
        let find =
            move |view: &CausesView, id: &str| view.groups.iter().find(|group| group.id == id).cloned();
        let Some(first) = self.view.with_untracked(|view| find(view, &id)) else { return ().into_any() };
        let (own, asked_id) = (id.clone(), id);
        // A cause that is about to leave the list stays what it was until then.
        let group = Memo::new(move |before: Option<&CauseView>| {
            let now = self.view.with(|view| find(view, &own));
            now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
        });
        let is_asked = Signal::derive(move || self.asked.with(|asked| *asked == Some(asked_id.clone())));
        let acts = may_retry.then(|| causes_table::Acts {
            is_asked,
            ask: Callback::new(move |is_asked: bool| {
                // What was pressed goes: the focus follows to what takes its place.
                let next = if is_asked { ".button-main" } else { ".run-action a.button:not([hidden])" };
                group.with_untracked(|group| focus::soon(format!("[id=\"cause-{}\"] {next}", group.id)));
                self.asked.set(is_asked.then(|| group.with_untracked(|group| group.id.clone())));
            }),
            retry: Callback::new(move |()| self.retry(group.get_untracked())),
        });
        causes_table::row(group.into(), acts)
    }

    fn retry(self, group: CauseView) {
        self.asked.set(None);
        focus::soon(format!("[id=\"cause-{}\"] .run-action a.button:not([hidden])", group.id));
        spawn_local(async move {
            match retry_cause(group.query).await {
                Ok(job) => {
                    self.jobs.update(|jobs| jobs.insert(0, job));
                    self.fetch();
                }
                Err(error) => refuse(&error),
            }
        });
    }

    fn fetch(self) {
        self.refetch.ask(move || async move {
            // What could not be fetched is fetched with the next change.
            if let Ok(view) = fetch_causes().await {
                self.view.set(view);
            }
            self.follow_jobs().await;
        });
    }

    async fn follow_jobs(self) {
        for job in self.jobs.get_untracked().into_iter().filter(|job| !job.is_settled()) {
            if let Ok(newer) = fetch_bulk(job.id.clone()).await {
                self.jobs.update(|jobs| {
                    if let Some(own) = jobs.iter_mut().find(|own| own.id == newer.id) {
                        *own = newer;
                    }
                });
            }
        }
    }
}

fn refuse(error: &AppError) {
    toast::say(Toast {
        text: format!("{} {}", error.code.sentence(), error.code.action()),
        ..Toast::default()
    });
}
