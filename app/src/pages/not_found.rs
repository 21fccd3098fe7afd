//! What is shown where there is nothing.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::{layout::Sheet, problem::or_problem};
use views::{error::ErrorCode, links::HOME};

fn set_status() {
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
}

/// No page of the dashboard has this address: its frame stays, with the ways to those there are.
#[component]
pub fn NoSuchPage() -> impl IntoView {
    set_status();
    view! {
        <Title text="Not found \u{b7} Ledger" />
        <h1>"Page not found"</h1>
        {or_problem(Err::<(), _>(ErrorCode::NotFound.into()), |()| ())}
    }
    .into_any()
}

/// No page has this address.
#[component]
pub fn NotFound() -> impl IntoView {
    set_status();
    view! {
        <Title text="Not found \u{b7} Ledger" />
        <Sheet>
            <h1>"Page not found"</h1>
            <p>"Check the address for typing mistakes. The page may also have been removed."</p>
            <a class="button button-main" href=HOME>
                "Go to the overview"
            </a>
        </Sheet>
    }
    .into_any()
}
