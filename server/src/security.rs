//! Headers that browsers heed, and what of an address may be logged.

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

/// The span of a request: its method and its path, without the query, which may hold a code of Sage's, and without an invitation's
/// token.
pub fn span<B>(request: &axum::http::Request<B>) -> tracing::Span {
    tracing::debug_span!("request", method = %request.method(), path = loggable(request.uri().path()))
}

fn loggable(path: &str) -> &str {
    const INVITATION: &str = "/invitation/";
    if path.starts_with(INVITATION) { INVITATION } else { path }
}

#[cfg(test)]
mod tests {
    use super::loggable;

    #[test]
    fn an_invitations_token_is_not_logged() {
        assert_eq!(loggable("/invitation/0a1b2c"), "/invitation/");
        assert_eq!(loggable("/dashboard/sync"), "/dashboard/sync");
    }
}
