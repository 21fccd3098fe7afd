//! `POST /webhooks/magento/{tenant_id}/{event}`: 202 only after event and run are durable.

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
};
use chrono::{DateTime, Utc};
use domain::{
    bounds::{LARGEST_ID, brief, is_sensible},
    ids::{EventId, RunId},
    run::EventName,
};
use futures::StreamExt;
use messages::message;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use store::{NewEvent, Received};
use tokio::time::sleep;
use tracing::{Instrument, Span, field::Empty};

use super::{magento::authenticate, refusal::Refusal};
use crate::state::EndpointState;

/// An event is some hundred bytes; the published module sends no more. It is kept as it came.
const LARGEST_BODY: usize = 8 * 1024;

/// A shop beyond its quota waits so long for each refusal: who floods costs nobody anything.
const REFUSED_AFTER: Duration = Duration::from_secs(1);

/// How much of a body that is too large is read before the line is cut.
const MOST_READ: usize = 32 * 1024 * 1024;

#[derive(Deserialize)]
struct EventBody {
    magento_entity_id: i64,
    #[serde(default)]
    website_id: Option<i64>,
    #[serde(default)]
    store_id: Option<i64>,
    occurred_at: DateTime<Utc>,
    #[serde(default)]
    payload: Option<Value>,
}

impl EventBody {
    /// Refuses what no shop can mean, before anything is computed with it.
    fn check(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        let ids = [
            ("magento_entity_id", Some(self.magento_entity_id), 1),
            ("website_id", self.website_id, 0),
            ("store_id", self.store_id, 0),
        ];
        for (name, id, least) in ids {
            if let Some(id) = id.filter(|id| !(least..=LARGEST_ID).contains(id)) {
                return Err(Refusal::Malformed(message!(
                    module_refusals.id_out_of_range,
                    name = name,
                    id = id,
                    least = least,
                    most = LARGEST_ID
                )));
            }
        }
        if is_sensible(self.occurred_at, now) {
            return Ok(());
        }
        let told = self.occurred_at.format("%Y-%m-%dT%H:%M:%SZ");
        Err(Refusal::Malformed(message!(module_refusals.time_out_of_range, time = told)))
    }

    /// The number that people see; the fetched document tells the whole of one that is too long.
    fn increment_id(&self) -> Option<String> {
        let told = self.payload.as_ref()?["increment_id"].as_str()?;
        Some(brief(told)).filter(|number| !number.is_empty())
    }
}

/// Takes an event: the beginning of its trace.
pub async fn receive(
    State(endpoints): State<Arc<EndpointState>>,
    Path((tenant, event)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let name = event.parse::<EventName>().map_or("unknown", EventName::as_str);
    let span = tracing::debug_span!(
        "webhook",
        otel.kind = "server",
        event = name,
        binding = Empty,
        magento_id = Empty,
        run = Empty
    );
    let taken = take(&endpoints, &tenant, event, &headers, body).instrument(span).await;
    let status = taken.as_ref().map_or_else(Refusal::status, |(status, _)| *status);
    metrics::webhook(name, status.as_u16());
    taken
}

async fn take(
    endpoints: &EndpointState,
    tenant: &str,
    event: String,
    headers: &HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    if endpoints.shutdown.is_cancelled() {
        return Err(Refusal::Unavailable);
    }
    let (binding, token) = authenticate(endpoints, headers, Some(tenant)).await?;
    if let Err(refusal) = endpoints.intake.take(binding.id, endpoints.environment.now()) {
        sleep(REFUSED_AFTER).await;
        return Err(refusal);
    }
    let event: EventName = event.parse().map_err(|_| Refusal::UnknownEvent(event))?;
    if !is_json(headers) {
        return Err(Refusal::ContentType);
    }
    let text = String::from_utf8(read(body).await?)
        .map_err(|_| Refusal::Malformed(message!(module_refusals.not_utf8).to_owned()))?;
    let parsed: EventBody =
        serde_json::from_str(&text).map_err(|error| Refusal::Malformed(error.to_string()))?;
    parsed.check(endpoints.environment.now())?;
    let span = Span::current();
    span.record("binding", tracing::field::display(binding.id));
    span.record("magento_id", parsed.magento_entity_id);
    let new = NewEvent {
        id: EventId(endpoints.environment.id()),
        run_id: RunId(endpoints.environment.id()),
        binding_id: binding.id,
        event,
        idempotency_key: idempotency_key(headers, event, parsed.magento_entity_id)?,
        magento_id: parsed.magento_entity_id,
        increment_id: parsed.increment_id(),
        website_id: parsed.website_id.unwrap_or(0),
        store_id: parsed.store_id.unwrap_or(0),
        body: text,
        occurred_at: parsed.occurred_at,
        received_at: endpoints.environment.now(),
        token: Some((token.jti, token.expires_at)),
        trace_parent: sync::trace_parent(&span),
    };
    match endpoints.store.receive(&new).await? {
        Received::Queued(id) | Received::Known(id) => {
            span.record("run", tracing::field::display(id));
            Ok((StatusCode::ACCEPTED, Json(json!({ "sync_run_id": id.to_string() }))))
        }
        Received::Replayed => Err(Refusal::Unauthorized(message!(module_refusals.replayed).to_owned())),
    }
}

/// Reads a body of a sensible size. A larger one is read on and thrown away for a while, so that its sender hears the answer and not
/// a cut line, which it would take for a reason to send it again.
async fn read(body: Body) -> Result<Vec<u8>, Refusal> {
    let mut chunks = body.into_data_stream();
    let (mut bytes, mut seen) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk =
            chunk.map_err(|error| Refusal::Malformed(message!(module_refusals.broken_off, error = error)))?;
        seen += chunk.len();
        if seen <= LARGEST_BODY {
            bytes.extend_from_slice(&chunk);
        } else if seen > MOST_READ {
            break;
        }
    }
    if seen > LARGEST_BODY { Err(Refusal::TooLarge(LARGEST_BODY)) } else { Ok(bytes) }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The key names event and entity; one that names another entity than the body contradicts it.
fn idempotency_key(headers: &HeaderMap, event: EventName, magento_id: i64) -> Result<String, Refusal> {
    let key = format!("{event}:{magento_id}");
    match headers.get("idempotency-key").map(|value| value.to_str().unwrap_or_default()) {
        None => Ok(key),
        Some(given) if given == key => Ok(key),
        Some(given) => Err(Refusal::Malformed(message!(module_refusals.wrong_key, given = given, key = key))),
    }
}
