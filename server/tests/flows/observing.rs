//! How a process is looked at: whether it is ready, and its figures.

use std::{sync::Arc, time::Duration};

use axum::{body::to_bytes, extract::State, http::StatusCode, response::IntoResponse};
use chrono::TimeDelta;
use domain::{environment::Environment, quota::Quotas};
use secrecy::ExposeSecret;
use server::{
    config::Config,
    demo::once::outcome,
    environment::Machine,
    intake::Intake,
    lifecycle::{self, Process},
    routes::health,
    sandbox::{Options, Sandbox, timing},
    state::{EndpointState, Observing},
};
use sqlx::{AssertSqlSafe, Connection};
use sync::{Engine, Worker};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::{postgres, refreshing::Ahead};

/// What `/readyz` works with, in a process of this engine.
fn endpoints(engine: &Arc<Engine>, works: bool) -> Arc<EndpointState> {
    Arc::new(EndpointState {
        store: Arc::clone(&engine.store),
        environment: Arc::clone(&engine.environment),
        engine: Arc::clone(engine),
        shutdown: CancellationToken::new(),
        intake: Intake::new(Quotas::default()),
        observing: Observing {
            token: String::new().into(),
            by_binding: false,
            works,
            looks_last: Duration::ZERO,
        },
        streams: Arc::default(),
        looked: Mutex::default(),
    })
}

async fn readiness(endpoints: &Arc<EndpointState>) -> (bool, String) {
    let answer = health::readyz(State(Arc::clone(endpoints))).await.into_response();
    let is_ready = answer.status() == StatusCode::OK;
    assert!(is_ready || answer.status() == StatusCode::SERVICE_UNAVAILABLE);
    let body = to_bytes(answer.into_body(), 10_000).await.unwrap();
    (is_ready, String::from_utf8(body.to_vec()).unwrap())
}

/// Not ready, for this reason and no other.
async fn broken(endpoints: &Arc<EndpointState>, check: &str) {
    let (is_ready, text) = readiness(endpoints).await;
    let failed: Vec<&str> = text.lines().filter(|line| line.contains(": failed, ")).collect();
    assert!(!is_ready && failed.len() == 1 && failed[0].starts_with(check), "{check}: {text}");
}

async fn ready(endpoints: &Arc<EndpointState>) {
    let (is_ready, text) = readiness(endpoints).await;
    assert!(is_ready && text.starts_with("ready\n") && !text.contains("failed"), "{text}");
}

async fn execute(database_url: &str, statement: &str) {
    let statement = AssertSqlSafe(statement.to_owned());
    if let Some(path) = database_url.strip_prefix("sqlite://") {
        let mut connection = sqlx::SqliteConnection::connect(path).await.unwrap();
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    } else {
        let mut connection = sqlx::PgConnection::connect(database_url).await.unwrap();
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
}

async fn readiness_is_honest(database_url: Option<String>) {
    let sandbox = Sandbox::set(Options { worker: false, database_url, ..Options::default() }).await.unwrap();
    let (config, database_url) = (sandbox.config(), &sandbox.config().database_url);
    let clock = Arc::new(Ahead::default());
    let engine_of = async |config: &Config| {
        let store = lifecycle::open_store(&config.database_url).await.unwrap();
        Arc::new(lifecycle::engine_in(config, store, clock.clone(), timing()).unwrap())
    };
    let engine = engine_of(config).await;
    let process = endpoints(&engine, false);
    ready(&process).await;

    // Neither Sage nor the shop are part of it.
    let mut alone = config.clone();
    "http://127.0.0.1:9".clone_into(&mut alone.sage.base_url);
    ready(&endpoints(&engine_of(&alone).await, false)).await;

    let mut random = [0; 32];
    Machine.random(&mut random);
    let other = Config { keys: vault::KeyRing::generate(random, "other").into(), ..config.clone() };
    broken(&endpoints(&engine_of(&other).await, false), "keys").await;

    execute(database_url, "ALTER TABLE heartbeat RENAME TO elsewhere").await;
    broken(&process, "store").await;
    execute(database_url, "ALTER TABLE elsewhere RENAME TO heartbeat").await;
    ready(&process).await;

    execute(database_url, "UPDATE _sqlx_migrations SET version = version + 1000 WHERE version = 4").await;
    broken(&process, "schema").await;
    execute(database_url, "UPDATE _sqlx_migrations SET version = 4 WHERE version = 1004").await;

    worker_is_watched(&engine, &clock).await;

    ready(&process).await;
    process.shutdown.cancel();
    broken(&process, "running").await;
    sandbox.stop().await;
}

/// A worker that works nothing shows no sign of life of its runs.
async fn worker_is_watched(engine: &Arc<Engine>, clock: &Arc<Ahead>) {
    let process = endpoints(engine, true);
    ready(&process).await;
    let stop = CancellationToken::new();
    let wedged = tokio::spawn(Worker::new(Arc::clone(engine), "wedged", 0).run(stop.clone()));
    clock.pass(TimeDelta::minutes(5));
    let (is_ready, text) = readiness(&process).await;
    assert!(!is_ready && text.contains("worker: failed") && text.contains("runs for 30"), "{text}");
    stop.cancel();
    wedged.await.unwrap();
    let stop = CancellationToken::new();
    let fixed = tokio::spawn(Worker::new(Arc::clone(engine), "fixed", 1).run(stop.clone()));
    while !readiness(&process).await.0 {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    fixed.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_ready_only_while_everything_of_its_own_works() {
    readiness_is_honest(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_on_postgres_is_ready_only_while_everything_of_its_own_works() {
    let Some(database_url) = postgres::database().await else { return };
    readiness_is_honest(Some(database_url)).await;
}

async fn scraped(url: &str) -> String {
    let answer = reqwest::get(format!("{url}/metrics")).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    answer.text().await.unwrap()
}

async fn figures_are_told(database_url: Option<String>) {
    let sandbox = Sandbox::set(Options { database_url, ..Options::default() }).await.unwrap();
    sandbox.send_all_events().await.unwrap();
    outcome(&sandbox).await.unwrap();
    let text = scraped(&sandbox.url()).await;
    for series in [
        r#"ledger_attempts_total{event="invoice.created",outcome="succeeded",code=""}"#,
        r#"ledger_webhooks_total{event="invoice.created",status="202"}"#,
        r#"ledger_document_seconds_count{event="invoice.created"}"#,
        r#"ledger_sage_call_seconds_count{method="POST",path="/sales_invoices",status="2xx"}"#,
        r#"ledger_magento_call_seconds_count{method="GET",path="/invoice/{id}",status="2xx"}"#,
        r#"ledger_http_request_seconds_count{method="POST",route="/webhooks/magento/{tenant_id}/{event}",status="2xx"}"#,
        r#"ledger_deliveries_total{outcome="delivered"}"#,
        r#"ledger_runs{status="queued"} 0"#,
        r#"ledger_bindings{status="active"} 1"#,
        "ledger_oldest_due_seconds 0",
        "ledger_oldest_token_seconds ",
        "ledger_deliveries_given_up 0",
    ] {
        assert!(text.contains(series), "{series} is missing in\n{text}");
    }
    assert!(!text.contains("/webhooks/magento/0"), "no ids among the routes");
    assert!(!text.contains(&sandbox.binding.id.to_string()), "bindings are not named unless asked for");

    let mut config = sandbox.config().clone();
    "127.0.0.1:0".clone_into(&mut config.listen);
    config.worker.enabled = false;
    config.metrics.token = "secret".to_owned().into();
    config.metrics.by_binding = true;
    let store = lifecycle::open_store(&config.database_url).await.unwrap();
    let process =
        Process::start(&config, lifecycle::engine(&config, store, timing()).await.unwrap()).await.unwrap();
    let url = format!("http://{}/metrics", process.address);
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 401);
    let asked =
        reqwest::Client::builder().build().unwrap().get(&url).bearer_auth("secret").send().await.unwrap();
    let text = asked.text().await.unwrap();
    let own = format!(r#"ledger_binding_runs{{status="queued",binding="{}"}} 0"#, sandbox.binding.id);
    assert!(text.contains(&own), "{own} is missing in\n{text}");
    process.stop().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_answers_operators_at_an_address_of_its_own() {
    let sandbox = Sandbox::set(Options { worker: false, ..Options::default() }).await.unwrap();
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut worker = std::process::Command::new(env!("CARGO_BIN_EXE_ledger"))
        .arg("worker")
        .env("LEDGER_DATABASE_URL", &sandbox.config().database_url)
        .env("LEDGER_KEYS", sandbox.config().keys.expose_secret())
        .env("LEDGER_METRICS__LISTEN", &address)
        .env("LEDGER_LOG", "error")
        .spawn()
        .unwrap();
    let answer = loop {
        if let Ok(answer) = reqwest::get(format!("http://{address}/readyz")).await {
            break answer.text().await.unwrap();
        }
        assert!(worker.try_wait().unwrap().is_none(), "the worker has ended");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert!(answer.contains("worker: ok, alive"), "{answer}");
    assert!(scraped(&format!("http://{address}")).await.contains("ledger_runs"));
    let page = reqwest::get(format!("http://{address}/dashboard")).await.unwrap();
    assert_eq!(page.status(), 404, "nothing else is there");
    worker.kill().unwrap();
    worker.wait().unwrap();
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_told_without_ids() {
    figures_are_told(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_on_postgres_are_told_without_ids() {
    let Some(database_url) = postgres::database().await else { return };
    figures_are_told(Some(database_url)).await;
}
