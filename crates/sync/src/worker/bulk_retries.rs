//! The loop of bulk retries, and of runs that waited for settings.

use store::Advance;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::Engine;

/// How often it is asked whether a retry of many runs can go on.
const BREATH: std::time::Duration = std::time::Duration::from_millis(300);

/// Carries on the retries of many runs that people have begun, here or in a process that is no more, and lets go on what waited for
/// settings that were saved.
pub async fn work_bulk_retries(engine: &Engine, shutdown: &CancellationToken) {
    while !shutdown.is_cancelled() {
        if !advance_bulk_retries(engine).await {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = sleep(BREATH) => {}
            }
        }
    }
}

/// One round of it; `false` when there is nothing to do now.
async fn advance_bulk_retries(engine: &Engine) -> bool {
    let running = engine.store.running_bulk_retries().await.unwrap_or_else(|problem| {
        warn!(error = %problem, "it could not be read which retries go on");
        Vec::new()
    });
    let mut has_moved = engine.store.release_held(engine.environment.now()).await.unwrap_or_else(|problem| {
        warn!(error = %problem, "runs that waited for the settings could not be let go on");
        false
    });
    for bulk in running {
        match engine.store.advance_bulk_retry(bulk, &*engine.environment).await {
            Ok(advance) => has_moved |= advance == Advance::Moved,
            Err(problem) => {
                warn!(bulk_retry = %bulk, error = %problem, "a retry of many could not be carried on");
            }
        }
    }
    has_moved
}
