//! `/_sim`: faults, books, the log of requests, reset, and changes behind the API's back.

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
    routing::{delete, get, patch, post},
};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{
    consent, contacts,
    state::Sim,
    tables::{Business, Plan, Row, stamp},
    vat_return,
    world::{Logged, World},
};

/// The log keeps this many requests.
const LOGGED: usize = 20_000;

/// Puts a request into the log.
pub(super) fn log(world: &mut World, now: DateTime<Utc>, logged: Logged) {
    if world.log.len() == LOGGED {
        world.log.pop_front();
    }
    world.log.push_back(Logged { at: now, ..logged });
}

/// The routes of the control side.
pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/_sim/faults", get(show_faults).post(set_faults).delete(clear_faults))
        .route("/_sim/books", get(show_books))
        .route("/_sim/vat-return", get(show_vat_return))
        .route("/_sim/requests", get(show_requests).delete(clear_requests))
        .route("/_sim/access-tokens", delete(end_access_tokens))
        .route("/_sim/reset", post(reset))
        .route("/_sim/businesses/{business}", patch(change_business))
        .route("/_sim/records/{business}/{resource}/{id}", patch(change_record).delete(remove_record))
        .route("/_sim/open/{business}/{resource}/{id}", get(open_record))
}

async fn show_faults(State(sim): State<Sim>) -> Json<Value> {
    Json(sim.faults().show())
}

async fn set_faults(State(sim): State<Sim>, Json(wanted): Json<Map<String, Value>>) -> Response {
    match sim.faults().merge(wanted) {
        Ok(()) => Json(sim.faults().show()).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error).into_response(),
    }
}

async fn clear_faults(State(sim): State<Sim>) -> StatusCode {
    sim.faults().clear();
    StatusCode::NO_CONTENT
}

async fn show_books(State(sim): State<Sim>) -> Json<Value> {
    Json(sim.books())
}

/// `?from=2026-11-01&to=2026-11-30`: the boxes of each business.
async fn show_vat_return(State(sim): State<Sim>, Query(query): Query<Map<String, Value>>) -> Response {
    match vat_return::period(&query) {
        Some(period) => {
            Json(sim.with_world(|world, _| vat_return::show(&world.businesses, period))).into_response()
        }
        None => (StatusCode::BAD_REQUEST, "from and to are days, in this order").into_response(),
    }
}

async fn show_requests(State(sim): State<Sim>) -> Json<Value> {
    let entry = |logged: &Logged| {
        json!({
            "at": stamp(logged.at),
            "method": logged.method,
            "path": logged.path,
            "business": logged.business,
            "status": logged.status,
            "body": serde_json::from_slice::<Value>(&logged.body).unwrap_or_default(),
        })
    };
    Json(sim.with_world(|world, _| world.log.iter().map(entry).collect()))
}

async fn clear_requests(State(sim): State<Sim>) -> StatusCode {
    sim.with_world(|world, _| world.log.clear());
    StatusCode::NO_CONTENT
}

/// Every access token has run out; the refresh tokens live on.
async fn end_access_tokens(State(sim): State<Sim>) -> StatusCode {
    sim.with_world(|world, _| world.grants.end_access_tokens());
    StatusCode::NO_CONTENT
}

async fn reset(State(sim): State<Sim>) -> StatusCode {
    sim.reset();
    StatusCode::NO_CONTENT
}

/// `{"plan":"START|ACCOUNTS|ACCOUNTING", "active":false, "financial_settings":{..}, "invoice_settings":{..}, ..}`.
async fn change_business(
    State(sim): State<Sim>,
    Path(id): Path<String>,
    Json(change): Json<Map<String, Value>>,
) -> StatusCode {
    sim.with_world(|world, now| {
        let Some(business) = world.business(Some(&id)) else { return StatusCode::NOT_FOUND };
        if apply(business, &change, now) { StatusCode::NO_CONTENT } else { StatusCode::BAD_REQUEST }
    })
}

fn apply(business: &mut Business, change: &Map<String, Value>, now: DateTime<Utc>) -> bool {
    change.iter().all(|(key, value)| match (key.as_str(), value) {
        ("plan", Value::String(plan)) => {
            let plans = [Plan::Start, Plan::Standard, Plan::Plus];
            let plan = plans.into_iter().find(|known| known.subscription() == plan);
            business.plan = plan.unwrap_or(business.plan);
            plan.is_some()
        }
        ("active", Value::Bool(active)) => {
            business.active = *active;
            true
        }
        (document, Value::Object(_)) => match business.row_mut("settings", document) {
            Some(row) => {
                contacts::extend(&mut row.body, value.clone());
                row.touch(now);
                true
            }
            None => false,
        },
        _ => false,
    })
}

/// Changes or makes a record of any list, as a person in Sage's screen would.
async fn change_record(
    State(sim): State<Sim>,
    Path((business, resource, id)): Path<(String, String, String)>,
    Json(change): Json<Value>,
) -> StatusCode {
    sim.with_world(|world, now| {
        let Some(business) = world.business(Some(&business)) else { return StatusCode::NOT_FOUND };
        if business.table(&resource).get(&id).is_some() {
            if let Some(row) = business.row_mut(&resource, &id) {
                contacts::extend(&mut row.body, change);
                row.touch(now);
            }
        } else {
            let mut row = Row::fixed(&resource, &id, &id, now).with(change);
            if resource == "contacts" {
                row.haystack = contacts::haystack(&row.body);
            }
            business.table_mut(&resource).insert(row);
        }
        StatusCode::NO_CONTENT
    })
}

async fn remove_record(
    State(sim): State<Sim>,
    Path((business, resource, id)): Path<(String, String, String)>,
) -> StatusCode {
    sim.with_world(|world, _| {
        let Some(business) = world.business(Some(&business)) else { return StatusCode::NOT_FOUND };
        business.table_mut(&resource).remove(&id);
        StatusCode::NO_CONTENT
    })
}

async fn open_record(
    State(sim): State<Sim>,
    Path((business, resource, id)): Path<(String, String, String)>,
) -> Response {
    let page = sim.with_world(|world, _| {
        let business = world.business(Some(&business))?;
        let row = business.row(&resource, &id).ok()?;
        Some(consent::record(business.name, &Value::Object(row.body.clone())))
    });
    page.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |page| Html(page).into_response())
}
