//! Is the process up, and can it work?

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::IntoResponse};

use crate::state::Wire;

/// `GET /healthz`: the process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the store takes writes, and the process is not ending.
pub async fn readyz(State(wire): State<Arc<Wire>>) -> impl IntoResponse {
    if wire.shutdown.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n".to_owned());
    }
    match wire.store.ready().await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("the store cannot be written: {error}\n")),
    }
}
