//! What server functions may reach, and who is asking.

use http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use services::{Member, Services, member_of, visit::Visit};
use views::error::{AppError, ErrorCode};

/// The services of this request.
pub fn services() -> Result<Services, AppError> {
    use_context().ok_or_else(|| missing("Services"))
}

/// The request's head.
pub fn request() -> Result<Parts, AppError> {
    use_context().ok_or_else(|| missing("Parts"))
}

/// The browser's visit: who calls, the cookies it brings, and a way to give it others.
pub fn visit() -> Result<Visit, AppError> {
    Ok(Visit::of(&services()?, &request()?, set_cookie))
}

fn missing(what: &str) -> AppError {
    tracing::error!(what, "a page was rendered without a context that it needs");
    ErrorCode::Internal.into()
}

/// Who is asking.
pub async fn member() -> Result<Member, AppError> {
    let (services, parts) = (services()?, request()?);
    member_of(&services, &parts.headers).await
}

/// Gives the answer of a server function or of a page's data the status of its error.
///
/// Redirects keep their own: a plain form's answer leads back to the form, which shows the error, and a page leads to the
/// sign-in.
pub async fn answer<T>(work: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    let result = work.await;
    if let Err(AppError { wait: Some(seconds), .. }) = &result
        && let Some(response) = use_context::<ResponseOptions>()
    {
        response.insert_header(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    if let Err(error) = &result
        && !(accepts_html() && (error.is_not_signed_in() || is_call()))
    {
        set_status(error.code);
    }
    result
}

/// Gives the answer the status of an error.
pub fn set_status(code: ErrorCode) {
    if let Some(response) = use_context::<ResponseOptions>()
        && let Ok(status) = StatusCode::from_u16(code.status())
    {
        response.set_status(status);
    }
}

/// Whether this is a form that a browser sends without JavaScript.
pub fn is_plain_form() -> bool {
    is_call() && accepts_html()
}

/// Whether this is the call of a server function, and not a page.
fn is_call() -> bool {
    use_context::<Parts>().is_some_and(|parts| parts.uri.path().starts_with("/api/"))
}

/// Whether a browser wants something to show.
fn accepts_html() -> bool {
    use_context::<Parts>().is_some_and(|parts| {
        let accept = parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        accept.is_some_and(|accept| accept.contains("text/html"))
    })
}

/// Sends a cookie with the answer.
pub fn set_cookie(cookie: &str) -> Result<(), AppError> {
    let response = use_context::<ResponseOptions>().ok_or_else(|| missing("ResponseOptions"))?;
    let value = HeaderValue::from_str(cookie).map_err(|_| AppError::new(ErrorCode::Internal))?;
    response.append_header(header::SET_COOKIE, value);
    Ok(())
}

/// Asks the browser to fetch the page again in a second.
pub fn come_again() {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.insert_header(header::REFRESH, HeaderValue::from_static("1"));
    }
}

/// The origin that may frame this page; without it nobody may.
#[derive(Clone, Debug)]
pub struct FramedBy(pub String);

/// Allows the page its own scripts, styles and connections, and nothing else. The page's scripts carry its nonce.
pub(crate) fn set_content_security_policy() {
    let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), leptos::nonce::use_nonce()) else {
        return;
    };
    let consent = use_context::<Services>().map(|services| services.consent_origin).unwrap_or_default();
    let framed_by = use_context::<FramedBy>().map_or_else(|| "'none'".to_owned(), |framed_by| framed_by.0);
    let policy = format!(
        "default-src 'self'; script-src 'nonce-{nonce}' 'wasm-unsafe-eval' 'self'; style-src 'self'; object-src 'none'; \
         base-uri 'none'; form-action 'self' {consent}; frame-ancestors {framed_by}"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(HeaderName::from_static("content-security-policy"), policy);
    }
}
