//! What came of a plain form that was refused. Leptos leads the browser back with the error in the address; there it would be kept in
//! histories and logs with what was typed, and the next refusal would add another. It travels in a sealed cookie instead, for the page
//! that it belongs to, once.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, Uri, header},
    middleware::Next,
    response::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE};
use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use services::{cookies, sealing::Sealing};
use url::Url;
use views::error::AppError;

/// The cookie.
const COOKIE: &str = "ledger_refusal";

/// How long the browser has to come back.
const LIFETIME: TimeDelta = TimeDelta::minutes(1);

/// As what it is sealed.
const PURPOSE: &str = "a refused form";

/// Bytes of a sealed refusal: browsers keep cookies of 4,096 with their names and attributes (RFC 6265, section 6.1).
const LONGEST: usize = 3_800;

/// What seals refusals.
#[derive(Clone)]
pub struct Refusals {
    /// The keys.
    pub sealing: Sealing,
    /// Whether cookies are for HTTPS only.
    pub secure_cookies: bool,
}

impl Refusals {
    /// The refusal that a request brings for its own page, as parts of a query.
    fn brought(&self, headers: &HeaderMap, path: &str) -> Option<String> {
        let sealed = cookies::cookie_value(headers, &cookies::named(COOKIE, self.secure_cookies))?;
        // Another key's, or another page's: none of this page's business.
        let opened = self.sealing.open(sealed, PURPOSE).ok()?;
        let (of, refusal) = opened.expose_secret().split_once('\n')?;
        (of == path).then(|| refusal.to_owned())
    }

    /// The cookie that carries a refusal to a page.
    fn cookie(&self, path: &str, refusal: &str) -> Option<String> {
        let sealed = |refusal: &str| {
            self.sealing.seal(&SecretString::from(format!("{path}\n{refusal}")), PURPOSE).ok()
        };
        let whole = sealed(refusal).filter(|sealed| sealed.len() <= LONGEST);
        let value = whole.or_else(|| sealed(&brief(refusal)?))?;
        Some(cookies::carrying(COOKIE, &value, LIFETIME, self.secure_cookies))
    }
}

/// Takes refusals out of the addresses that forms lead back to, and hands them to the page when it is asked for.
pub async fn carry(State(refusals): State<Refusals>, mut request: Request, next: Next) -> Response {
    forget_older(request.headers_mut());
    let shows = request.method() == Method::GET && show(&refusals, &mut request);
    let mut response = next.run(request).await;
    if shows {
        let expired = cookies::carrying(COOKIE, "", TimeDelta::zero(), refusals.secure_cookies);
        append_cookie(&mut response, &expired);
    }
    if response.status().is_redirection() {
        hand_over(&refusals, &mut response);
    }
    response
}

/// Where the form stood, without what came of it the time before.
fn forget_older(headers: &mut HeaderMap) {
    let referer = headers.get(header::REFERER).and_then(|referer| referer.to_str().ok());
    let clean = referer.and_then(|referer| HeaderValue::from_str(&parted(referer).0).ok());
    if let Some(clean) = clean {
        headers.insert(header::REFERER, clean);
    }
}

/// Gives a page the refusal that was brought for it, and none that only its address claims.
fn show(refusals: &Refusals, request: &mut Request) -> bool {
    let (own, claimed) = parted(&request.uri().to_string());
    let brought = refusals.brought(request.headers(), request.uri().path());
    if claimed.is_none() && brought.is_none() {
        return false;
    }
    let shown = brought.as_deref().map_or_else(|| own.clone(), |refusal| joined(&own, refusal));
    if let Ok(uri) = shown.parse::<Uri>() {
        *request.uri_mut() = uri;
    }
    brought.is_some()
}

/// Puts the refusal of a redirect's address into the cookie.
fn hand_over(refusals: &Refusals, response: &mut Response) {
    let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    let Some(location) = location.map(ToOwned::to_owned) else { return };
    let (clean, Some(refusal)) = parted(&location) else { return };
    let path = Url::parse(&clean).map_or_else(|_| path_of(&clean).to_owned(), |url| url.path().to_owned());
    let Some(cookie) = refusals.cookie(&path, &refusal) else { return };
    if let Ok(clean) = HeaderValue::from_str(&clean) {
        response.headers_mut().insert(header::LOCATION, clean);
        append_cookie(response, &cookie);
    }
}

fn append_cookie(response: &mut Response, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

fn path_of(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

/// An address without the refusals in its query, and the newest of them.
fn parted(address: &str) -> (String, Option<String>) {
    let (before, fragment) = address.split_once('#').map_or((address, None), |(one, two)| (one, Some(two)));
    let Some((path, query)) = before.split_once('?') else { return (address.to_owned(), None) };
    let is_refusal = |part: &&str| part.starts_with("__path=") || part.starts_with("__err=");
    let (refusals, others): (Vec<&str>, Vec<&str>) = query.split('&').partition(is_refusal);
    let newest = |name: &str| refusals.iter().rev().find(|part| part.starts_with(name)).copied();
    let refusal = newest("__path=").zip(newest("__err=")).map(|(of, error)| format!("{of}&{error}"));
    let mut clean = path.to_owned();
    if !others.is_empty() {
        clean = format!("{clean}?{}", others.join("&"));
    }
    if let Some(fragment) = fragment {
        clean = format!("{clean}#{fragment}");
    }
    (clean, refusal)
}

fn joined(address: &str, refusal: &str) -> String {
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}{refusal}")
}

/// A refusal that is too long for a cookie, without what was typed and without its fields.
fn brief(refusal: &str) -> Option<String> {
    let (path, error) = refusal.split_once("&__err=")?;
    let error = url::form_urlencoded::parse(format!("e={error}").as_bytes()).next()?.1.into_owned();
    let error: AppError = serde_json::from_slice(&URL_SAFE.decode(error).ok()?).ok()?;
    let error = serde_json::to_vec(&AppError::new(error.code)).ok()?;
    let error = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("__err", &URL_SAFE.encode(error))
        .finish();
    Some(format!("{path}&{error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{Router, body::Body, http::StatusCode, middleware, response::IntoResponse, routing::any};
    use tower::ServiceExt;
    use vault::KeyRing;
    use views::error::{ErrorCode, FieldError};

    use super::*;
    use crate::environment::Machine;

    const FORM: &str = "/api/session/sign-in";

    fn encoded(error: &AppError) -> String {
        URL_SAFE.encode(serde_json::to_vec(error).unwrap()).replace('=', "%3D")
    }

    /// A form that is always refused as server functions refuse, and a page that shows its own query.
    fn site(error: AppError) -> Router {
        let keys = KeyRing::parse(&KeyRing::generate([7; 32], "test")).unwrap();
        let sealing = Sealing::new(Arc::new(keys), Arc::new(Machine));
        let refuse = move |headers: HeaderMap| async move {
            let referer = headers[header::REFERER].to_str().unwrap().to_owned();
            let to =
                joined(&referer, &format!("__path=%2Fapi%2Fsession%2Fsign-in&__err={}", encoded(&error)));
            (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
        };
        let page = |uri: Uri| async move { uri.query().unwrap_or_default().to_owned() };
        let refusals = Refusals { sealing, secure_cookies: false };
        Router::new()
            .route(FORM, any(refuse))
            .route("/sign-in", any(page))
            .route("/dashboard", any(page))
            .layer(middleware::from_fn_with_state(refusals, carry))
    }

    async fn ask(site: &Router, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        site.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    fn header_of(response: &Response, name: header::HeaderName) -> String {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    async fn text(response: Response) -> String {
        String::from_utf8(axum::body::to_bytes(response.into_body(), 10_000).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn an_address_never_bears_a_refusal_and_does_not_grow() {
        let error = AppError::new(ErrorCode::WrongCredentials).echo("email", "ada@example.com");
        let site = site(error.clone());
        let mut at = "http://ledger.example/sign-in?next=%2Fdashboard".to_owned();
        for _ in 0..3 {
            let refused = ask(&site, Method::POST, FORM, &[("referer", &at)]).await;
            at = header_of(&refused, header::LOCATION);
            assert_eq!(at, "http://ledger.example/sign-in?next=%2Fdashboard");
            let cookie = header_of(&refused, header::SET_COOKIE);
            assert!(cookie.contains("HttpOnly") && !cookie.contains("example.com"), "{cookie}");
        }
        let grown = format!("{at}&__path=%2Fapi%2Fx&__err=old&__path=%2Fapi%2Fx&__err=older");
        let refused = ask(&site, Method::POST, FORM, &[("referer", &grown)]).await;
        assert_eq!(header_of(&refused, header::LOCATION), at);
    }

    #[tokio::test]
    async fn a_refusal_is_shown_once_on_the_page_that_it_belongs_to() {
        let error = AppError::new(ErrorCode::WrongCredentials).echo("email", "ada@example.com");
        let site = site(error.clone());
        let at = "http://ledger.example/sign-in?next=%2F";
        let refused = ask(&site, Method::POST, FORM, &[("referer", at)]).await;
        let cookie = header_of(&refused, header::SET_COOKIE);
        let cookie = cookie.split(';').next().unwrap();
        let elsewhere = ask(&site, Method::GET, "/dashboard", &[("cookie", cookie)]).await;
        assert_eq!(header_of(&elsewhere, header::SET_COOKIE), "");
        assert_eq!(text(elsewhere).await, "");
        let shown = ask(&site, Method::GET, "/sign-in?next=%2F", &[("cookie", cookie)]).await;
        assert!(header_of(&shown, header::SET_COOKIE).contains("Max-Age=0"));
        let expected = format!("next=%2F&__path=%2Fapi%2Fsession%2Fsign-in&__err={}", encoded(&error));
        assert_eq!(text(shown).await, expected);
        let forged = ask(&site, Method::GET, "/sign-in?__path=%2Fapi%2Fx&__err=e", &[]).await;
        assert_eq!(text(forged).await, "", "an address alone shows nothing");
    }

    #[tokio::test]
    async fn a_refusal_that_no_cookie_holds_is_shown_by_its_code() {
        let long = "x".repeat(254);
        let error = (0..20).fold(AppError::new(ErrorCode::SettingsWrong), |error, number| {
            error.field(&number.to_string(), FieldError::Unknown).echo(&number.to_string(), &long)
        });
        let site = site(error);
        let refused = ask(&site, Method::POST, FORM, &[("referer", "http://ledger.example/sign-in")]).await;
        assert_eq!(header_of(&refused, header::LOCATION), "http://ledger.example/sign-in");
        let cookie = header_of(&refused, header::SET_COOKIE);
        assert!(cookie.len() < 4_096);
        let cookie = cookie.split(';').next().unwrap();
        let shown = text(ask(&site, Method::GET, "/sign-in", &[("cookie", cookie)]).await).await;
        assert!(shown.ends_with(&encoded(&AppError::new(ErrorCode::SettingsWrong))), "{shown}");
    }
}
