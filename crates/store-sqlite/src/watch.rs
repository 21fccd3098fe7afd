//! Changes that other processes make.

use std::time::Duration;

use sqlx::Connection;
use tokio::task::AbortHandle;

use crate::{announcer::Announcer, writer::Writer};

/// How soon a change of another process is announced.
const PACE: Duration = Duration::from_secs(1);

/// Looks whether another process has written; stops when it is dropped.
pub(crate) struct Watch {
    task: AbortHandle,
}

impl Watch {
    /// Begins to look.
    pub(crate) fn start(writer: Writer, announcer: Announcer) -> Self {
        let task = tokio::spawn(async move {
            let mut pace = tokio::time::interval(PACE);
            pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut last = None;
            loop {
                pace.tick().await;
                let now = version(&writer).await;
                if last.is_some() && now.is_some() && now != last {
                    announcer.everybody();
                }
                last = now.or(last);
            }
        });
        Self { task: task.abort_handle() }
    }

    /// Looks no more.
    pub(crate) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop();
    }
}

/// SQLite's count of commits by others. Asked on the connection that makes all of our own, it moves for other processes only;
/// `None` while that connection is busy.
async fn version(writer: &Writer) -> Option<i64> {
    let mut connection = writer.pool().try_acquire()?;
    if connection.is_in_transaction() {
        return None;
    }
    sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut *connection).await.ok()
}
