//! How a loop waits between two rounds.

use chrono::{DateTime, Utc};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::Engine;

/// Rests until something is due, a run changes, or the worker is to stop; between a blink and the poll's length.
pub async fn rest(
    engine: &Engine,
    due: store::Result<Option<DateTime<Utc>>>,
    news: &mut watch::Receiver<u64>,
    shutdown: &CancellationToken,
) {
    let blink = std::time::Duration::from_millis(50);
    let wait = match due {
        Ok(Some(due)) => {
            (due - engine.environment.now()).to_std().unwrap_or(blink).clamp(blink, engine.timing.poll)
        }
        Ok(None) | Err(_) => engine.timing.poll,
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        changed = news.changed() => if changed.is_err() { sleep(wait).await },
        () = sleep(wait) => {}
    }
}
