//! Start-up time and memory at rest, and with them the sizes of what a browser loads.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{Line, sizes};
use crate::lifecycle::Failure;

pub async fn measure() -> Result<Vec<Line>, Failure> {
    let mut lines = start_up().await?;
    lines.extend(sizes::of(Path::new("target/site/pkg")));
    Ok(lines)
}

/// Starts this binary as a newcomer would, on an empty database.
async fn start_up() -> Result<Vec<Line>, Failure> {
    let folder = tempfile::tempdir()?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let begun = Instant::now();
    let mut process = Command::new(std::env::current_exe()?)
        .arg("serve")
        .env("LEDGER_LISTEN", format!("127.0.0.1:{port}"))
        .env("LEDGER_DATABASE_URL", format!("sqlite://{}", folder.path().join("ledger.db").display()))
        .env("LEDGER_KEYS", format!("bench:{}", "0".repeat(64)))
        .env("LEDGER_LOG", "error")
        .stdout(Stdio::null())
        .spawn()?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(1)).build()?;
    let is_up = async {
        while client.get(format!("http://127.0.0.1:{port}/readyz")).send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let up = tokio::time::timeout(Duration::from_secs(30), is_up).await.map(|()| begun.elapsed());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    process.kill()?;
    process.wait()?;
    let memory =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).map_or("unknown", str::trim).to_owned();
    Ok(vec![
        ("start-up to the first `/readyz`, empty SQLite".to_owned(), format!("{} ms", up?.as_millis())),
        ("memory at rest".to_owned(), memory),
    ])
}
