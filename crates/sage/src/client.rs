//! The HTTP client: one call, read within bounds and judged.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use backon::ExponentialBuilder;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use messages::message;
use reqwest::{ClientBuilder, Method, RequestBuilder, Response, header, redirect};
use serde_json::Value;
use tracing::{Instrument, Span, field::Empty};

use crate::{App, Endpoints, Error, FailedCall, Limits, Message, TransportFailure, messages::messages};

/// The most that is read of an answer, in bytes; a page of 200 with all attributes has about one million.
const LARGEST: usize = 16 * 1024 * 1024;

/// Seconds to wait after 429 and 503 where Sage does not say (a live client's habit; Sage's guides are silent).
const RETRY_AFTER: i64 = 5;

/// Which business a call is for, and which one an answer is from.
const X_BUSINESS: &str = "x-business";

/// A good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP method.
    pub method: &'static str,
    /// Path below the API's base, without the query.
    pub path: String,
    /// HTTP status.
    pub status: u16,
    /// The body; null where there is none.
    pub body: Value,
    /// `x_request_id`: Sage's support asks for it.
    pub request_id: Option<String>,
    /// From sending to the last byte.
    pub duration: Duration,
    /// `Date`, where it can be read: Sage's clock, in whole seconds.
    pub date: Option<DateTime<Utc>>,
}

/// The client of one app; cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) app: Arc<App>,
    pub(crate) limits: Arc<Limits>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

/// A call that is about to be made.
pub(crate) struct Outgoing<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    /// Whether it changes something in Sage.
    pub(crate) writes: bool,
    pub(crate) business: Option<&'a str>,
}

impl Client {
    /// A client for this app at these endpoints.
    pub fn new(endpoints: Endpoints, app: App, limits: Arc<Limits>) -> Result<Self, Error> {
        let mut builder = ClientBuilder::new()
            .user_agent(concat!("Ledger/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_mins(1))
            .redirect(redirect::Policy::none())
            .referer(false);
        if endpoints.are_local() {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|_| Error::Setup)?;
        Ok(Self { http, endpoints: Arc::new(endpoints), app: Arc::new(app), limits })
    }

    /// The app that this client speaks for.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The endpoints that it speaks to.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The limits that it keeps.
    pub fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    /// How reads and token calls are tried again.
    pub(crate) fn repeats(&self) -> ExponentialBuilder {
        let repeats = self.limits.repeats();
        ExponentialBuilder::new().with_min_delay(repeats.first_wait).with_max_times(repeats.times)
    }

    pub(crate) fn request(&self, method: Method, url: url::Url) -> RequestBuilder {
        self.http.request(method, url).header(header::ACCEPT, "application/json")
    }

    /// Makes one call within the limits.
    pub(crate) async fn send(&self, call: &Outgoing<'_>, request: RequestBuilder) -> Result<Answer, Error> {
        let _permit = self.limits.admit(call.business).await?;
        self.send_admitted(call, request).await
    }

    /// Makes one call whose turn has come. Answers below 400 that can be read are good; everything else is an error.
    pub(crate) async fn send_admitted(
        &self,
        call: &Outgoing<'_>,
        request: RequestBuilder,
    ) -> Result<Answer, Error> {
        let started = Instant::now();
        let (method, path) = (call.method.as_str(), call.path.split('?').next().unwrap_or_default());
        let span = tracing::debug_span!(
            "sage",
            otel.kind = "client",
            otel.status_code = Empty,
            method,
            path,
            status = Empty,
            request_id = Empty
        );
        let sending = async {
            match request.send().await {
                Ok(response) => read(call, response, started, self.limits.now()).await,
                Err(error) => Err(call.lost(&error, started)),
            }
        };
        let result = sending.instrument(span.clone()).await;
        note(&span, &result);
        let status = result.as_ref().map_or_else(Error::status, |answer| Some(answer.status));
        metrics::sage_call(method, path, status, started.elapsed());
        self.limits.note(call.business, result.as_ref().err());
        if let Err(error) = &result {
            tracing::debug!(
                method = call.method.as_str(),
                path = call.path,
                status = error.status(),
                request_id = error.request_id(),
                code = %error.code(),
                "a call to Sage failed"
            );
        }
        result
    }
}

/// Notes in the span what came of its call.
fn note(span: &Span, result: &Result<Answer, Error>) {
    let (status, request_id) = match result {
        Ok(answer) => (Some(answer.status), answer.request_id.as_deref()),
        Err(error) => (error.status(), error.request_id()),
    };
    span.record("status", status);
    span.record("request_id", request_id);
    if result.is_err() {
        span.record("otel.status_code", "ERROR");
    }
}

/// The seconds that Sage asks us to wait: a number of them, or the instant until when, by Sage's own clock where it tells it.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<i64> {
    let asked = text(headers, "retry-after")?;
    if let Ok(seconds) = asked.trim().parse::<i64>() {
        return Some(seconds).filter(|seconds| *seconds >= 0);
    }
    let at = |text: &str| httpdate::parse_http_date(text.trim()).ok().map(DateTime::<Utc>::from);
    let said_at = text(headers, "date").as_deref().and_then(at).unwrap_or(now);
    Some((at(&asked)? - said_at).num_seconds().max(0))
}

async fn read(
    call: &Outgoing<'_>,
    mut response: Response,
    started: Instant,
    now: DateTime<Utc>,
) -> Result<Answer, Error> {
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut failed_call = Box::new(call.failed_call());
    failed_call.status = Some(status);
    // "x_request_id" in Sage's guide on best practices; the usual spelling is taken as well.
    failed_call.request_id = text(&headers, "x_request_id").or_else(|| text(&headers, "x-request-id"));
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| call.lost(&error, started))? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(Error::InvalidResponse { what: message!(sage_answers.too_large), failed_call });
        }
        bytes.extend_from_slice(&chunk);
    }
    failed_call.duration = started.elapsed();
    let body = if bytes.trim_ascii().is_empty() {
        Some(Value::Null)
    } else {
        serde_json::from_slice::<Value>(&bytes).ok()
    };
    if !(200..300).contains(&status) {
        failed_call.messages = body.map(|body| messages(&body, call.path)).unwrap_or_default();
        return Err(judge(status, retry_after(&headers, now), failed_call));
    }
    let answered_for = text(&headers, X_BUSINESS);
    if let (Some(asked), Some(answered)) = (call.business, answered_for)
        && asked != answered
    {
        return Err(Error::OtherBusiness(failed_call));
    }
    let Some(body) = body else {
        return Err(Error::InvalidResponse { what: message!(sage_answers.not_json), failed_call });
    };
    let FailedCall { method, path, request_id, duration, .. } = *failed_call;
    let date = text(&headers, "date").and_then(|date| DateTime::parse_from_rfc2822(&date).ok());
    Ok(Answer { method, path, status, body, request_id, duration, date: date.map(|date| date.to_utc()) })
}

/// Sorts a bad answer (Sage's guide on response codes). A refusal without Sage's own error body is not Sage's: something between, such
/// as a gateway during a deployment or a filter, has answered, and nobody knows whether Sage has got the request.
fn judge(status: u16, after: Option<i64>, failed_call: Box<FailedCall>) -> Error {
    match status {
        // What Sage's guide does not list, and gateways answer while an earlier request with the same id is under way.
        409 | 423 | 425 => Error::InProgress { after, failed_call },
        400..500 if failed_call.messages.is_empty() && !matches!(status, 401 | 408 | 429) => {
            Error::InvalidResponse { what: message!(sage_answers.no_error), failed_call }
        }
        401 if failed_call.messages.iter().any(is_about_the_plan) => Error::Plan(failed_call),
        // A password in front of Sage, a filter. A token of ours is never older than five minutes, so nothing is missed: if it is the
        // token after all, the next one is refused by the token host, and that is Sage's word.
        401 if !failed_call.messages.iter().any(Message::is_sages) => {
            Error::Unavailable { after, failed_call }
        }
        401 => Error::Unauthorised(failed_call),
        403 => Error::Forbidden(failed_call),
        404 => Error::NotFound(failed_call),
        429 => Error::RateLimited { after: after.unwrap_or(RETRY_AFTER), failed_call },
        503 => Error::Unavailable { after: Some(after.unwrap_or(RETRY_AFTER)), failed_call },
        // 408: Sage gave up waiting for our request; no different from a time-out here.
        408 | 500.. => Error::Unavailable { after, failed_call },
        400..500 => Error::Rejected(failed_call),
        _ => Error::InvalidResponse { what: message!(sage_answers.redirect), failed_call },
    }
}

/// `No active subscription. (MSE)`: the plan ended or lacks the endpoint, and no fresh token helps (seen by a live client).
fn is_about_the_plan(message: &Message) -> bool {
    message.text.to_ascii_lowercase().contains("no active subscription")
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().filter(|text| !text.is_empty()).map(str::to_owned)
}

impl Outgoing<'_> {
    fn failed_call(&self) -> FailedCall {
        let method = match self.method {
            Method::GET => "GET",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
            _ => "POST",
        };
        let path = self.path.split('?').next().unwrap_or_default().to_owned();
        FailedCall { method, path, writes: self.writes, ..FailedCall::default() }
    }

    /// The failure of a call without a whole answer. The HTTP client's own text is not kept: it may hold the URL.
    fn lost(&self, error: &reqwest::Error, started: Instant) -> Error {
        let mut failed_call = Box::new(self.failed_call());
        failed_call.duration = started.elapsed();
        let lost = if error.is_connect() {
            TransportFailure::NotConnected
        } else if error.is_timeout() {
            TransportFailure::TimedOut
        } else {
            TransportFailure::Cut
        };
        Error::Unreachable { lost, failed_call }
    }

    /// Adds the business.
    pub(crate) fn named(&self, request: RequestBuilder) -> RequestBuilder {
        match self.business {
            Some(business) => request.header(X_BUSINESS, business),
            None => request,
        }
    }
}
