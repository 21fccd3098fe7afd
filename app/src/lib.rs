#![doc = include_str!("../README.md")]
// A page is one nested type until `into_any` cuts it.
#![recursion_limit = "256"]

#[cfg(feature = "ssr")]
pub mod account;
#[cfg(feature = "ssr")]
pub mod activity;
#[cfg(feature = "ssr")]
mod address_code;
#[cfg(feature = "ssr")]
pub mod alerting;
#[cfg(feature = "ssr")]
pub mod alerts;
pub mod api;
#[cfg(feature = "ssr")]
pub mod bindings;
#[cfg(feature = "ssr")]
pub mod caller;
pub mod components;
#[cfg(feature = "ssr")]
pub mod connecting;
#[cfg(feature = "ssr")]
pub mod context;
#[cfg(feature = "ssr")]
pub mod device;
#[cfg(feature = "ssr")]
pub mod embed;
pub mod error;
#[cfg(feature = "ssr")]
pub mod history;
#[cfg(feature = "ssr")]
pub mod joining;
#[cfg(feature = "ssr")]
pub mod limits;
#[cfg(feature = "ssr")]
pub mod once;
#[cfg(feature = "ssr")]
pub mod overview;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod password;
#[cfg(feature = "ssr")]
pub mod people;
#[cfg(feature = "ssr")]
pub mod plain;
pub mod query;
pub mod refusal;
#[cfg(feature = "ssr")]
pub mod run;
pub mod screen;
#[cfg(feature = "ssr")]
pub mod sealing;
#[cfg(feature = "ssr")]
pub mod second_factor;
#[cfg(feature = "ssr")]
pub mod session;
#[cfg(feature = "ssr")]
pub mod settings;
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

use crate::pages::{not_found::NotFound, sign_in::SignInPage};

/// Where people land: the overview.
pub const HOME: &str = "/dashboard";

/// The history.
pub const HISTORY: &str = "/dashboard/sync";

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
