//! `/dashboard/sync/retry` asks before all runs of a view are retried; `/dashboard/sync/retries/{id}` shows how far that has come.

use leptos::{either::Either, prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::{
    api::runs::{CancelRetryAll, RetryAll},
    components::{
        flash::{FlashLine, flash_unless},
        problem::{Problem, or_problem},
        time::{Time, Zone},
    },
    context,
    islands::{bulk::BulkProgress, live_line::LiveLine},
    refusal::refusal_of,
};
use services::history::{
    operator_actions::{self, bulk_href},
    query::HistoryQuery,
};
use views::{
    bulk::{BulkView, PreviewView, state_sentence},
    error::AppError,
    links::HISTORY,
};

/// Asks before all runs of a view are retried.
#[component]
pub fn RetryAllPage() -> impl IntoView {
    let query = use_query_map().with_untracked(|map| HistoryQuery::read(|name| map.get_str(name)));
    let shown = query.clone().unwrap_or_default();
    let refused = refusal_of::<RetryAll>();
    let answer = Resource::new(|| (), move |()| preview(query.clone()));
    view! {
        <Title text="Retry all matching runs \u{b7} Ledger" />
        <h1>"Retry all matching runs"</h1>
        {refused.map(|error| view! { <Problem code=error.code /> })}
        <Transition>
            {move || {
                let shown = shown.clone();
                answer.get().map(|answer| or_problem(answer, |preview| question(&preview, &shown)))
            }}
        </Transition>
    }
    .into_any()
}

async fn preview(query: Result<HistoryQuery, AppError>) -> Result<PreviewView, AppError> {
    let work =
        async { operator_actions::preview(&context::services()?, &context::member().await?, &query?).await };
    context::answer(work).await
}

fn question(preview: &PreviewView, query: &HistoryQuery) -> AnyView {
    let (about, label) = (preview.sentence(), preview.label());
    let all = (!preview.is_filtered).then_some("No filter is set, so this covers the whole list.");
    let ask = (preview.count > 0).then(|| {
        view! {
            <form method="post" action=RetryAll::PATH>
                <input type="hidden" name="query" value=query.text() />
                <button class="button button-main">{label}</button>
            </form>
        }
    });
    view! {
        <section class="card max-w-176 gap-3">
            <p class="ask-count text-lead font-semibold">{about}</p>
            {preview.warnings.iter().map(|text| view! { <p class="notice">{text.clone()}</p> }).collect_view()}
            {all.map(|text| view! { <p class="notice">{text}</p> })}
            <p>
                "Ledger queues failed, skipped, waiting and retrying runs again, oldest first and a few at a time, so that new documents are not delayed.
                Nothing is posted twice: Ledger recognises what is already in Sage."
            </p>
            <p>
                "At the current speed, this takes up to " <strong>{lasting(preview.seconds)}</strong>
                ". You can follow the progress and cancel."
            </p>
            <div class="row gap-x-2">
                {ask} <a class="button" href=query.href()>
                    "Back to the list"
                </a>
            </div>
        </section>
    }
    .into_any()
}

/// A retry of many runs.
#[component]
pub fn BulkPage() -> impl IntoView {
    let params = use_params_map();
    let refused = refusal_of::<CancelRetryAll>();
    let flash = flash_unless(refused.is_some());
    let id = move || params.with(|params| params.get_str("id").unwrap_or_default().to_owned());
    let answer = Resource::new(id, bulk);
    view! {
        <Title text="Bulk retry \u{b7} Ledger" />
        <FlashLine flash />
        {refused.map(|error| view! { <Problem code=error.code /> })}
        <Transition>
            {move || answer.get().map(|answer| or_problem(answer, |(bulk, version)| progress(bulk, version)))}
        </Transition>
    }
    .into_any()
}

async fn bulk(id: String) -> Result<(BulkView, u64), AppError> {
    let work = async {
        let (services, member) = (context::services()?, context::member().await?);
        let version = *services.store.changes_of(member.organisation()).borrow();
        Ok((operator_actions::bulk(&services, &member, &id).await?, version))
    };
    context::answer(work).await
}

fn progress(bulk: BulkView, version: u64) -> AnyView {
    view! {
        <div class="page-head">
            <h1>"Bulk retry"</h1>
            <div class="page-tools">
                {view! { <LiveLine /> }.into_any()}
            </div>
        </div>
        {view! { <BulkProgress bulk version /> }.into_any()}
    }
    .into_any()
}

/// The newest retries of many runs.
#[component]
pub fn BulksPage() -> impl IntoView {
    let answer = Resource::new(|| (), |()| bulks());
    view! {
        <Title text="Bulk retries \u{b7} Ledger" />
        <h1>"Bulk retries"</h1>
        <Transition>{move || answer.get().map(|answer| or_problem(answer, rows))}</Transition>
    }
    .into_any()
}

async fn bulks() -> Result<Vec<BulkView>, AppError> {
    let work = async { operator_actions::bulks(&context::services()?, &context::member().await?).await };
    context::answer(work).await
}

fn rows(bulks: Vec<BulkView>) -> impl IntoView {
    if bulks.is_empty() {
        return Either::Left(view! {
            <div class="empty">
                <p class="empty-title">"No bulk retries yet"</p>
                <p>"Filter the list of runs, then choose \u{201c}Retry all matching runs\u{201d}."</p>
                <a class="button" href=HISTORY>
                    "Go to sync runs"
                </a>
            </div>
        });
    }
    let items = bulks.into_iter().map(|bulk| {
        let sentence = state_sentence(&bulk);
        view! {
            <li class="card">
                <p>
                    <a href=bulk_href(&bulk.id)>{sentence}</a>
                </p>
                <p class="card-line">{bulk.actor} ", " <Time at=bulk.began /> " (" <Zone /> ")"</p>
            </li>
        }
    });
    Either::Right(view! { <ul class="cards">{items.collect_view()}</ul> })
}

/// Seconds as a person says them.
fn lasting(seconds: i64) -> String {
    match seconds {
        ..=1 => "a second".to_owned(),
        2..=119 => format!("{seconds} seconds"),
        120..=7_199 => format!("{} minutes", seconds / 60),
        _ => format!("{} hours", seconds / 3_600),
    }
}
