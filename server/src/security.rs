//! Headers that browsers heed.

use axum::{
    extract::Request,
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// Files under `/pkg/` carry a hash in their name: they may be kept for ever. Pages hold a merchant's books: never.
pub async fn cache_the_package(request: Request, next: Next) -> Response {
    let is_package = request.uri().path().starts_with("/pkg/");
    let mut response = next.run(request).await;
    let value = if is_package && response.status().is_success() {
        "public, max-age=31536000, immutable"
    } else {
        "no-store"
    };
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static(value));
    response
}
