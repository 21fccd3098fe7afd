//! The pages that need no script: forms that the browser sends by itself. They are made here alone, so they cost the browser's
//! bundle nothing. Links from [`crate::App`] to them say `rel="external"`.

use http::request::Parts;
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::pages::{
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
    not_found::NotFound,
    overview::OverviewPage,
    run::RunPage,
    second_step::SecondStepPage,
    settings::SettingsPage,
    versions::VersionsPage,
};

/// The document around [`Plain`], without scripts but where a form is watched.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let scripts = is_watched().then(|| view! { <HydrationScripts options=options.clone() /> });
    crate::document(options, scripts.into_any(), view! { <Plain /> }.into_any())
}

/// Whether this is the page that [`crate::typing`] watches.
fn is_watched() -> bool {
    use_context::<Parts>().is_some_and(|parts| parts.uri.path().ends_with("/settings"))
}

/// The pages that need no script.
#[component]
pub fn Plain() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Routes fallback=NotFound>
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
                </ParentRoute>
            </Routes>
        </Router>
    }
}
