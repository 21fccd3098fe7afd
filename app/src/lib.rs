#![doc = include_str!("../README.md")]
// A page is one nested type until `into_any` cuts it.
#![recursion_limit = "256"]

pub mod api;
pub mod components;
#[cfg(feature = "ssr")]
pub mod context;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod plain;
pub mod refusal;
pub mod theme;
#[cfg(feature = "hydrate")]
pub mod typing;

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
#[cfg(feature = "ssr")]
use leptos_meta::{HashedStylesheet, MetaTags};
use leptos_router::{
    SsrMode,
    components::{Redirect, Route, Router, Routes},
    path,
};

use views::links::HOME;

use crate::pages::{not_found::NotFound, sign_in::SignInPage};

/// The document around [`App`]: what the browser loads before anything else.
#[cfg(feature = "ssr")]
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let scripts = view! {
        <AutoReload options=options.clone() />
        <HydrationScripts options=options.clone() />
    };
    document(options, scripts.into_any(), view! { <App /> }.into_any())
}

/// A document. Also sets the page's content security policy, because only here the nonce of its scripts is known.
#[cfg(feature = "ssr")]
pub(crate) fn document(options: LeptosOptions, scripts: AnyView, body: AnyView) -> impl IntoView {
    context::set_content_security_policy();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme::current().attribute()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <HashedStylesheet options />
                {scripts}
                <MetaTags />
            </head>
            <body>{body}</body>
        </html>
    }
}

/// The pages that live on in the browser; [`plain`] has the others. The lists keep their state in the URL, and every route is rendered whole before it is sent, so that nothing
/// waits for JavaScript.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("/") view=ToHome ssr=SsrMode::Async />
                <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async />
            </Routes>
        </Router>
    }
}

#[component]
fn ToHome() -> impl IntoView {
    view! { <Redirect path=HOME /> }
}
