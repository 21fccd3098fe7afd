//! Logs.

use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging to standard error; the second call of a process is passed over.
pub fn start(filter: &str, format: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if format == "json" { logs.json().try_init() } else { logs.try_init() };
    if started.is_err() {
        tracing::debug!("logging had been started before");
    }
}
