//! A bulk retry: how far it has come, and what came of its runs.

use leptos::{prelude::*, server_fn::ServerFn, task::spawn_local};
use views::{
    bulk::{BulkView, count, state_sentence},
    links::HISTORY,
};

use super::live;
use crate::{
    api::runs::{CancelRetryAll, fetch_bulk},
    components::{
        erased,
        time::{Time, Zone},
    },
};

/// A bulk retry, and it follows the server until its last run has ended.
#[island(lazy)]
pub fn BulkProgress(
    /// How it is at first.
    bulk: BulkView,
    /// The store's change number when that was read.
    version: u64,
) -> impl IntoView {
    let shown = RwSignal::new(bulk);
    Effect::new(move |_| {
        let newest = live::live().version.get();
        let is_news = newest.is_some_and(|newest| newest != version);
        if is_news && !shown.with_untracked(BulkView::is_settled) {
            let id = shown.with_untracked(|bulk| bulk.id.clone());
            spawn_local(async move {
                // What could not be fetched is fetched with the next change.
                if let Ok(bulk) = fetch_bulk(id).await {
                    shown.set(bulk);
                }
            });
        }
    });
    let of = move |part: fn(&BulkView) -> String| erased::text(move || shown.with(part));
    let (id, runs) = shown.with_untracked(|bulk| (bulk.id.clone(), bulk.runs.clone()));
    view! {
        <section id="bulk" class="card">
            <p class="ask-count text-lead font-semibold" role="status">
                {of(state_sentence)}
            </p>
            <p role="status">{of(|bulk| bulk.outcomes.sentence())}</p>
            <progress
                max=of(|bulk| bulk.expected.max(bulk.retried + bulk.passed_over).to_string())
                value=of(|bulk| (bulk.retried + bulk.passed_over).to_string())
                aria-label="Progress"
            ></progress>
            {facts(shown)}
            {erased::dynamic(move || shown.with(failures).into_any())}
            <div class="row gap-x-2">
                <form method="post" action=CancelRetryAll::PATH hidden=erased::switch(move || shown.with(|bulk| !bulk.may_cancel))>
                    <button class="button" name="bulk" value=id>
                        "Cancel"
                    </button>
                </form>
                <a class="button" href=runs>
                    "Show the runs"
                </a>
                <a class="button button-quiet" href=format!("{HISTORY}/retries")>
                    "All bulk retries"
                </a>
            </div>
        </section>
    }
}

/// Why runs failed again, each cause with the list of them.
fn failures(bulk: &BulkView) -> impl IntoView + use<> {
    let all = bulk.failed_again.clone()?;
    let items = bulk.failures.iter().cloned().map(|failure| {
        view! {
            <li>
                <a href=failure.href>{failure.documents}</a>
                ": "
                {failure.sentence}
                " "
                {failure.action}
            </li>
        }
    });
    Some(view! {
        <h2>"Failed again"</h2>
        <ul>{items.collect_view()}</ul>
        <p>
            <a href=all>"Show all that failed again"</a>
        </p>
    })
}

fn facts(shown: RwSignal<BulkView>) -> impl IntoView {
    let of = move |part: fn(&BulkView) -> i64| erased::text(move || shown.with(|bulk| count(part(bulk))));
    let facts = [
        ("Queued", of(|bulk| bulk.retried)),
        ("Now in Sage", of(|bulk| bulk.outcomes.in_sage)),
        ("Failed again", of(|bulk| bulk.outcomes.failed)),
        ("Skipped", of(|bulk| bulk.outcomes.skipped)),
        ("Still in progress", of(|bulk| bulk.outcomes.open)),
        ("Not retried", of(|bulk| bulk.passed_over)),
        ("Matching at the start", of(|bulk| bulk.expected)),
    ];
    let facts = facts.map(|(name, value)| {
        view! {
            <div class="fact">
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    });
    let ended = erased::dynamic(move || {
        let ended = shown.with(|bulk| bulk.ended.clone());
        ended
            .map(|at| view! { <p class="card-line">"Ended " <Time at /> " (" <Zone /> ")"</p> }.into_any())
            .into_any()
    });
    let (actor, began) = shown.with_untracked(|bulk| (bulk.actor.clone(), bulk.began.clone()));
    view! {
        <dl class="card-facts">{facts.into_iter().collect_view()}</dl>
        <p class="card-line">"Started by " {actor} ", " <Time at=began /> " (" <Zone /> ")"</p>
        {ended}
    }
}

/// One that was begun on this page, in a line.
pub fn job_line(bulk: &BulkView) -> AnyView {
    let href = format!("{HISTORY}/retries/{}", bulk.id);
    view! {
        <span>{state_sentence(bulk)} " " {bulk.outcomes.sentence()} " "</span>
        <a href=href>"View"</a>
    }
    .into_any()
}
