//! Headers that browsers heed, and what of an address may be logged.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use messages::message;
use url::Url;
use views::error::AppError;

/// What every page asks for and holds nobody's books; the names bear no hash.
const ICONS: [&str; 4] = ["/favicon.svg", "/favicon.ico", "/apple-touch-icon.png", "/manifest.webmanifest"];

/// Files under `/pkg/` carry a hash in their name: they may be kept for ever, and icons for a day. Pages hold a merchant's books: never.
pub async fn cache_files(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let value = match path {
        _ if path.starts_with("/pkg/") => "public, max-age=31536000, immutable",
        _ if ICONS.contains(&path) => "public, max-age=86400",
        _ => NEVER,
    };
    let mut response = next.run(request).await;
    let value = if response.status().is_success() { value } else { NEVER };
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static(value));
    response
}

/// What holds a merchant's books is kept by no browser.
const NEVER: &str = "no-store";

/// What every answer under https says: browsers come back by https only. A year, as most lists of browsers ask for.
pub const HSTS: &str = "max-age=31536000";

/// Nothing on a page of Ledger's asks for any of these.
pub const PERMISSIONS: &str =
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()";

/// The longest part of an address that may name a file: file systems take no longer one.
const LONGEST_NAME: usize = 255;

/// Where browsers reach Ledger, as their `Origin` says it.
#[derive(Clone)]
pub struct PublicOrigin(Arc<str>);

impl PublicOrigin {
    /// The origin of the public address; one that is none matches nothing.
    pub fn of(public_url: &str) -> Self {
        let origin = Url::parse(public_url).map(|url| url.origin().ascii_serialization());
        Self(origin.unwrap_or_default().into())
    }

    fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Whether an origin is Ledger's: the public one, or the host that was asked. Under https no plain one is.
    fn is_own(&self, origin: &str, headers: &HeaderMap) -> bool {
        if origin == &*self.0 {
            return true;
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let scheme = if self.is_https() { "https://" } else { "http://" };
        host.is_some_and(|host| origin.strip_prefix(scheme) == Some(host))
    }

    /// Whether what a browser sends comes from a page of Ledger's; what is wrong where it does not.
    fn check(&self, headers: &HeaderMap) -> Result<(), String> {
        let text = |name: HeaderName| {
            let text = headers.get(name).map(|value| value.to_str().unwrap_or("?"));
            text.filter(|text| !text.is_empty())
        };
        let (site, origin) = (text(SEC_FETCH_SITE), text(header::ORIGIN));
        let is_own = match (site, origin) {
            (Some("same-origin" | "none"), _) | (None, None) => true,
            (Some(_), Some(origin)) => origin == &*self.0,
            (Some(_), None) => false,
            (None, Some(origin)) => self.is_own(origin, headers),
        };
        if is_own {
            return Ok(());
        }
        let said = |name, value: Option<&str>| {
            value.map_or_else(|| format!("no {name}"), |value| format!("{name}: {value}"))
        };
        Err(message!(
            requests.other_site,
            site = said("Sec-Fetch-Site", site),
            origin = said("Origin", origin),
            address = self.0
        ) + "\n")
    }
}

/// Refuses what other sites make a browser send. Browsers say where a request comes from: by `Sec-Fetch-Site`, or by `Origin`. Who says
/// neither is no browser of today, and carries nobody's cookies but their own.
pub async fn only_own_forms(State(own): State<PublicOrigin>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    match own.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(says) => (StatusCode::FORBIDDEN, says).into_response(),
    }
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A form without JavaScript is led back to where it came from: to a page of Ledger's, and nowhere else.
pub async fn only_own_referer(State(own): State<PublicOrigin>, mut request: Request, next: Next) -> Response {
    let referer = request.headers().get(header::REFERER).and_then(|referer| referer.to_str().ok());
    let origin =
        referer.and_then(|referer| Url::parse(referer).ok()).map(|url| url.origin().ascii_serialization());
    if referer.is_some() && !origin.is_some_and(|origin| own.is_own(&origin, request.headers())) {
        request.headers_mut().remove(header::REFERER);
    }
    next.run(request).await
}

/// Answers 400 for addresses that no file can have, which the file system would fail at.
pub async fn only_possible_names(request: Request, next: Next) -> Response {
    let is_possible = |part: &str| {
        let decoded = percent_decoded_len(part);
        decoded <= LONGEST_NAME && !part.contains("%00")
    };
    if request.uri().path().split('/').all(is_possible) {
        return next.run(request).await;
    }
    (StatusCode::BAD_REQUEST, concat!(message!(requests.bad_address), "\n")).into_response()
}

/// How long a part of an address is once it is decoded.
fn percent_decoded_len(part: &str) -> usize {
    part.len() - 2 * part.matches('%').count().min(part.len() / 3)
}

/// A call of a server function that cannot be read is the caller's mistake. Leptos answers every error of its own with 500; what it
/// says is in the body, and that has a status.
pub async fn status_of_refusals(request: Request, next: Next) -> Response {
    const SMALL: usize = 16 * 1024;
    let is_call = request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    if !is_call || response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, SMALL).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let status = serde_json::from_slice::<AppError>(&bytes).ok().map(|error| error.code.status());
    if let Some(status) = status.and_then(|status| StatusCode::from_u16(status).ok()) {
        head.status = status;
    }
    Response::from_parts(head, bytes.into())
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
    use axum::{Router, body::Body, middleware, routing::get};
    use tower::ServiceExt;

    use super::*;

    #[test]
    fn only_ledgers_own_origin_is_its_own() {
        let asked = |host: &str| HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
        let https = PublicOrigin::of("https://ledger.example");
        assert!(
            https.is_own("https://ledger.example", &asked("10.0.0.7:3000")),
            "whatever a proxy makes of Host"
        );
        assert!(https.is_own("https://books.example", &asked("books.example")));
        for other in ["http://ledger.example", "http://books.example", "https://evil.example", "null", ""] {
            assert!(!https.is_own(other, &asked("books.example")), "{other}");
        }
        let plain = PublicOrigin::of("http://127.0.0.1:3000");
        assert!(plain.is_own("http://localhost:3000", &asked("localhost:3000")));
        assert!(!plain.is_own("http://localhost:3001", &asked("localhost:3000")));
    }

    #[tokio::test]
    async fn icons_are_kept_for_a_day_and_pages_by_nobody() {
        let there = || async { "there" };
        let site = Router::new()
            .route("/favicon.svg", get(there))
            .route("/dashboard", get(there))
            .route("/pkg/ledger.0a1b.js", get(there))
            .layer(middleware::from_fn(cache_files));
        for (path, value) in [
            ("/favicon.svg", "public, max-age=86400"),
            ("/favicon.ico", "no-store"),
            ("/dashboard", "no-store"),
            ("/pkg/ledger.0a1b.js", "public, max-age=31536000, immutable"),
        ] {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            let answer = site.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.headers()[header::CACHE_CONTROL], value, "{path}");
        }
        for icon in ICONS {
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../public").to_owned() + icon;
            assert!(std::fs::metadata(&file).is_ok_and(|file| file.len() > 0), "{file}");
        }
    }

    #[test]
    fn names_are_measured_as_they_will_be_read() {
        assert_eq!(percent_decoded_len("a%20b"), 3);
        assert_eq!(percent_decoded_len(&"%41".repeat(255)), 255);
        assert_eq!(percent_decoded_len("%%%"), 1);
    }

    #[test]
    fn an_invitations_token_is_not_logged() {
        assert_eq!(loggable("/invitation/0a1b2c"), "/invitation/");
        assert_eq!(loggable("/dashboard/sync"), "/dashboard/sync");
    }
}
