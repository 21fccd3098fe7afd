//! `/dashboard/bindings/{id}/settings`: the seven cards, as one form that lives in the browser ([`crate::islands::settings_form`]) and is a
//! plain one without it.

mod told;
mod tools;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::{
    components::{
        flash::{FlashLine, flash_unless},
        problem::or_problem,
        setup_steps::SetupSteps,
    },
    context,
    islands::settings_form::SettingsForm,
};
use services::settings;
use views::{
    bindings,
    error::AppError,
    settings::{SettingsView, versions_href},
};

/// The settings.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let id = params.with_untracked(|params| params.get_str("id").unwrap_or_default().to_owned());
    let shop = id.clone();
    let (draft, cause) = query.with_untracked(|query| {
        (query.get_str("draft").is_some(), query.get_str("cause").map(str::to_owned))
    });
    let flash = flash_unless(draft);
    // Worked out by a task of its own: a future in the view is first polled with nobody to wake, and can wait for the database
    // for ever.
    let answer = AsyncDerived::new(move || {
        let (id, cause) = (id.clone(), cause.clone());
        async move { view_of(&id, draft, cause.as_deref()).await }
    });
    view! {
        <FlashLine flash />
        <SetupSteps binding=shop />
        <Suspense>
            {move || {
                answer.get().map(|answer| or_problem(answer, page))
            }}
        </Suspense>
    }
    .into_any()
}

async fn view_of(id: &str, draft: bool, cause: Option<&str>) -> Result<SettingsView, AppError> {
    let work =
        async { settings::open(&context::services()?, &context::member().await?, id, draft, cause).await };
    context::answer(work).await
}

fn page(view: SettingsView) -> AnyView {
    let (lists, file) = (tools::short_lists(&view), tools::file(&view));
    let mark = if view.state.is_refused { "Error: " } else { "" };
    view! {
        <Title text=format!("{mark}Settings \u{b7} {} \u{b7} Ledger", view.name) />
        <div class="page-head">
            <h1>"Settings"</h1>
            <p class="mr-auto">
                <a href=bindings::href(&view.state.id)>{view.name.clone()}</a>
            </p>
            <div class="page-tools">
                <a class="button" href=versions_href(&view.state.id)>
                    "Versions"
                </a>
            </div>
        </div>
        {told::told(&view)}
        {lists}
        {view! { <SettingsForm state=view.state /> }.into_any()}
        {file}
    }
    .into_any()
}
