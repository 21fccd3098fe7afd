//! A Sage Business Cloud Accounting, to run against: API v3.1, its OAuth 2, and a control side under `/_sim`.
//!
//! Written from the API's specification alone; it shares nothing with the client in `crates/sage`. All of Sage's hosts live
//! under one address: authorize is `/oauth2/auth/central`, token `/token`, revoke `/revoke`, the API `/v3.1`.

mod allocations;
mod api;
mod artefacts;
mod books;
mod businesses;
mod catalogue;
mod chart;
mod consent;
mod contacts;
mod control;
mod credit_notes;
mod errors;
mod faults;
mod grants;
mod handler;
mod idempotency;
mod invoices;
mod late;
mod lines;
mod lists;
mod money;
mod oauth;
mod payments;
mod plans;
mod reference;
mod schema;
mod server;
mod settings;
mod settlements;
mod state;
mod stock;
mod tables;
mod tax_rules;
mod transactions;
mod vat_return;
mod wire;
mod world;

use std::{
    io,
    net::Ipv4Addr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    routing::{any, get, post},
};
use chrono::{DateTime, Utc};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub use self::{
    faults::{Faults, Kind, Rule},
    state::Sim,
};

/// Where the simulator takes the time from.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The clock of this machine: a running simulator is the outermost room, here time is handed out.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        DateTime::from_timestamp_nanos(i64::try_from(since.as_nanos()).unwrap_or_default())
    })
}

/// An application registered with Sage.
#[derive(Debug, Clone)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: String,
    /// The addresses a consent may return to, compared exactly. None: `/oauth/sage/callback` on 127.0.0.1 or localhost.
    pub redirect_uris: Vec<String>,
}

/// How to start.
#[derive(Clone)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Ids and tokens follow from it.
    pub seed: u64,
    /// How many British businesses there are besides the five.
    pub more_businesses: usize,
    /// The registered applications.
    pub clients: Vec<Client>,
    /// The time.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        let client =
            Client { id: "ledger".to_owned(), secret: "ledger-secret".to_owned(), redirect_uris: Vec::new() };
        Self { port: 0, seed: 1, more_businesses: 0, clients: vec![client], clock: system_clock() }
    }
}

/// A simulator that runs. Dropping it stops it, without waiting.
pub struct Running {
    url: String,
    sim: Sim,
    stop: CancellationToken,
    server: JoinHandle<io::Result<()>>,
}

/// Starts a simulator on 127.0.0.1.
pub async fn start(options: Options) -> io::Result<Running> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let sim = Sim::new(options);
    sim.set_site(&url);
    let stop = CancellationToken::new();
    let service = router(sim.clone()).into_make_service_with_connect_info::<wire::Line>();
    let serving =
        axum::serve(wire::Lines(listener), service).with_graceful_shutdown(stop.clone().cancelled_owned());
    let server = tokio::spawn(serving.into_future());
    Ok(Running { url, sim, stop, server })
}

/// The routes over a state. A connection can only be cut when the router runs under [`start`].
pub fn router(sim: Sim) -> Router {
    Router::new()
        .route("/oauth2/auth/central", get(oauth::authorize).post(oauth::authorize))
        .route("/token", post(oauth::token))
        .route("/revoke", post(oauth::revoke))
        .layer(axum::middleware::from_fn_with_state(sim.clone(), server::token_host))
        .route("/v3.1/{*path}", any(server::serve))
        .merge(control::routes())
        .with_state(sim)
}

impl Running {
    /// The one base address, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The faults to order.
    pub fn faults(&self) -> &Faults {
        self.sim.faults()
    }

    /// Everything that is held, as `GET /_sim/books` shows it.
    pub fn books(&self) -> serde_json::Value {
        self.sim.books()
    }

    /// Stops, and waits a moment for requests under way.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if tokio::time::timeout(Duration::from_secs(1), &mut self.server).await.is_err() {
            self.server.abort();
        }
    }

    /// Waits until it ends, which by itself it does not.
    pub async fn wait(mut self) {
        if let Ok(Err(error)) = (&mut self.server).await {
            tracing::error!(%error, "the Sage simulator ended");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
