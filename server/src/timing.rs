//! How long requests take, by route.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    http::Method,
    middleware::Next,
    response::Response,
};

/// Times a request until its answer begins.
pub async fn time(request: Request, next: Next) -> Response {
    let method = word(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let begun = Instant::now();
    let response = next.run(request).await;
    // What no route matched is a file, or nothing: its path is whatever somebody typed.
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    metrics::request(method, route, response.status().as_u16(), begun.elapsed());
    response
}

/// A client may send any word as a method.
const fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
