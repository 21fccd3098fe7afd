//! The shop's front door: `/rest/...`, its store codes, its routes, and the faults that stand before them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use super::answers::{Answer, with_headers};
use super::documents::Kind;
use super::entities;
use super::faults::{FaultSettings, InvalidResponse};
use super::inputs::Inputs;
use super::shop::Shop;
use super::tokens;

/// More than any body of this API needs.
const LARGEST_BODY: usize = 1 << 20;
/// The sample shop's store views, and Magento's word for all of them.
const STORE_CODES: [&str; 3] = ["all", "default", "eur"];
const HTML: &str = "text/html; charset=UTF-8";
const JSON: &str = "application/json; charset=utf-8";
/// What `webapi.xml` of the module asks for.
const MODULE_RESOURCE: &str = "Byte8_Client::byte8_webapi";
const MAINTENANCE: &str = "<!doctype html>\n<html lang=\"en\"><head><title>Service Temporarily Unavailable</title></head>\
<body><h1>Service Temporarily Unavailable</h1><p>The server is temporarily unable to service your request \
due to maintenance downtime or capacity problems. Please try again later.</p></body></html>\n";
const NOT_FOUND: &str = "<!doctype html>\n<html lang=\"en\"><head><title>404 Not Found</title></head>\
<body><h1>Whoops, our bad...</h1></body></html>\n";

#[derive(Debug, PartialEq, Eq)]
enum Route {
    Pair,
    Ping,
    PaymentMethods,
    Entity(Kind, String),
    SyncState,
    /// A route of Magento itself, which the module's token does not open (sample 34).
    CoreStoreConfigs,
}

/// Answers everything that is no control of the simulator.
pub(crate) async fn answer(State(shop): State<Arc<Shop>>, request: Request) -> Response<Body> {
    let settings = shop.faults.get();
    // A kept connection cannot be refused any more; it is closed with the shortest of answers.
    if shop.faults.take(|faults| &mut faults.refused) {
        let mut response = page(&shop, StatusCode::SERVICE_UNAVAILABLE, MAINTENANCE);
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        return response;
    }
    let response = match unwell(&shop, &settings, request.uri().path()) {
        Some(response) => response,
        None => well(&shop, request, &settings).await,
    };
    if settings.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(settings.latency_ms)).await;
    }
    response
}

fn unwell(shop: &Shop, settings: &FaultSettings, path: &str) -> Option<Response<Body>> {
    if settings.down {
        return Some(page(shop, StatusCode::SERVICE_UNAVAILABLE, MAINTENANCE));
    }
    if let Some(spoilt) = settings.spoilt.iter().find(|spoilt| path.ends_with(&spoilt.path)) {
        return Some(with_headers(StatusCode::OK, JSON, spoilt.body.clone(), shop.now()));
    }
    settings.garbage.map(|garbage| match garbage {
        InvalidResponse::Html => page(shop, StatusCode::OK, MAINTENANCE),
        InvalidResponse::Text => {
            let text = "Warning: Undefined array key \"id\" in /app/code on line 1\n[".to_owned();
            with_headers(StatusCode::OK, JSON, text, shop.now())
        }
    })
}

fn page(shop: &Shop, status: StatusCode, text: &str) -> Response<Body> {
    with_headers(status, HTML, text.to_owned(), shop.now())
}

async fn well(shop: &Shop, request: Request, settings: &FaultSettings) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Some(path) = below_rest(parts.uri.path()) else {
        return page(shop, StatusCode::NOT_FOUND, NOT_FOUND);
    };
    let answer = match axum::body::to_bytes(body, LARGEST_BODY).await {
        Ok(body) => dispatch(shop, settings, &parts.method, path, &parts.headers, &body),
        Err(_) => Answer::error(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large."),
    };
    answer.into_response(shop.now())
}

/// What follows `/rest/`, with and without web server rewrites.
fn below_rest(path: &str) -> Option<&str> {
    path.strip_prefix("/index.php").unwrap_or(path).strip_prefix("/rest/")
}

/// Magento's own order: the store, the route, the token, the parameters.
fn dispatch(
    shop: &Shop,
    settings: &FaultSettings,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Answer {
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let segments = match segments.as_slice() {
        ["V1", rest @ ..] => rest,
        [store, "V1", rest @ ..] if STORE_CODES.contains(store) => rest,
        [_, "V1", ..] => {
            return Answer::error(StatusCode::BAD_REQUEST, "Specified request cannot be processed.");
        }
        _ => return Answer::no_route(),
    };
    let Some(route) =
        route(method, segments).filter(|route| !settings.route_missing || *route == Route::CoreStoreConfigs)
    else {
        return Answer::no_route();
    };
    if settings.broken.as_ref().is_some_and(|part| path.contains(part.as_str())) {
        let sentence = "Internal Error. Details are available in Magento log file. Report ID: webapi-1";
        return Answer::error(StatusCode::INTERNAL_SERVER_ERROR, sentence);
    }
    respond(shop, settings, route, headers, body).unwrap_or_else(|refusal| refusal)
}

fn route(method: &Method, segments: &[&str]) -> Option<Route> {
    let get = method == Method::GET;
    let post = method == Method::POST;
    match segments {
        ["byte8", "setup", "pair"] if post => Some(Route::Pair),
        ["byte8", "sync-state"] if post => Some(Route::SyncState),
        ["byte8", "ping"] if get => Some(Route::Ping),
        ["byte8", "payment-methods"] if get => Some(Route::PaymentMethods),
        ["byte8", kind, id] if get => Some(Route::Entity(entities::kind(kind)?, (*id).to_owned())),
        ["store", "storeConfigs"] if get => Some(Route::CoreStoreConfigs),
        _ => None,
    }
}

fn respond(
    shop: &Shop,
    settings: &FaultSettings,
    route: Route,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Answer, Answer> {
    match route {
        Route::Pair => {
            let inputs = Inputs::read(headers, body)?;
            let now = shop.now();
            return Ok(shop.with(|tables| tables.pairing.pair(&inputs, now)));
        }
        Route::CoreStoreConfigs => return Err(Answer::unauthorized("Magento_Backend::store")),
        _ => {}
    }
    let tenant_id = authorize(shop, settings, headers)?;
    let now = shop.now();
    Ok(match route {
        Route::Ping => entities::ping(&tenant_id, now),
        Route::PaymentMethods => entities::payment_methods(),
        Route::Entity(kind, id) => entity(shop, kind, &id),
        Route::SyncState => {
            let inputs = Inputs::read(headers, body)?;
            shop.with(|tables| tables.sync_states.receive(&inputs, now))
        }
        Route::Pair | Route::CoreStoreConfigs => Answer::no_route(),
    })
}

fn entity(shop: &Shop, kind: Kind, id: &str) -> Answer {
    match id.parse() {
        Ok(number) if shop.faults.take(|faults| &mut faults.not_found) => entities::missing(kind, number),
        _ => entities::entity(shop, kind, id),
    }
}

/// The tenant of a good token; the same 401 for every other one (the wire specification, section 5).
fn authorize(shop: &Shop, settings: &FaultSettings, headers: &HeaderMap) -> Result<String, Answer> {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let refused = || Answer::unauthorized(MODULE_RESOURCE);
    if shop.faults.take(|faults| &mut faults.unauthorized) {
        return Err(refused());
    }
    if settings.https_required && header("x-forwarded-proto") != Some("https") {
        return Err(refused());
    }
    let now = shop.now();
    shop.with(|tables| {
        let paired = tables.pairing.paired().cloned().ok_or_else(refused)?;
        let authorization = header("authorization");
        tokens::check(authorization, &paired.keys, &paired.tenant_id, &mut tables.replays, now).map_err(
            |why| {
                tracing::debug!(why, "inbound token refused");
                refused()
            },
        )?;
        Ok(paired.tenant_id)
    })
}
