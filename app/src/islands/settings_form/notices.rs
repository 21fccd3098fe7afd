//! What the form says above its cards: what went wrong and where, what somebody else has saved, what one came to fix.

use domain::settings::Asked;
use leptos::{prelude::*, server_fn::ServerFn};
use views::{
    error::ErrorCode,
    settings::{Crossed, FixView},
};

use super::{Page, shown::name_of};
use crate::{
    api::runs::RetryAll,
    components::{
        erased::{dynamic, on},
        problem::Problem,
    },
};

/// The form that retries what one came to fix.
pub const RETRY_FORM: &str = "retry-fix";

/// What went wrong, and what somebody else has saved.
pub fn notices(page: &Page) -> AnyView {
    let page = *page;
    let notice = move || match page.notice.get() {
        None => ().into_any(),
        Some(ErrorCode::NotSignedIn) => signed_out(&page),
        Some(code) => view! { <Problem code /> }.into_any(),
    };
    let crossed =
        move || page.crossed.get().map_or_else(|| ().into_any(), |crossed| crossing(&page, crossed));
    view! {
        <div class="grid gap-4 empty:hidden" id="settings-notice" tabindex="-1">
            {dynamic(notice)}
            {dynamic(crossed)}
            {dynamic(move || summary(&page))}
        </div>
    }
    .into_any()
}

/// The session has ended: the form stays, and is sent again by whoever filled it in.
fn signed_out(page: &Page) -> AnyView {
    let page = *page;
    view! {
        <div class="problem" role="alert">
            <p class="problem-sentence">"You are signed out, so nothing was saved. Your changes are still here."</p>
            <p>"Sign in again in a new tab, then save from here."</p>
            <p class="row">
                <a class="button" href="/sign-in" target="_blank">
                    "Sign in in a new tab"
                </a>
                <button class="button button-main" type="button" on:click=on(move |_| page.save())>
                    "Save again"
                </button>
            </p>
            <p class="code">{ErrorCode::NotSignedIn.as_str()}</p>
        </div>
    }
    .into_any()
}

/// The fields that are wrong, each a way to its place.
fn summary(page: &Page) -> AnyView {
    let page = *page;
    let problems = page.model.problems.get();
    let is_shown = page.came_wrong || page.notice.get() == Some(ErrorCode::SettingsWrong);
    if problems.is_empty() || !is_shown {
        return ().into_any();
    }
    let items = problems.into_iter().map(|(path, problem)| {
        let place = page.model.place_of(&path);
        view! {
            <li>
                <a class="underline" href=format!("#{place}")>{name_of(&path)}</a>
                ": "
                {problem.sentence(&path)}
            </li>
        }
    });
    view! {
        <section class="wrong-list panel grid gap-2 border-bad p-4" aria-labelledby="wrong-title">
            <h2 id="wrong-title" tabindex="-1" autofocus=page.notice.get_untracked().is_some()>
                "Fix these fields"
            </h2>
            <ul class="list-disc pl-4">{items.collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// Both have changed some fields: only these are asked for.
fn crossing(page: &Page, crossed: Crossed) -> AnyView {
    let page = *page;
    let Crossed { version, author, asked, .. } = crossed;
    let author = author.unwrap_or_else(|| "Someone".to_owned());
    let items = asked.into_iter().map(|asked| asked_for(&page, asked)).collect_view();
    view! {
        <section class="panel grid gap-2 border-hold p-4" aria-labelledby="crossed-title">
            <h2 id="crossed-title" tabindex="-1">
                {format!("{author} saved version {version} after you opened this page")}
            </h2>
            <p>"Their other changes are kept. These fields were changed by both of you. Saving now keeps your values."</p>
            <ul class="grid gap-2">{items}</ul>
        </section>
    }
    .into_any()
}

fn asked_for(page: &Page, asked: Asked) -> AnyView {
    let page = *page;
    let Asked { path, label, theirs, theirs_typed, mine } = asked;
    let value = |text: String| if text.is_empty() { "empty".to_owned() } else { text };
    let (place, named) = (page.model.place_of(&path), label.clone());
    let use_theirs = move |_| page.model.set(&path, &theirs_typed);
    view! {
        <li class="crossed-field row">
            <a class="underline" href=format!("#{place}")>{label}</a>
            <span>
                "Theirs: " <strong>{value(theirs)}</strong> ", yours: " <strong>{value(mine)}</strong>
            </span>
            <button
                class="button unscripted:hidden"
                type="button"
                aria-label=format!("Use theirs for {named}")
                on:click=on(use_theirs)
            >
                "Use theirs"
            </button>
        </li>
    }
    .into_any()
}

/// The failure that one came from.
pub fn fix(fix: FixView) -> AnyView {
    let FixView { sentence, documents, value, href, retry, place, .. } = fix;
    let worth = value.map(|value| format!(", {value}"));
    let retry = retry.map(|query| {
        view! {
            <form method="post" action=RetryAll::PATH id=RETRY_FORM>
                <input type="hidden" name="query" value=query />
                <button class="button" type="submit">
                    {format!("Retry {documents}")}
                </button>
            </form>
        }
    });
    view! {
        <section class="panel row justify-between border-hold px-4 py-3" aria-label="What to fix">
            <p>
                <strong>
                    <a class="underline" href=href>{documents.clone()}</a>
                    {worth}
                </strong>
                " stopped at "
                <a class="underline" href=format!("#{place}")>{name_of(&place)}</a>
                ". "
                {sentence}
            </p>
            {retry}
        </section>
    }
    .into_any()
}
