//! What the module asks besides sending events: status, tile, disconnect; and how its token is checked.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
};
use chrono::{SecondsFormat, TimeDelta};
use domain::{
    code::{Code, Effect},
    ids::BindingId,
    run::{ActionKind, BindingStatus, EntityKind, EventName, RunStatus},
    xref::{XrefKey, XrefKind},
};
use magento::{SubKeys, Verified};
use messages::message;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Action, Actor, Binding, CredentialKind, Run, Xref};

use super::refusal::Refusal;
use crate::state::EndpointState;

/// Checks the token of a call: whose it is (`tenant` of the path, else the token's own `sub`), signature, claims. Whether it was
/// used before is for the caller to note, together with what it writes.
pub async fn authenticate(
    endpoints: &EndpointState,
    headers: &HeaderMap,
    tenant: Option<&str>,
) -> Result<(Binding, Verified), Refusal> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(magento::bearer)
        .ok_or_else(|| Refusal::Unauthorized(message!(module_refusals.no_token).to_owned()))?;
    let id = match tenant {
        Some(tenant) => tenant.parse::<BindingId>().map_err(|_| Refusal::UnknownTenant)?,
        None => magento::subject(token)
            .ok_or_else(|| Refusal::Unauthorized(message!(module_refusals.no_tenant).to_owned()))?,
    };
    let binding = endpoints.store.binding(id).await?.ok_or(Refusal::UnknownTenant)?;
    let api_key = api_key(endpoints, id).await?.ok_or(Refusal::UnknownTenant)?;
    let verified = magento::verify(token, &SubKeys::derive(&api_key), id, endpoints.environment.now())
        .map_err(|error| Refusal::Unauthorized(error.to_string()))?;
    Ok((binding, verified))
}

async fn api_key(endpoints: &EndpointState, id: BindingId) -> Result<Option<SecretString>, Refusal> {
    endpoints.engine.open_credential(id, CredentialKind::MagentoApiKey).await.map_err(|error| {
        tracing::error!(binding = %id, error = %error, "a shop's key could not be opened");
        Refusal::Unavailable
    })
}

/// The same, noting the token as used.
async fn authenticate_once(endpoints: &EndpointState, headers: &HeaderMap) -> Result<Binding, Refusal> {
    let (binding, token) = authenticate(endpoints, headers, None).await?;
    if endpoints.store.use_token(binding.id, &token.jti, token.expires_at).await? {
        Ok(binding)
    } else {
        Err(Refusal::Unauthorized(message!(module_refusals.replayed).to_owned()))
    }
}

/// What `/v1/status` is asked.
#[derive(Deserialize)]
pub struct StatusQuery {
    entity_type: String,
    entity_id: i64,
}

/// `GET /v1/status`: the entity's latest run.
pub async fn status(
    State(endpoints): State<Arc<EndpointState>>,
    query: Result<Query<StatusQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let binding = authenticate_once(&endpoints, &headers).await?;
    let Ok(Query(query)) = query else {
        return Err(Refusal::Malformed(message!(module_refusals.entity_missing).to_owned()));
    };
    let entity: EntityKind = query
        .entity_type
        .parse()
        .map_err(|error: domain::words::UnknownWord| Refusal::Malformed(format!("entity_type: {error}")))?;
    let mut run = endpoints
        .store
        .latest_run(binding.id, entity, query.entity_id)
        .await?
        .ok_or(Refusal::UnknownEntity)?;
    if run.event == EventName::InvoicePaid {
        // It speaks of the invoice, and its own record is the payment.
        let invoice = invoice_record(&endpoints, &binding, query.entity_id).await?;
        run.facts.sage_id = invoice.as_ref().map(|invoice| invoice.sage_id.clone());
        run.facts.sage_reference = invoice.and_then(|invoice| invoice.displayed_as);
    }
    Ok(Json(status_body(&run)))
}

/// What an invoice is in the binding's Sage business.
async fn invoice_record(
    endpoints: &EndpointState,
    binding: &Binding,
    id: i64,
) -> Result<Option<Xref>, Refusal> {
    let Some(business) = &binding.business else { return Ok(None) };
    let key = XrefKey { kind: XrefKind::Invoice, magento_key: id.to_string() };
    Ok(endpoints.store.xrefs(binding.id, &business.id, &[key]).await?.pop())
}

fn status_body(run: &Run) -> Value {
    let status = match run.status {
        RunStatus::Succeeded => "synced",
        RunStatus::SkippedByPolicy => "skipped",
        RunStatus::Failed => "failed",
        RunStatus::Queued | RunStatus::Running | RunStatus::Waiting | RunStatus::Retrying => "pending",
    };
    let skip_reason = run.code.filter(|code| matches!(code.effect(), Effect::Skips));
    json!({
        "status": status,
        "run_status": run.status,
        "sync_run_id": run.id.to_string(),
        "provider_entity_id": run.facts.sage_id,
        "provider_reference": run.facts.sage_reference,
        "skip_reason": skip_reason,
        "error_code": run.code.and_then(Code::class),
        "last_sync_at": run.updated_at.to_rfc3339_opts(SecondsFormat::Secs, true),
    })
}

/// `GET /v1/tile/health`: fetched at every view of Magento's dashboard, so it counts and does no more.
pub async fn tile(
    State(endpoints): State<Arc<EndpointState>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let binding = authenticate_once(&endpoints, &headers).await?;
    let counts =
        endpoints.store.count_runs(binding.id, endpoints.environment.now() - TimeDelta::hours(24)).await?;
    let connection = match binding.status {
        BindingStatus::Pending => "pending",
        // Who disconnected in Ledger, and whom Sage refuses, has a shop that is connected all the same.
        BindingStatus::NeedsReauth | BindingStatus::Revoked
            if endpoints.store.refusal(binding.id).await? == Some(Code::MagentoAuth) =>
        {
            "token_revoked"
        }
        _ => "connected",
    };
    let last = counts.last_finished_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
    Ok(Json(json!({
        "tenant": { "magento_connection_status": connection },
        "binding": { "status": binding.status, "region": binding.business.map(|business| business.country) },
        "sync": { "pending_count": counts.pending, "failed_24h": counts.failed, "last_run_at": last },
    })))
}

/// `POST /v1/tenant/disconnect`: the binding is revoked, Sage's tokens are revoked and deleted, its history stays.
pub async fn disconnect(
    State(endpoints): State<Arc<EndpointState>>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    let binding = authenticate_once(&endpoints, &headers).await?;
    let actor = Actor { member: None, name: "Magento".to_owned() };
    let kind = ActionKind::Disconnected;
    let action =
        Action::new(&*endpoints.environment, binding.organisation_id, actor, kind).with_binding(binding.id);
    // What is disconnected already is only made sure of.
    let action = Some(&action).filter(|_| binding.status != BindingStatus::Revoked);
    endpoints.engine.disconnect_by_shop(&binding, action).await.map_err(|error| {
        tracing::error!(binding = %binding.id, error = %error, "a shop could not be disconnected");
        Refusal::Unavailable
    })?;
    Ok(StatusCode::NO_CONTENT)
}
