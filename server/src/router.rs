//! Every route and every layer, in order, on one page.

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    extract::FromRef,
    http::{HeaderName, HeaderValue, header},
    middleware,
    routing::{get, post},
};
use leptos::prelude::provide_context;
use leptos_axum::{AxumRouteListing, ErrorHandler, LeptosRoutes, generate_route_list, site_pkg_dir_service};
use tower_http::{compression::CompressionLayer, set_header::SetResponseHeaderLayer, trace::TraceLayer};

use crate::{
    client, isolation,
    refused_forms::{self, Refusals},
    routes::{consent, embed, export, health, live, magento, metrics, settings_file, webhooks},
    security::{self, PublicOrigin},
    state::{AppState, EndpointState},
    timing,
};

/// The addresses of the pages. Listed once in a process: while Leptos lists them it
/// holds back the data of every page that is being made anywhere in the process, and such a page is never ended.
pub static PAGES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list(app::App));

/// The router of a process.
pub fn router(state: AppState) -> Router {
    let is_https = state.services.secure_cookies;
    let router = module_api(&state)
        .merge(pages(state))
        .layer(middleware::from_fn(timing::time))
        .layer(header_layer(HeaderName::from_static("permissions-policy"), security::PERMISSIONS));
    if is_https {
        router.layer(header_layer(header::STRICT_TRANSPORT_SECURITY, security::HSTS))
    } else {
        router
    }
}

/// What operators ask, for an address of its own.
pub fn observing(endpoints: Arc<EndpointState>) -> Router {
    looks().with_state(endpoints)
}

/// Is it up, can it work, how does it stand?
fn looks<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Arc<EndpointState>: FromRef<S>,
{
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
}

/// What Magento calls: tokens, no cookies.
fn module_api(state: &AppState) -> Router {
    Router::new()
        .route("/webhooks/magento/{tenant_id}/{event}", post(webhooks::receive))
        .route("/v1/status", get(magento::status))
        .route("/v1/tile/health", get(magento::tile))
        .route("/v1/tenant/disconnect", post(magento::disconnect))
        .merge(looks())
        .with_state(state.clone())
}

/// What browsers call: a cookie, guarded against other sites' posts.
fn pages(state: AppState) -> Router {
    let services = state.services.clone();
    let proxies = Arc::clone(&state.proxies);
    let own = PublicOrigin::of(&services.public_url);
    let refusals = Refusals { sealing: services.sealing.clone(), secure_cookies: services.secure_cookies };
    let options = state.leptos_options.clone();
    let routes = PAGES.clone();
    let files = site_pkg_dir_service(&options).fallback(ErrorHandler::new(app::shell, options.clone()));
    let shell = move || app::shell(options.clone());
    Router::new()
        .route("/live", get(live::live))
        .route("/dashboard/sync/export.csv", get(export::csv))
        .route("/dashboard/sync/export.json", get(export::json))
        .route("/oauth/sage/callback", get(consent::returned))
        .route("/dashboard/bindings/{id}/settings/file", post(settings_file::sent))
        .leptos_routes_with_context(&state, routes, move || provide_context(services.clone()), shell)
        .fallback_service(files)
        .layer(header_layer(header::X_FRAME_OPTIONS, "DENY"))
        .merge(frames())
        .layer(middleware::from_fn(isolation::own_root))
        .layer(middleware::from_fn_with_state(proxies, client::tell_address))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state(refusals, refused_forms::carry))
        .layer(middleware::from_fn(security::status_of_refusals))
        .layer(middleware::from_fn_with_state(own.clone(), security::only_own_referer))
        .layer(middleware::from_fn_with_state(own, security::only_own_forms))
        .layer(middleware::from_fn(security::only_possible_names))
        .layer(header_layer(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .layer(middleware::from_fn(security::cache_files))
        .layer(header_layer(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // A form's error travels back to the page it came from: `no-referrer` would lose it.
        .layer(header_layer(header::REFERRER_POLICY, "same-origin"))
        .layer(TraceLayer::new_for_http().make_span_with(security::span))
        .with_state(state)
}

/// What a shop's admin frames: who may is in each page's own policy, so these alone go without `X-Frame-Options`.
fn frames() -> Router<AppState> {
    Router::new()
        .route("/embed/{tenant_id}", get(embed::page))
        .route("/embed/{tenant_id}/sign-in", post(embed::sign_in))
        .route("/embed/{tenant_id}/code", post(embed::code))
        .route("/embed/{tenant_id}/sign-out", post(embed::sign_out))
}

fn header_layer(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
