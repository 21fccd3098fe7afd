//! The HTTP side: what happens to a request before and after the books see it.

use std::time::Duration;

use super::{
    api, businesses, control,
    errors::Refusal,
    faults::{Kind, Rule},
    handler::{Ctx, Reply},
    late::Late,
    lists::Query,
    state::{Busy, Sim},
    wire::Line,
    world::{Logged, World},
};
use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};

/// Resources that Sage numbers in sequence: no parallel POSTs in one business.
const NUMBERED: [&str; 6] =
    ["contacts", "products", "services", "stock_items", "sales_invoices", "sales_credit_notes"];

/// A body is at most this long.
const LONGEST_BODY: usize = 8 * 1024 * 1024;

/// What becomes of a request.
enum Outcome {
    Done(Reply),
    Refused(Refusal, Option<u64>),
    /// A gateway's page with this status.
    Page(u16),
    Cut,
}

impl From<Result<Reply, Refusal>> for Outcome {
    fn from(result: Result<Reply, Refusal>) -> Self {
        match result {
            Ok(reply) => Self::Done(reply),
            Err(refusal) => Self::Refused(refusal, None),
        }
    }
}

/// One API request on its way.
#[derive(Clone)]
pub(super) struct Call {
    method: String,
    path: String,
    business: Option<String>,
    headers: HeaderMap,
    query: Query,
}

impl Call {
    fn new(parts: &Parts, sim: &Sim) -> Self {
        let path = parts.uri.path().to_owned();
        let named = parts.headers.get("x-business").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let business = if matches!(segments(&path).first(), Some(&("businesses" | "user"))) {
            None
        } else {
            named.or_else(|| sim.with_world(|world, _| world.business(None).map(|lead| lead.id.clone())))
        };
        Self {
            method: parts.method.to_string(),
            path,
            business,
            headers: parts.headers.clone(),
            query: Query::parse(parts.uri.query()),
        }
    }

    fn is_numbered(&self) -> bool {
        let resource = segments(&self.path).first().copied().unwrap_or_default();
        self.method == "POST" && NUMBERED.contains(&resource)
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn strike(&self, sim: &Sim, kind: Kind) -> Option<Rule> {
        sim.faults().take(kind, &self.method, &self.path)
    }
}

/// The handler of everything under `/v3.1`.
pub(super) async fn serve(State(sim): State<Sim>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let line = parts.extensions.get::<ConnectInfo<Line>>().map(|info| info.0.clone());
    let call = Call::new(&parts, &sim);
    let seat = sim.sit();
    // Busy from the first byte to the answer, so that whatever overlaps is seen to overlap.
    let mut busy =
        call.business.as_deref().filter(|_| call.is_numbered()).map(|business| sim.enter(business));
    let body = axum::body::to_bytes(body, LONGEST_BODY).await.unwrap_or_default();
    let clashes = matches!(busy, Some(None));
    let outcome = match (&seat, clashes) {
        (None, _) => Outcome::Refused(Refusal::unexpected(429, "Too many requests at once."), Some(1)),
        // Sage numbers these in sequence and clashes.
        (_, true) => Outcome::from(Err(Refusal::unexpected(500, "An unexpected error occurred."))),
        _ => handle(&sim, &call, &body, busy.take().flatten()).await,
    };
    let logged = call.into_logged(&parts, &outcome, body);
    sim.with_world(|world, now| control::log(world, now, logged));
    respond(&sim, &parts, outcome, line)
}

/// Around authorize, token and revoke: faults that name their path, and the log (without bodies: they hold secrets).
pub(super) async fn token_host(State(sim): State<Sim>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let line = parts.extensions.get::<ConnectInfo<Line>>().map(|info| info.0.clone());
    let call = Call {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        business: None,
        headers: HeaderMap::new(),
        query: Query::default(),
    };
    if let Some(ms) = call.strike(&sim, Kind::LatencyMs).and_then(|rule| rule.ms) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    let mut fault = fault_before(&sim, &call);
    let mut response = None;
    if fault.is_none() {
        let answer = next.run(Request::from_parts(parts.clone(), body)).await;
        fault = if answer.status().is_success() { fault_after(&sim, &call) } else { None };
        response = Some(answer);
    }
    let status = match (&fault, &response) {
        (Some(fault), _) => fault.status(),
        (None, response) => response.as_ref().map_or(0, |response| response.status().as_u16()),
    };
    let logged = Logged { method: call.method, path: call.path, status, ..Logged::default() };
    sim.with_world(|world, now| control::log(world, now, logged));
    match (fault, response) {
        (None, Some(response)) => response,
        (fault, _) => respond(&sim, &parts, fault.unwrap_or(Outcome::Cut), line),
    }
}

/// Reads the body of a request to the token host.
pub(super) async fn read_body(request: Request) -> Bytes {
    axum::body::to_bytes(request.into_body(), LONGEST_BODY).await.unwrap_or_default()
}

impl Call {
    fn into_logged(self, parts: &Parts, outcome: &Outcome, body: Bytes) -> Logged {
        Logged {
            method: self.method,
            path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            business: self.business,
            status: outcome.status(),
            body,
            ..Logged::default()
        }
    }
}

impl Outcome {
    /// 0 for a connection that was cut.
    fn status(&self) -> u16 {
        match self {
            Self::Done(reply) => reply.status,
            Self::Refused(refusal, _) => refusal.status,
            Self::Page(status) => *status,
            Self::Cut => 0,
        }
    }
}

async fn handle(sim: &Sim, call: &Call, body: &[u8], mut busy: Option<Busy>) -> Outcome {
    match call.strike(sim, Kind::LatencyMs).and_then(|rule| rule.ms) {
        Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
        // Others that came in meanwhile are seen before this one is done.
        None => tokio::task::yield_now().await,
    }
    if let Some(outcome) = fault_before(sim, call) {
        return outcome;
    }
    if let Some(rule) = sim.faults().take_indigestible(&call.method, &call.path, body) {
        return failure(&rule);
    }
    if let Some(rule) = call.strike(sim, Kind::HangBefore) {
        if rule.after_s.is_some() {
            put_off(sim, call, body, rule);
        }
        // What is still on its way to Sage keeps nobody busy there.
        drop(busy.take());
        sim.faults().hang().await;
    }
    if let Some(rule) = call.strike(sim, Kind::CommitLate) {
        return put_off(sim, call, body, rule);
    }
    match work(sim, call, body) {
        Ok(reply) => {
            if call.strike(sim, Kind::HangAfter).is_some() {
                drop(busy.take());
                sim.faults().hang().await;
            }
            fault_after(sim, call).unwrap_or(Outcome::Done(reply))
        }
        Err(refusal) => Outcome::Refused(refusal, None),
    }
}

/// The gateway gives up at once; the backend works the request later.
fn put_off(sim: &Sim, call: &Call, body: &[u8], rule: Rule) -> Outcome {
    let taken = sim.with_world(|world, now| {
        admitted(world, call, now)?;
        let due = now + TimeDelta::seconds(rule.after_s.unwrap_or_default().into());
        world.late.push(Late { due, call: call.clone(), body: body.to_owned() });
        Ok(())
    });
    match taken {
        Ok(()) => failure(&Rule { status: rule.status.or(Some(504)), ..rule }),
        Err(refusal) => Outcome::Refused(refusal, None),
    }
}

fn fault_before(sim: &Sim, call: &Call) -> Option<Outcome> {
    if call.strike(sim, Kind::CutBefore).is_some() {
        return Some(Outcome::Cut);
    }
    if let Some(rule) = call.strike(sim, Kind::FailBefore) {
        return Some(failure(&rule));
    }
    if let Some(rule) = call.strike(sim, Kind::RateLimit) {
        let refusal = Refusal::unexpected(429, "Too many requests; wait and repeat.");
        return Some(Outcome::Refused(refusal, rule.retry_after));
    }
    if call.strike(sim, Kind::RefuseTokens).is_some() {
        return Some(Outcome::from(Err(Refusal::unauthorised())));
    }
    call.strike(sim, Kind::Forbid).map(|_| Outcome::from(Err(Refusal::denied())))
}

/// Strikes only where something was done.
fn fault_after(sim: &Sim, call: &Call) -> Option<Outcome> {
    if call.strike(sim, Kind::CutAfter).is_some() {
        return Some(Outcome::Cut);
    }
    call.strike(sim, Kind::FailAfter).map(|rule| failure(&rule))
}

fn failure(rule: &Rule) -> Outcome {
    let status = rule.status.unwrap_or(500);
    if rule.bare {
        return Outcome::Page(status);
    }
    Outcome::Refused(Refusal::unexpected(status, "An unexpected error occurred."), rule.retry_after)
}

/// Token, business, media type, then the resource itself; all under the one lock.
fn work(sim: &Sim, call: &Call, body: &[u8]) -> Result<Reply, Refusal> {
    sim.with_world(|world, now| {
        admitted(world, call, now)?;
        act(sim, world, now, call, body)
    })
}

/// Whether the token is good for this.
fn admitted(world: &World, call: &Call, now: DateTime<Utc>) -> Result<(), Refusal> {
    let token = call.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
    let allowed = world.grants.allows(token, &call.method, now).ok_or_else(Refusal::unauthorised)?;
    if allowed { Ok(()) } else { Err(Refusal::denied()) }
}

/// What an admitted request does.
pub(super) fn act(
    sim: &Sim,
    world: &mut World,
    now: DateTime<Utc>,
    call: &Call,
    body: &[u8],
) -> Result<Reply, Refusal> {
    let path = segments(&call.path);
    if matches!(path.first(), Some(&("businesses" | "user"))) {
        return if call.method == "GET" {
            businesses::serve(world, &path, &call.query)
        } else {
            Err(Refusal::method_not_allowed())
        };
    }
    let media = call.header("content-type");
    if matches!(call.method.as_str(), "POST" | "PUT")
        && !body.is_empty()
        && !media.starts_with("application/json")
    {
        return Err(Refusal::unexpected(415, "Unsupported media type."));
    }
    let mut ids = world.ids.clone();
    // A business that the user has no access to.
    let business = world.business(call.business.as_deref()).ok_or_else(Refusal::denied)?;
    let mut ctx =
        Ctx { business, ids: &mut ids, now, query: &call.query, faults: sim.faults(), site: sim.site() };
    let result = api::serve(&mut ctx, &call.method, &path, body);
    world.ids = ids;
    result
}

/// The parts of a path after `/v3.1`.
fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty()).skip(1).collect()
}

fn respond(sim: &Sim, parts: &Parts, outcome: Outcome, line: Option<Line>) -> Response {
    let (mut response, retry_after) = match outcome {
        Outcome::Cut => {
            if let Some(line) = line {
                line.cut();
            } else {
                tracing::warn!("a connection without a line cannot be cut");
            }
            (StatusCode::INTERNAL_SERVER_ERROR.into_response(), None)
        }
        Outcome::Done(reply) => (success(parts, reply), None),
        Outcome::Page(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (
                (status, Html("<html><body><h1>The page cannot be shown</h1></body></html>")).into_response(),
                None,
            )
        }
        Outcome::Refused(refusal, retry_after) => {
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            ((status, axum::Json(refusal.body())).into_response(), retry_after)
        }
    };
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&sim.request_id()) {
        headers.insert("x_request_id", id);
    }
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    let business = parts.uri.path().starts_with("/v3.1").then(|| Call::new(parts, sim).business).flatten();
    if let Some(business) = business.and_then(|id| HeaderValue::from_str(&id).ok()) {
        headers.insert("x-business", business);
    }
    response
}

fn success(parts: &Parts, reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match reply.body {
        None => status.into_response(),
        // `GET /sales_invoices/{id}` has a printed form.
        Some(_) if accept == "application/pdf" && segments(parts.uri.path()).len() == 2 => {
            ([(header::CONTENT_TYPE, "application/pdf")], Body::from(PDF)).into_response()
        }
        Some(body) => (status, axum::Json(body)).into_response(),
    }
}

/// An empty page.
const PDF: &str = "%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n\
trailer<</Root 1 0 R>>\n%%EOF\n";
