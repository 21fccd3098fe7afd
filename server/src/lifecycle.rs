//! Start-up and shutdown of a process: store, engine, router, worker.

use std::{num::NonZeroU32, path::Path, sync::Arc, time::Duration};

use chrono::TimeDelta;
use domain::environment::Environment;
use leptos::config::LeptosOptions;
use messages::message;
use sage::{App, CircuitSettings, Endpoints, LimitSettings, Limits, Rate};
use services::{Services, alerting::Alerting, connecting::Connecting, sealing::Sealing};
use store::Store;
use sync::alerts::{AlertTransports, Hooks, Mail};
use tokio::{net::TcpListener, sync::Mutex};
use tokio_util::sync::CancellationToken;
use tracing::info;
use url::Url;

use crate::{
    client::Proxies,
    config::{self, Config},
    environment::{self, Machine},
    intake::Intake,
    router,
    serving::{self, ConnectionLimits},
    site::Site,
    state::{AppState, EndpointState, Observing},
};

/// How long a worker may take to finish what it holds; after that it comes back by its leases.
const GRACE: Duration = Duration::from_mins(1);

/// Connections at once for those who look at a process from outside.
const OPERATORS: usize = 64;

/// For how long a look at the store answers those who ask `/readyz` again: shorter than orchestrators ask.
const LOOKS_LAST: Duration = Duration::from_secs(5);

/// Anything that ends a command, as a sentence.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Opens the store that the configuration names and brings its schema to the newest version.
pub async fn open_store(database_url: &str) -> Result<Arc<dyn Store>, Failure> {
    let store = connect(database_url).await?;
    store.migrate().await?;
    Ok(store)
}

/// Opens the store of a command that looks at what is there: a mistyped address is no new, empty database.
pub async fn open_existing(database_url: &str) -> Result<Arc<dyn Store>, Failure> {
    match database_url.strip_prefix("sqlite://") {
        Some(path) if !Path::new(path).exists() => Err(message!(startup.no_database, path = path).into()),
        _ => open_store(database_url).await,
    }
}

/// Opens the store and leaves its schema as it is.
pub async fn connect(database_url: &str) -> Result<Arc<dyn Store>, Failure> {
    let store: Arc<dyn Store> = if let Some(path) = database_url.strip_prefix("sqlite://") {
        Arc::new(store_sqlite::SqliteStore::open(Path::new(path)).await?)
    } else if database_url.starts_with("postgres://") || database_url.starts_with("postgresql://") {
        Arc::new(store_postgres::PostgresStore::connect(database_url).await?)
    } else {
        return Err(message!(startup.database_url).into());
    };
    Ok(store)
}

/// Where Sage is: its own hosts, or another base.
pub fn endpoints(base_url: &str) -> Result<Endpoints, Failure> {
    if base_url.is_empty() { Ok(Endpoints::default()) } else { Ok(Endpoints::at(&Url::parse(base_url)?)) }
}

/// The engine of a configuration, in the store's time.
pub async fn engine(
    config: &Config,
    store: Arc<dyn Store>,
    timing: sync::Timing,
) -> Result<sync::Engine, Failure> {
    let time = environment::time_of(&store, Arc::new(Machine)).await?;
    engine_in(config, store, time, timing)
}

/// The same with a time and a randomness of its own.
pub fn engine_in(
    config: &Config,
    store: Arc<dyn Store>,
    environment: Arc<dyn Environment>,
    timing: sync::Timing,
) -> Result<sync::Engine, Failure> {
    let timing =
        sync::Timing { lease: TimeDelta::seconds(config.worker.lease_seconds.max(1).into()), ..timing };
    let app = App {
        client_id: config.sage.client_id.clone(),
        client_secret: config.sage_secret()?,
        redirect_uri: format!("{}/oauth/sage/callback", config.public_url),
    };
    let limits = Arc::new(Limits::new(limit_settings(&config.sage), Arc::clone(&environment)));
    let sage = sage::Client::new(endpoints(&config.sage.base_url)?, app, limits)?;
    let options = magento::Options {
        allow_private_addresses: config.magento.allow_private_addresses,
        ..magento::Options::default()
    };
    let magento = magento::Client::new(options, Arc::clone(&environment))?;
    Ok(sync::Engine::new(store, config.key_ring()?, magento, sage, posts(config)?, environment, timing))
}

/// How members are told.
fn posts(config: &Config) -> Result<AlertTransports, Failure> {
    let mail = config.smtp_url()?.map(|url| Mail::new(&url, &config.smtp.from)).transpose()?;
    Ok(AlertTransports {
        mail,
        hooks: Hooks::new(config.alerts.allow_private_addresses)?,
        thresholds: config.alerts.thresholds,
        public_url: config.public_url.clone(),
    })
}

/// As gentle as asked for; at full speed a fault is the queue's matter at once, which is what the tests look at.
fn limit_settings(sage: &config::SageConfig) -> LimitSettings {
    let rests_for = TimeDelta::seconds(sage.circuit_rests_seconds.into());
    let circuit = CircuitSettings { rests_for, ..CircuitSettings::default() };
    let Some(per_second) = NonZeroU32::new(sage.calls_per_second) else {
        return LimitSettings { circuit, ..LimitSettings::unhurried() };
    };
    let burst = per_second.saturating_mul(NonZeroU32::MIN.saturating_add(4));
    LimitSettings { circuit, per_business: Some(Rate { per_second, burst }), ..LimitSettings::default() }
}

fn endpoint_state(
    config: &Config,
    engine: &Arc<sync::Engine>,
    shutdown: &CancellationToken,
    works: bool,
) -> Result<Arc<EndpointState>, Failure> {
    Ok(Arc::new(EndpointState {
        store: Arc::clone(&engine.store),
        environment: Arc::clone(&engine.environment),
        engine: Arc::clone(engine),
        shutdown: shutdown.clone(),
        intake: Intake::new(config.quotas),
        observing: Observing {
            token: config.metrics_token()?,
            by_binding: config.metrics.by_binding,
            works,
            looks_last: LOOKS_LAST,
        },
        streams: Arc::default(),
        looked: Mutex::default(),
    }))
}

/// Answers operators at an address of their own, where the configuration names one.
pub async fn answer_operators(
    config: &Config,
    engine: &Arc<sync::Engine>,
    shutdown: &CancellationToken,
    works: bool,
) -> Result<(), Failure> {
    let address = &config.metrics.listen;
    if address.is_empty() {
        return Ok(());
    }
    let listener = listen(address).await?;
    let router = router::observing(endpoint_state(config, engine, shutdown, works)?);
    let limits = ConnectionLimits { connections: OPERATORS, ..ConnectionLimits::default() };
    tokio::spawn(serving::serve(listener, router, limits, shutdown.clone()));
    Ok(())
}

/// As many connections as configured, and no more than half of the files that the process may open: databases, shops and Sage need
/// some as well.
fn connections(config: &Config) -> usize {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let files = files.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX);
    config.connections.min(files / 2).max(1)
}

async fn listen(address: &str) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| message!(startup.address_taken, address = address, error = error).into())
}

/// A process that serves and works.
pub struct Process {
    /// Its parts, for the demo and the benchmarks.
    pub engine: Arc<sync::Engine>,
    /// The address it listens on.
    pub address: std::net::SocketAddr,
    shutdown: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
    working: Option<tokio::task::JoinHandle<()>>,
}

impl Process {
    /// Starts serving, and working where the configuration says so.
    pub async fn start(config: &Config, engine: sync::Engine) -> Result<Self, Failure> {
        let listener = listen(&config.listen).await?;
        let process = Self::start_on(config, engine, listener)?;
        answer_operators(config, &process.engine, &process.shutdown, config.worker.enabled).await?;
        Ok(process)
    }

    /// The same on a socket that is open already.
    pub fn start_on(config: &Config, engine: sync::Engine, listener: TcpListener) -> Result<Self, Failure> {
        let (engine, shutdown) = (Arc::new(engine), CancellationToken::new());
        let address = listener.local_addr()?;
        let state = AppState {
            leptos_options: leptos_options(config, address)?,
            services: Services {
                store: Arc::clone(&engine.store),
                environment: Arc::clone(&engine.environment),
                secure_cookies: config.public_url.starts_with("https://"),
                connecting: Arc::new(Connecting::new(Arc::clone(&engine), config.public_url.clone())),
                alerting: Alerting(Arc::clone(&engine)),
                sealing: Sealing::new(Arc::clone(&engine.keys), Arc::clone(&engine.environment)),
                public_url: config.public_url.clone(),
                quotas: config.quotas,
                thresholds: config.alerts.thresholds,
                consent_origin: engine.sage.endpoints().authorize.origin().ascii_serialization(),
            },
            endpoints: endpoint_state(config, &engine, &shutdown, config.worker.enabled)?,
            proxies: Proxies::new(config.trusted_proxies),
        };
        for problem in config.doubts() {
            tracing::warn!("{problem}");
        }
        let limits = ConnectionLimits { connections: connections(config), ..ConnectionLimits::default() };
        let serving = tokio::spawn(serving::serve(listener, router::router(state), limits, shutdown.clone()));
        let working = config.worker.enabled.then(|| {
            let name = format!("{}-{}", std::process::id(), address.port());
            let worker = sync::Worker::new(Arc::clone(&engine), name, config.worker.parallel);
            tokio::spawn(worker.run(shutdown.clone()))
        });
        info!(%address, worker = config.worker.enabled, "Ledger is up");
        Ok(Self { engine, address, shutdown, serving, working })
    }

    /// Ends: no new events, no new runs; what is held is finished.
    pub async fn stop(self) {
        self.shutdown.cancel();
        if let Some(working) = self.working
            && tokio::time::timeout(GRACE, working).await.is_err()
        {
            let under_way = &self.engine.under_way;
            tracing::warn!(
                "{under_way} did not end in time; what is not done comes back when its lease ends"
            );
        }
        // A browser that holds its connection open must not hold the process.
        if tokio::time::timeout(Duration::from_secs(5), self.serving).await.is_err() {
            tracing::info!("some connections were cut");
        }
        self.engine.store.close().await;
    }
}

/// Waits for Ctrl-C or the service manager's signal.
pub async fn asked_to_stop() -> Result<(), Failure> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

fn leptos_options(config: &Config, address: std::net::SocketAddr) -> Result<LeptosOptions, Failure> {
    let site = Site::of(config)?;
    if let Some(trouble) = site.trouble() {
        tracing::warn!("{trouble} {}", message!(site.to_do));
    }
    let root = site.root().ok_or("site_root is not UTF-8")?;
    Ok(LeptosOptions::builder()
        .output_name("ledger")
        .site_root(root)
        .site_pkg_dir("pkg")
        .site_addr(address)
        .env(leptos::config::Env::PROD)
        .hash_files(site.has_hashes())
        .build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_that_only_looks_makes_no_empty_database() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let url = format!("sqlite://{}", path.display());
        let Err(refusal) = open_existing(&url).await else { panic!("there is nothing to open") };
        assert!(refusal.to_string().contains("ledger.db") && !path.exists(), "{refusal}");
        open_store(&url).await.unwrap().close().await;
        open_existing(&url).await.unwrap().close().await;
    }
}
