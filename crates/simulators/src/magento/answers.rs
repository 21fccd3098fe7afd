//! What Magento's web API answers: a body, a status, and the headers around them.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use chrono::{DateTime, Utc};

use super::text::quoted;

/// A status and a body, before the headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub body: String,
}

impl Answer {
    pub fn ok(body: impl Into<String>) -> Self {
        Self { status: StatusCode::OK, body: body.into() }
    }

    /// An error whose message has no placeholders.
    pub fn error(status: StatusCode, message: &str) -> Self {
        Self { status, body: format!("{{\"message\":{}}}", quoted(message)) }
    }

    /// The wire specification, section 5: the one body of every refused token.
    pub fn unauthorized(resource: &str) -> Self {
        let message = "The consumer isn't authorized to access %resources.";
        let body =
            format!("{{\"message\":\"{message}\",\"parameters\":{{\"resources\":{}}}}}", quoted(resource));
        Self { status: StatusCode::UNAUTHORIZED, body }
    }

    /// The route is not there: the module is removed, or the method is another.
    pub fn no_route() -> Self {
        Self::error(StatusCode::NOT_FOUND, "Request does not match any route.")
    }

    /// Fields that the web API asks for, named as the PHP parameter is: one alone, or a list under `errors`.
    pub fn missing(fields: &[&str]) -> Self {
        let one = |field: &str| {
            format!(
                "{{\"message\":\"\\\"%fieldName\\\" is required. Enter and try again.\",\"parameters\":{{\"fieldName\":{}}}}}",
                quoted(field)
            )
        };
        let body = match fields {
            [only] => one(only),
            several => {
                let errors: Vec<String> = several.iter().map(|field| one(field)).collect();
                format!(
                    "{{\"message\":\"One or more input exceptions have occurred.\",\"errors\":[{}]}}",
                    errors.join(",")
                )
            }
        };
        Self { status: StatusCode::BAD_REQUEST, body }
    }

    /// A template of Magento (`%1`, `%2`) with its parameters as a list.
    pub fn template(message: &str, parameters: &[&str]) -> Self {
        let parameters: Vec<String> = parameters.iter().map(|parameter| quoted(parameter)).collect();
        let body = format!("{{\"message\":{},\"parameters\":[{}]}}", quoted(message), parameters.join(","));
        Self { status: StatusCode::BAD_REQUEST, body }
    }

    /// A value that PHP cannot take as the type of the parameter.
    pub fn wrong_type(value: &str, expected: &str) -> Self {
        let message = format!(
            "The \"{value}\" value's type is invalid. The \"{expected}\" type was expected. Verify and try again."
        );
        Self::error(StatusCode::BAD_REQUEST, &message)
    }

    /// The answer with the headers of the samples; the time is the shop's, not the machine's.
    pub fn into_response(self, now: DateTime<Utc>) -> Response<Body> {
        let success = self.status.is_success();
        let mut response = with_headers(self.status, "application/json; charset=utf-8", self.body, now);
        if success {
            response.headers_mut().insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
        }
        response
    }
}

/// Any answer of the shop, also one that is no JSON.
pub(crate) fn with_headers(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Body>,
    now: DateTime<Utc>,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(date) = HeaderValue::from_str(&now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
        headers.insert(header::DATE, date);
    }
    response
}
