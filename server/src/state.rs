//! What the routes work with.

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::extract::FromRef;
use domain::environment::Environment;
use leptos::config::LeptosOptions;
use secrecy::SecretString;
use services::Services;
use store::Store;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::{client::Proxies, intake::Intake, streams::Streams};

/// The state of the router.
#[derive(Clone, FromRef)]
pub struct AppState {
    /// Leptos' options: where the site lies.
    pub leptos_options: LeptosOptions,
    /// What pages may reach.
    pub services: Services,
    /// What the wire's routes work with.
    pub endpoints: Arc<EndpointState>,
    /// The proxies in front of us.
    #[from_ref(skip)]
    pub proxies: Arc<Proxies>,
}

/// What the wire's routes work with.
pub struct EndpointState {
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// Time and randomness.
    pub environment: Arc<dyn Environment>,
    /// Revokes Sage's tokens when a shop disconnects.
    pub engine: Arc<sync::Engine>,
    /// Set when the process is ending: live pages let go, and events are answered 503.
    pub shutdown: CancellationToken,
    /// How many events each shop may send.
    pub intake: Intake,
    /// How the process is looked at from outside.
    pub observing: Observing,
    /// The pages that watch.
    pub streams: Arc<Streams>,
    /// The newest look at what `/readyz` tells.
    pub looked: Mutex<Option<Looked>>,
}

/// How a process is looked at from outside.
pub struct Observing {
    /// Who brings it may read `/metrics`; empty = only this machine may.
    pub token: SecretString,
    /// Whether figures are told of each binding as well.
    pub by_binding: bool,
    /// Whether this process works runs.
    pub works: bool,
    /// For how long a look at the store answers those who ask again: anybody may ask, and each look writes durably.
    pub looks_last: Duration,
}

/// What is well, or what is not.
pub type Check = Result<Cow<'static, str>, String>;

/// What was seen of the store, and when.
pub struct Looked {
    /// The machine's uptime then.
    pub at: Duration,
    /// Store, clock, schema, keys.
    pub checks: [Check; 4],
}
