//! `/dashboard/sync`: every run, searched, filtered and sorted, and live.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_location, use_query_map};

use crate::{
    api::runs::{ForgetView, RetryRun, SaveView},
    components::{
        flash::{FlashLine, flash_unless},
        history::{filters::filter_form, search::search_box},
        problem::{Problem, or_problem},
    },
    context,
    islands::{history::History, live_line::LiveLine},
    refusal::refusal_of,
};
use services::history::{query::HistoryQuery, view};
use views::{error::AppError, history::HistoryView};

/// The list of runs.
#[component]
pub fn HistoryPage() -> impl IntoView {
    let read = use_query_map().with_untracked(|map| HistoryQuery::read(|name| map.get_str(name)));
    clean_up_address(read.as_ref().ok());
    let refused = refusal_of::<RetryRun>().or_else(refusal_of::<SaveView>).or_else(refusal_of::<ForgetView>);
    let wrong = read.as_ref().err().cloned();
    let problem = refused.or_else(|| wrong.clone());
    let flash = flash_unless(problem.is_some());
    let answer = Resource::new(|| (), move |()| load(read.clone()));
    view! {
        <Title text="Sync runs \u{b7} Ledger" />
        <FlashLine flash />
        {problem.map(|error| view! { <Problem code=error.code /> })}
        <Transition>
            {move || answer.get().map(|answer| or_problem(answer, whole))}
        </Transition>
    }
    .into_any()
}

/// The list that was asked for. Where the address makes no sense, that is said above an empty list, and what was typed stays.
async fn load(query: Result<HistoryQuery, AppError>) -> Result<HistoryView, AppError> {
    if let Err(error) = &query {
        // It gives the answer its status.
        drop(context::answer(std::future::ready(Err::<(), _>(error.clone()))).await);
    }
    let work = async { view::answer(&context::services()?, &context::member().await?, query).await };
    context::answer(work).await
}

/// A form sends its empty fields along; the address that people keep and send does without them.
fn clean_up_address(query: Option<&HistoryQuery>) {
    let search = use_location().search.get_untracked();
    let has_empty = search.trim_start_matches('?').split('&').any(|part| part.ends_with('='));
    if let Some(query) = query.filter(|_| has_empty) {
        leptos_axum::redirect(&query.href());
    }
}

fn whole(view: HistoryView) -> AnyView {
    let here = view.frame.href.clone();
    view! {
        <div class="page-head">
            <h1>"Sync runs"</h1>
            <div class="page-tools">
                {view! { <LiveLine /> }.into_any()}
                <noscript>
                    <a class="button" href=here>
                        "Refresh"
                    </a>
                </noscript>
            </div>
        </div>
        <div class="history" id="history">
            <div class="row items-start gap-x-2">
                {search_box(&view.frame)} {filter_form(&view.frame, &view.page.shops)}
            </div>
            {view! { <History view /> }.into_any()}
        </div>
        <aside class="fixed inset-y-0 right-0 z-20 w-[min(44rem,55vw)] overflow-auto border-l border-line-strong bg-paper px-6 pt-4 pb-8 [box-shadow:0_0_2rem_rgb(0_0_0/0.18)] forced-colors:border" id="run-panel" aria-label="Run" tabindex="-1" hidden>
            <p class="mb-4 flex justify-between">
                <a class="button panel-page" href="">
                    "Open the page"
                </a>
                <button class="button button-quiet panel-close" type="button">
                    "Close"
                </button>
            </p>
            <div class="grid gap-6 [&_.run-tools]:hidden" data-page=""></div>
        </aside>
    }
    .into_any()
}
