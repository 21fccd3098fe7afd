//! The process is killed in the middle, again and again: Sage still holds each document once.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use secrecy::ExposeSecret;
use serde_json::json;
use server::{
    demo::once::outcome,
    sandbox::{Options, Sandbox},
};

/// A worker process on the stage's store.
pub fn worker(sandbox: &Sandbox) -> Child {
    let config = sandbox.config();
    Command::new(env!("CARGO_BIN_EXE_ledger"))
        .arg("worker")
        .env("LEDGER_DATABASE_URL", &config.database_url)
        .env("LEDGER_KEYS", config.keys.expose_secret())
        .env("LEDGER_PUBLIC_URL", &config.public_url)
        .env("LEDGER_MAGENTO__ALLOW_PRIVATE_ADDRESSES", "true")
        .env("LEDGER_ALERTS__ALLOW_PRIVATE_ADDRESSES", "true")
        .env("LEDGER_SAGE__BASE_URL", &config.sage.base_url)
        .env("LEDGER_SAGE__CLIENT_ID", &config.sage.client_id)
        .env("LEDGER_SAGE__CLIENT_SECRET", config.sage.client_secret.expose_secret())
        .env("LEDGER_SAGE__CALLS_PER_SECOND", "0")
        .env("LEDGER_WORKER__LEASE_SECONDS", "1")
        .env("LEDGER_LOG", "error")
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn posts(sandbox: &Sandbox) -> usize {
    let requests = sandbox.sage.get("/_sim/requests").await.unwrap();
    requests.as_array().unwrap().iter().filter(|request| request["method"] == "POST").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_and_restarted_posts_every_document_once() {
    killed_and_restarted(Options { worker: false, ..Options::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_workers_on_postgres_post_every_document_once() {
    let Some(database_url) = crate::postgres::database().await else { return };
    killed_and_restarted(Options { worker: false, database_url: Some(database_url), ..Options::default() })
        .await;
}

async fn killed_and_restarted(options: Options) {
    let sandbox = Sandbox::set(options).await.unwrap();
    sandbox.send_all_events().await.unwrap();
    // Slow enough that a kill falls between a request and its answer.
    sandbox
        .sage
        .post("/_sim/faults", &json!({ "latency_ms": [{ "times": 1_000_000, "ms": 60 }] }))
        .await
        .unwrap();
    for round in 0..6 {
        let mut process = worker(&sandbox);
        let target = posts(&sandbox).await + 1 + round % 3;
        let begun = Instant::now();
        while posts(&sandbox).await < target && begun.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        process.kill().unwrap();
        process.wait().unwrap();
    }
    sandbox.sage.post("/_sim/faults", &json!({ "latency_ms": [] })).await.unwrap();
    let mut process = worker(&sandbox);
    let (runs, problems) = outcome(&sandbox).await.unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(problems.is_empty(), "{problems:#?}\n{runs:#?}");
    let taken_over = runs.iter().filter(|run| run.attempts > 1).count();
    assert!(taken_over > 0, "no kill fell into a run");
    sandbox.stop().await;
}
