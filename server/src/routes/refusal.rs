//! How the wire says no. The status code decides the fate of an event in Magento: any 4xx dead-letters it at once, a 5xx is
//! tried again. So 4xx is only for what a repeat can never fix, and 503 for everything else; never 429.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use messages::message;
use serde_json::json;

/// A refused call of Magento's.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No token, or one that does not hold.
    #[error("{}", message!(module_refusals.token, reason = .0))]
    Unauthorized(String),
    /// The tenant is not known here.
    #[error("{}", message!(module_refusals.unknown_tenant))]
    UnknownTenant,
    /// The event's name is not known.
    #[error("{}", message!(module_refusals.unknown_event, event = .0))]
    UnknownEvent(String),
    /// The body is not JSON.
    #[error("{}", message!(module_refusals.content_type))]
    ContentType,
    /// The body is too large.
    #[error("{}", message!(module_refusals.too_large, limit = .0))]
    TooLarge(usize),
    /// The body cannot be understood.
    #[error("{}", message!(module_refusals.malformed, reason = .0))]
    Malformed(String),
    /// There is no such entity.
    #[error("{}", message!(module_refusals.unknown_entity))]
    UnknownEntity,
    /// The shop sends more than its quota. A 429 would dead-letter the event, so it is told to come again.
    #[error("{}", message!(module_refusals.too_many_events, quota = .quota, seconds = .seconds))]
    TooManyEvents {
        /// What it may send.
        quota: String,
        /// When there is room again.
        seconds: u64,
    },
    /// The store or the process cannot take it now.
    #[error("{}", message!(module_refusals.unavailable))]
    Unavailable,
}

impl Refusal {
    /// The status that it is answered with.
    pub const fn status(&self) -> StatusCode {
        self.parts().0
    }

    const fn parts(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthorized(_) => (StatusCode::UNAUTHORIZED, "token_refused"),
            Self::UnknownTenant => (StatusCode::NOT_FOUND, "unknown_tenant"),
            Self::UnknownEvent(_) => (StatusCode::NOT_FOUND, "unknown_event"),
            Self::ContentType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Self::UnknownEntity => (StatusCode::NOT_FOUND, "unknown_entity"),
            Self::TooManyEvents { .. } => (StatusCode::SERVICE_UNAVAILABLE, "too_many_events"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        tracing::error!(error = %error, "the store could not serve a call of Magento's");
        Self::Unavailable
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code) = self.parts();
        let seconds = if let Self::TooManyEvents { seconds, .. } = self { seconds } else { 60 };
        let body = Json(json!({ "error": { "code": code, "message": self.to_string() } }));
        let mut response = (status, body).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
