//! Keeps requests apart.

use axum::{extract::Request, middleware::Next, response::Response};
use leptos::reactive::{computed::ScopedFuture, owner::Owner};

/// Gives each request a reactive root of its own. Leptos leaves the root of a page in the worker thread that rendered it; what
/// is served there next would be born beneath it, and would bear that page's status and headers and lose its own contexts when
/// that page ends.
pub async fn own_root(request: Request, next: Next) -> Response {
    let root = Owner::new_root(None);
    root.with(|| ScopedFuture::new(next.run(request))).await
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware, routing::get};
    use leptos::prelude::{Owner, provide_context, use_context};
    use tower::ServiceExt;

    use super::*;

    /// What one request has learned of another.
    async fn learned(router: &Router) -> String {
        let request = Request::builder().uri("/file").body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        String::from_utf8(axum::body::to_bytes(answer.into_body(), 1_000).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_request_knows_nothing_of_the_page_that_its_thread_rendered_before() {
        let file = || async { Owner::new().with(|| use_context::<&str>().unwrap_or("nothing")) };
        let page = Owner::new_root(None);
        page.with(|| provide_context("the page's status"));

        let bare = Router::new().route("/file", get(file));
        assert_eq!(
            learned(&bare).await,
            "the page's status",
            "Leptos leaves its root: else this module is dead"
        );
        let apart = bare.layer(middleware::from_fn(own_root));
        assert_eq!(learned(&apart).await, "nothing");
    }
}
