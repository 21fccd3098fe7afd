//! `/dashboard/sync/causes`: what is open, grouped by what would fix it: fixed once, retried together.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::problem::or_problem,
    context,
    islands::{causes::CausesList, live_line::LiveLine},
};
use services::history;
use views::{causes::CausesView, error::AppError};

/// The groups.
#[component]
pub fn CausesPage() -> impl IntoView {
    let answer = Resource::new(|| (), |()| load());
    view! {
        <Title text="Failures by cause \u{b7} Ledger" />
        <Transition>{move || answer.get().map(|answer| or_problem(answer, whole))}</Transition>
    }
    .into_any()
}

async fn load() -> Result<CausesView, AppError> {
    let work = async { history::causes::open(&context::services()?, &context::member().await?).await };
    context::answer(work).await
}

fn whole(view: CausesView) -> AnyView {
    view! {
        <div class="page-head">
            <h1>"Failures by cause"</h1>
            <div class="page-tools">
                {view! { <LiveLine /> }.into_any()}
            </div>
        </div>
        <p class="page-note">
            "Failed and waiting documents, grouped by cause. Fix the cause once, then retry them together."
        </p>
        {view! { <CausesList view /> }.into_any()}
    }
    .into_any()
}
