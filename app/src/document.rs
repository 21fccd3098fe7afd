//! The document around every page, and the routes.

use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Redirect, Route, Router, Routes},
    path,
};

use views::links::HOME;

use crate::{
    context,
    pages::{
        account::AccountPage,
        activity::ActivityPage,
        alerts::AlertsPage,
        binding::BindingPage,
        bindings::BindingsPage,
        bulk::{BulkPage, BulksPage, RetryAllPage},
        causes::CausesPage,
        connect_magento::ConnectMagentoPage,
        connect_sage::ConnectSagePage,
        connecting::ConnectingPage,
        dashboard::Dashboard,
        history::HistoryPage,
        invitation::InvitationPage,
        members::MembersPage,
        not_found::{NoSuchPage, NotFound},
        overview::OverviewPage,
        run::RunPage,
        second_step::SecondStepPage,
        settings::SettingsPage,
        sign_in::SignInPage,
        versions::VersionsPage,
    },
};

/// The document around [`App`]: what the browser loads before anything else. Only the islands of a page wake up in it.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let scripts = view! {
        <AutoReload options=options.clone() />
        <HydrationScripts options=options.clone() islands=true />
    };
    document(options, scripts.into_any(), view! { <App /> }.into_any())
}

/// A document. Also sets the page's content security policy, because only here the nonce of its scripts is known.
pub(crate) fn document(options: LeptosOptions, scripts: AnyView, body: AnyView) -> impl IntoView {
    context::set_content_security_policy();
    view! {
        <!DOCTYPE html>
        <html lang="en" class="bg-paper text-ink scheme-light-dark has-[.save-bar]:scroll-pb-28 data-[theme=dark]:scheme-dark data-[theme=light]:scheme-light print:scheme-light!" data-theme=crate::theme::current().attribute()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="apple-touch-icon" href="/apple-touch-icon.png" />
                <link rel="manifest" href="/manifest.webmanifest" />
                <HashedStylesheet options />
                {scripts}
                <MetaTags />
            </head>
            <body class="min-h-dvh text-body">{body}</body>
        </html>
    }
}

/// Every page. The lists keep their state in the URL, and each page is rendered whole before it is sent, so that nothing waits for
/// JavaScript; what lives on in the browser are its islands.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("/") view=ToHome ssr=SsrMode::Async />
                <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async />
                <Route path=path!("/sign-in/code") view=SecondStepPage ssr=SsrMode::Async />
                <Route path=path!("/invitation/:token") view=InvitationPage ssr=SsrMode::Async />
                <ParentRoute path=path!("/dashboard") view=Dashboard ssr=SsrMode::Async>
                    <Route path=path!("sync") view=HistoryPage ssr=SsrMode::Async />
                    <Route path=path!("sync/causes") view=CausesPage ssr=SsrMode::Async />
                    <Route path=path!("sync/retry") view=RetryAllPage ssr=SsrMode::Async />
                    <Route path=path!("sync/retries") view=BulksPage ssr=SsrMode::Async />
                    <Route path=path!("sync/retries/:id") view=BulkPage ssr=SsrMode::Async />
                    <Route path=path!("sync/:id") view=RunPage ssr=SsrMode::Async />
                    <Route path=path!("") view=OverviewPage ssr=SsrMode::Async />
                    <Route path=path!("bindings") view=BindingsPage ssr=SsrMode::Async />
                    <Route path=path!("bindings/:id") view=BindingPage ssr=SsrMode::Async />
                    <Route path=path!("bindings/:id/settings") view=SettingsPage ssr=SsrMode::Async />
                    <Route path=path!("bindings/:id/settings/versions") view=VersionsPage ssr=SsrMode::Async />
                    <Route path=path!("bindings/:id/settings/versions/:version") view=VersionsPage ssr=SsrMode::Async />
                    <Route path=path!("activity") view=ActivityPage ssr=SsrMode::Async />
                    <Route path=path!("members") view=MembersPage ssr=SsrMode::Async />
                    <Route path=path!("account") view=AccountPage ssr=SsrMode::Async />
                    <Route path=path!("account/alerts") view=AlertsPage ssr=SsrMode::Async />
                    <Route path=path!("connect-magento") view=ConnectMagentoPage ssr=SsrMode::Async />
                    <Route path=path!("connect-sage") view=ConnectSagePage ssr=SsrMode::Async />
                    <Route path=path!("connecting") view=ConnectingPage ssr=SsrMode::Async />
                    <Route path=path!("*any") view=NoSuchPage ssr=SsrMode::Async />
                </ParentRoute>
            </Routes>
        </Router>
    }
}

#[component]
fn ToHome() -> impl IntoView {
    view! { <Redirect path=HOME /> }
}
