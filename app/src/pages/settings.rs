//! `/dashboard/bindings/{id}/settings`: the seven cards. One plain form, which the browser sends by itself; where there is JavaScript,
//! [`crate::typing`] checks it while somebody types.

mod field;
mod map;
mod parts;
mod told;
mod tools;

use std::sync::Arc;

use domain::settings::{
    Choices,
    cards::{CARDS, Card},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    components::{
        flash::{FlashLine, flash_unless},
        problem::or_problem,
        setup_steps::SetupSteps,
    },
    context,
    islands::settings_watcher::SettingsWatcher,
};
use services::settings;
use views::{
    bindings,
    error::AppError,
    settings::{SettingsView, versions_href},
};

/// The page that a sent form is answered with; its route puts it into the context.
#[derive(Clone)]
pub struct FormAnswer(pub Arc<SettingsView>);

/// The settings.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let params = use_params_map();
    let given = use_context::<FormAnswer>();
    let flash = flash_unless(given.is_some());
    let id = params.with_untracked(|params| params.get_str("id").unwrap_or_default().to_owned());
    let shop = id.clone();
    // Worked out by a task of its own: a future in the view is first polled with nobody to wake, and can wait for the database
    // for ever.
    let answer = AsyncDerived::new(move || {
        let (given, id) = (given.clone(), id.clone());
        async move { view_of(given, &id).await }
    });
    view! {
        <Title text="Settings \u{b7} Ledger" />
        <FlashLine flash />
        <SetupSteps binding=shop />
        <Suspense>
            {move || {
                answer.get().map(|answer| or_problem(answer, |view| page(&view)))
            }}
        </Suspense>
    }
    .into_any()
}

async fn view_of(given: Option<FormAnswer>, id: &str) -> Result<Arc<SettingsView>, AppError> {
    if let Some(FormAnswer(view)) = given {
        return Ok(view);
    }
    let opened =
        context::answer(async { settings::open(&context::services()?, &context::member().await?, id).await });
    Ok(Arc::new(opened.await?))
}

fn page(view: &SettingsView) -> AnyView {
    let cards = CARDS.iter().map(|part| card(view, part));
    view! {
        <div class="page-head">
            <h1>"Settings"</h1>
            <p class="page-of">
                <a href=bindings::href(&view.id)>{view.name.clone()}</a>
            </p>
            <div class="page-tools">
                <a class="button" href=versions_href(&view.id)>
                    "Versions"
                </a>
            </div>
        </div>
        {told::told(view)}
        <form
            id="settings"
            class="settings"
            method="post"
            action=view.href()
            novalidate
            autocomplete="off"
            data-registered=if view.lists.is_registered_for_tax() { "true" } else { "false" }
            data-changed=if view.is_unsaved { "true" } else { "false" }
        >
            // The first button is the one that Enter presses.
            <button class="visually-hidden" type="submit" name="do" value="save" tabindex="-1" aria-hidden="true">
                "Save"
            </button>
            <input type="hidden" name="replaces" value=view.replaces.to_string() />
            <input type="hidden" name="rows" value=view.rows.to_string() />
            <nav class="settings-nav" aria-label="Cards">
                <ul>{CARDS.iter().map(nav_item).collect_view()}</ul>
                {tools::freshness(view)}
            </nav>
            <fieldset class="settings-cards" disabled=!view.may_set>
                <legend class="visually-hidden">"Settings"</legend>
                {cards.collect_view()}
            </fieldset>
            {view.may_set.then(|| tools::save_bar(view))}
        </form>
        {field::lists(view)}
        {tools::file(view)}
        <p class="visually-hidden" id="settings-said" role="status"></p>
        <SettingsWatcher />
    }
    .into_any()
}

fn nav_item(card: &'static Card) -> impl IntoView {
    view! {
        <li>
            <a href=format!("#{}", card.id)>
                {card.title}
            </a>
        </li>
    }
}

fn card(view: &SettingsView, card: &'static Card) -> AnyView {
    let fields = card.fields.iter().map(|part| field::field(view, part));
    view! {
        <section class="settings-card" id=card.id aria-labelledby=format!("{}-title", card.id)>
            <h2 id=format!("{}-title", card.id)>{card.title}</h2>
            <p class="card-line">{card.about}</p>
            <div class="settings-fields">{fields.collect_view()}</div>
        </section>
    }
    .into_any()
}
