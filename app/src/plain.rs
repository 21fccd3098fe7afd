//! The pages that need no script: forms that the browser sends by itself. They are made here alone, so they cost the browser's
//! bundle nothing. Links from [`crate::App`] to them say `rel="external"`.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::pages::{
    binding::BindingPage, bindings::BindingsPage, connect_magento::ConnectMagentoPage,
    connect_sage::ConnectSagePage, dashboard::Dashboard, not_found::NotFound,
};

/// The document around [`Plain`], without scripts.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    crate::document(options, ().into_any(), view! { <Plain /> }.into_any())
}

/// The pages that need no script.
#[component]
pub fn Plain() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Routes fallback=NotFound>
                <ParentRoute path=path!("/dashboard") view=Dashboard ssr=SsrMode::Async>
                    <Route path=path!("bindings") view=BindingsPage ssr=SsrMode::Async />
                    <Route path=path!("bindings/:id") view=BindingPage ssr=SsrMode::Async />
                    <Route path=path!("connect-magento") view=ConnectMagentoPage ssr=SsrMode::Async />
                    <Route path=path!("connect-sage") view=ConnectSagePage ssr=SsrMode::Async />
                </ParentRoute>
            </Routes>
        </Router>
    }
}
