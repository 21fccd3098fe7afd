//! A small Sage for tests: it answers what a test tells it to and remembers what it was asked.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use domain::environment::Environment;
use secrecy::SecretString;
use url::Url;

use crate::{App, Client, Endpoints, LimitSettings, Limits, Repeats};

/// A clock that stands until it is set.
pub(crate) struct Still(AtomicI64);

impl Still {
    pub(crate) fn at(seconds: i64) -> Self {
        Self(AtomicI64::new(seconds))
    }

    pub(crate) fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}

impl Environment for Still {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0.load(Ordering::Relaxed), 0).unwrap_or_default()
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// An answer to give.
#[derive(Clone)]
pub(crate) struct Scripted {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

pub(crate) fn answer(status: u16, body: impl Into<String>) -> Scripted {
    Scripted { status, headers: Vec::new(), body: body.into() }
}

impl Scripted {
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What a call looked like.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

type Answers = dyn FnMut(&str) -> Scripted + Send;

struct Shared {
    answers: Mutex<Box<Answers>>,
    seen: Mutex<Vec<Seen>>,
}

/// A running stub.
pub(crate) struct Sage {
    shared: Arc<Shared>,
    endpoints: Endpoints,
    pub(crate) clock: Arc<Still>,
}

impl Sage {
    /// Gives these answers in turn, the last one for ever.
    pub(crate) async fn new(mut answers: Vec<Scripted>) -> Self {
        Self::answering(move |_| if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() }).await
    }

    /// Answers by path and query.
    pub(crate) async fn answering(answers: impl FnMut(&str) -> Scripted + Send + 'static) -> Self {
        let shared = Arc::new(Shared { answers: Mutex::new(Box::new(answers)), seen: Mutex::default() });
        let router = Router::new().fallback(respond).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let endpoints = Endpoints::at(&Url::parse(&base).expect("a URL"));
        Self { shared, endpoints, clock: Arc::new(Still::at(1_777_460_000)) }
    }

    /// A client without repeats.
    pub(crate) fn client(&self) -> Client {
        self.client_with(LimitSettings::unhurried())
    }

    /// A client that repeats reads and token calls twice, nearly at once.
    pub(crate) fn repeating_client(&self) -> Client {
        let repeats = Repeats { times: 2, first_wait: Duration::from_millis(1) };
        self.client_with(LimitSettings { repeats, ..LimitSettings::unhurried() })
    }

    pub(crate) fn client_with(&self, settings: LimitSettings) -> Client {
        client(self.endpoints.clone(), settings, self.clock.clone())
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().expect("no panic").clone()
    }

    /// The paths and queries that were asked for.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.target).collect()
    }
}

pub(crate) fn client(endpoints: Endpoints, settings: LimitSettings, clock: Arc<Still>) -> Client {
    let app = App {
        client_id: "id".to_owned(),
        client_secret: SecretString::from("secret"),
        redirect_uri: "https://ledger.example/oauth/sage".to_owned(),
    };
    Client::new(endpoints, app, Arc::new(Limits::new(settings, clock))).expect("a client")
}

async fn respond(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let target = uri.to_string();
    let body = String::from_utf8_lossy(&body).into_owned();
    let seen = Seen { method: method.to_string(), target: target.clone(), headers, body };
    shared.seen.lock().expect("no panic").push(seen);
    let scripted = shared.answers.lock().expect("no panic")(&target);
    let status = StatusCode::from_u16(scripted.status).expect("a status");
    let mut response = (status, scripted.body).into_response();
    for (name, value) in scripted.headers {
        response.headers_mut().insert(HeaderName::from_static(name), value.parse().expect("a header"));
    }
    response
}
