//! A receiver of webhooks that keeps what it is sent and answers as it is told to.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// A call as it arrived.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its headers, by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// Its body, byte for byte.
    pub body: String,
}

#[derive(Default)]
struct Held {
    calls: Vec<Call>,
    answers: VecDeque<u16>,
    delay: Duration,
}

type Shared = Arc<Mutex<Held>>;

fn locked(shared: &Shared) -> MutexGuard<'_, Held> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A receiver that runs until it is dropped.
pub struct Running {
    url: String,
    shared: Shared,
    _task: AbortOnDropHandle<()>,
}

impl Running {
    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The calls that have arrived, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        locked(&self.shared).calls.clone()
    }

    /// What it answers to the next calls; afterwards 204 again.
    pub fn answer(&self, statuses: impl IntoIterator<Item = u16>) {
        locked(&self.shared).answers = statuses.into_iter().collect();
    }

    /// How long it takes to answer.
    pub fn delay(&self, delay: Duration) {
        locked(&self.shared).delay = delay;
    }
}

/// Starts a receiver on a free port of this machine.
pub async fn start() -> io::Result<Running> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hook", listener.local_addr()?);
    let shared = Shared::default();
    let router = Router::new().fallback(receive).with_state(Arc::clone(&shared));
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the receiver of webhooks ended");
        }
    });
    Ok(Running { url, shared, _task: AbortOnDropHandle::new(task) })
}

async fn receive(State(shared): State<Shared>, headers: HeaderMap, body: String) -> StatusCode {
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let (delay, answer) = {
        let mut held = locked(&shared);
        held.calls.push(Call { headers, body });
        (held.delay, held.answers.pop_front())
    };
    tokio::time::sleep(delay).await;
    answer.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::NO_CONTENT)
}
