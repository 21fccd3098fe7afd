//! What is shown where there is nothing.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::layout::Sheet;
use views::links::HOME;

/// No page has this address.
#[component]
pub fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
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
