//! Every route and every layer, in order, on one page.

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    middleware,
    routing::{get, post},
};
use leptos::prelude::provide_context;
use leptos_axum::{
    ErrorHandler, LeptosRoutes, generate_route_list, render_app_async_with_context, site_pkg_dir_service,
};
use tower_http::{
    compression::CompressionLayer, csrf::CsrfLayer, set_header::SetResponseHeaderLayer, trace::TraceLayer,
};

use crate::{
    isolation,
    routes::{consent, health, live, magento, webhooks},
    security,
    state::AppState,
};

/// The router of a process.
pub fn router(state: AppState) -> Router {
    wire(&state).merge(pages(state))
}

/// What Magento calls: tokens, no cookies.
fn wire(state: &AppState) -> Router {
    Router::new()
        .route("/webhooks/magento/{tenant_id}/{event}", post(webhooks::receive))
        .route("/v1/status", get(magento::status))
        .route("/v1/tile/health", get(magento::tile))
        .route("/v1/tenant/disconnect", post(magento::disconnect))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .with_state(state.clone())
}

/// What browsers call: a cookie, guarded against other sites' posts.
fn pages(state: AppState) -> Router {
    let services = state.services.clone();
    let options = state.leptos_options.clone();
    let routes = generate_route_list(app::App);
    let files = site_pkg_dir_service(&options).fallback(ErrorHandler::new(app::shell, options.clone()));
    let plain_routes = generate_route_list(app::plain::Plain);
    let (plain_options, plain_services) = (options.clone(), services.clone());
    let plain = render_app_async_with_context(
        move || provide_context(plain_services.clone()),
        move || app::plain::shell(plain_options.clone()),
    );
    let shell = move || app::shell(options.clone());
    Router::new()
        .route("/live", get(live::live))
        .route("/oauth/sage/callback", get(consent::returned))
        .leptos_routes_with_context(&state, routes, move || provide_context(services.clone()), shell)
        .leptos_routes_with_handler(plain_routes, plain)
        .fallback_service(files)
        .layer(middleware::from_fn(isolation::own_root))
        .layer(CompressionLayer::new())
        .layer(CsrfLayer::new())
        .layer(middleware::from_fn(security::cache_the_package))
        .layer(header_layer(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header_layer(header::X_FRAME_OPTIONS, "DENY"))
        // A form's error travels back to the page it came from: `no-referrer` would lose it.
        .layer(header_layer(header::REFERRER_POLICY, "same-origin"))
        .layer(TraceLayer::new_for_http())
        .with_state(state)
}

fn header_layer(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
