//! `/_sim/...`: what a test, a demo or a person does to the shop from outside. No part of Magento.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::LedgerAnswer;
use super::faults::FaultSettings;
use super::rest;
use super::shop::Shop;

/// The whole shop: its controls, and the web API for everything else.
pub(crate) fn router(shop: Arc<Shop>) -> Router {
    Router::new()
        .route("/_sim", get(summary))
        .route("/_sim/pairing-code", post(pairing_code))
        .route("/_sim/outbox", get(outbox))
        .route("/_sim/sync-state", get(sync_state))
        .route("/_sim/enqueue", post(enqueue))
        .route("/_sim/cron", post(cron))
        .route("/_sim/disconnect", post(disconnect))
        .route("/_sim/forget", post(forget))
        .route("/_sim/tile", post(tile))
        .route("/_sim/status", get(status))
        .route("/_sim/admin", get(admin))
        .route("/_sim/faults", get(faults).post(set_faults).delete(clear_faults))
        .fallback(rest::answer)
        .with_state(shop)
}

type Shared = State<Arc<Shop>>;

async fn summary(State(shop): Shared) -> Json<Value> {
    let paired = shop.with(|tables| tables.pairing.paired().cloned());
    Json(json!({
        "paired": paired.is_some(),
        "tenant_id": paired.as_ref().map(|paired| paired.tenant_id.clone()),
        "ledger_base_url": paired.map(|paired| paired.ledger_base_url),
        "documents": shop.documents.len(),
    }))
}

/// A page of the admin that frames Ledger's history of this shop.
async fn admin(State(shop): Shared) -> Response {
    let Some(paired) = shop.with(|tables| tables.pairing.paired().cloned()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let frame = format!("{}/embed/{}", paired.ledger_base_url, paired.tenant_id);
    Html(format!(
        "<!DOCTYPE html><html lang=\"en\"><head><title>Magento Admin</title></head><body><h1>Magento Admin</h1>\
         <iframe title=\"Ledger\" src=\"{frame}\" width=\"100%\" height=\"800\"></iframe></body></html>"
    ))
    .into_response()
}

async fn pairing_code(State(shop): Shared, body: Bytes) -> Response {
    #[derive(Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wish {
        code: Option<String>,
    }
    match read_or_default::<Wish>(&body) {
        Ok(wish) => Json(json!({ "pairing_code": shop.new_pairing_code(wish.code) })).into_response(),
        Err(refusal) => refusal,
    }
}

async fn outbox(State(shop): Shared) -> Response {
    Json(shop.with(|tables| tables.outbox.rows())).into_response()
}

async fn sync_state(State(shop): Shared) -> Response {
    Json(shop.with(|tables| tables.sync_states.rows())).into_response()
}

async fn enqueue(State(shop): Shared, body: Bytes) -> Response {
    #[derive(Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Wish {
        all: bool,
        event: Option<String>,
        id: Option<u64>,
        increment_id: Option<String>,
    }
    let wish: Wish = match read_or_default(&body) {
        Ok(wish) => wish,
        Err(refusal) => return refusal,
    };
    let added = match (wish.all, wish.event, wish.id) {
        (true, None, None) => shop.enqueue_all(),
        (false, Some(event), Some(id)) => usize::from(shop.enqueue(&event, id, wish.increment_id.as_deref())),
        _ => return refuse("Say {\"event\": ..., \"id\": ...} or {\"all\": true}."),
    };
    Json(json!({ "enqueued": added })).into_response()
}

async fn cron(State(shop): Shared) -> Json<Value> {
    Json(json!({ "posted": shop.run_cron().await }))
}

async fn disconnect(State(shop): Shared) -> Response {
    what_came_back(shop.disconnect().await)
}

/// Disconnects while nobody listens at Ledger's side.
async fn forget(State(shop): Shared) -> StatusCode {
    shop.with(|tables| tables.pairing.forget());
    StatusCode::NO_CONTENT
}

async fn tile(State(shop): Shared) -> Response {
    what_came_back(shop.tile().await)
}

#[derive(Deserialize)]
struct Document {
    entity_type: String,
    entity_id: String,
}

async fn status(State(shop): Shared, Query(document): Query<Document>) -> Response {
    what_came_back(shop.status(&document.entity_type, &document.entity_id).await)
}

async fn faults(State(shop): Shared) -> Json<FaultSettings> {
    Json(shop.faults.get())
}

/// Changes the settings that are named and leaves the others.
async fn set_faults(State(shop): Shared, body: Bytes) -> Response {
    let changes: serde_json::Map<String, Value> = match read_or_default(&body) {
        Ok(changes) => changes,
        Err(refusal) => return refusal,
    };
    let merged = serde_json::to_value(shop.faults.get()).and_then(|mut current| {
        if let Some(fields) = current.as_object_mut() {
            fields.extend(changes);
        }
        serde_json::from_value::<FaultSettings>(current)
    });
    match merged {
        Ok(settings) => {
            shop.faults.set(settings.clone());
            Json(settings).into_response()
        }
        Err(error) => refuse(&error.to_string()),
    }
}

async fn clear_faults(State(shop): Shared) -> Json<FaultSettings> {
    shop.faults.clear();
    Json(shop.faults.get())
}

fn what_came_back(answer: Option<LedgerAnswer>) -> Response {
    match answer {
        Some(answer) => Json(answer).into_response(),
        None => (StatusCode::CONFLICT, Json(json!({ "error": "The shop is not paired." }))).into_response(),
    }
}

#[expect(clippy::result_large_err, reason = "the refusal is handed straight to axum")]
fn read_or_default<T: Default + for<'body> Deserialize<'body>>(body: &[u8]) -> Result<T, Response> {
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(body).map_err(|error| refuse(&error.to_string()))
}

fn refuse(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": why }))).into_response()
}
