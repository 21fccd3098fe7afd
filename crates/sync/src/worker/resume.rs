//! What stands still although nobody works on it: leases of a process that is no more, and what a clock that was ahead has put off.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::Engine;

/// How often it is looked for what a clock that was ahead has put off.
const LOOKED_EVERY: Duration = Duration::from_mins(1);

/// What a worker does first.
pub async fn start_up(engine: &Engine) {
    match engine.store.take_back_leases(engine.environment.now()).await {
        Ok(0) => {}
        Ok(leases) => info!(leases, "what a process that is no more held goes on at once"),
        Err(problem) => {
            warn!(error = %problem, "leases of a process that is no more could not be taken back");
        }
    }
    bring_forward(engine).await;
}

/// Looks again every minute, until `shutdown`.
pub async fn work(engine: &Engine, shutdown: &CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = sleep(LOOKED_EVERY) => bring_forward(engine).await,
        }
    }
}

/// Makes due what a clock that was ahead has put off.
async fn bring_forward(engine: &Engine) {
    loop {
        match engine.store.bring_forward(engine.environment.now()).await {
            Ok(0) => return,
            Ok(rows) => warn!(rows, "a clock was ahead; what it put off is due now"),
            Err(problem) => {
                warn!(error = %problem, "it could not be looked for what a clock that was ahead has put off");
                return;
            }
        }
    }
}
