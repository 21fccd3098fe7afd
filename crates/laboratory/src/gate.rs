//! The gate of a process: every call of its store passes it before and after, and may be stopped there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::Store;
use tokio::sync::watch;

/// A place at which a process can be stopped: a call of the store, before or after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The method.
    pub call: &'static str,
    /// `before` or `after`.
    pub side: &'static str,
}

#[derive(Default)]
struct Passed {
    trace: Vec<Point>,
    stops_at: Option<usize>,
    is_stopped: bool,
}

/// The gate of one process. It is open until it is told where to stop; once stopped, nothing passes before it is opened again.
#[derive(Default)]
pub struct Gate {
    passed: Mutex<Passed>,
    stopped: watch::Sender<bool>,
}

impl Gate {
    /// Stops whoever comes to the point of this number (from 0), counted from now on.
    pub fn stop_at(&self, number: usize) {
        *self.passed() = Passed { stops_at: Some(number), ..Passed::default() };
    }

    /// What has passed so far.
    pub fn trace(&self) -> Vec<Point> {
        self.passed().trace.clone()
    }

    /// Forgets what has passed.
    pub fn clear(&self) {
        *self.passed() = Passed::default();
    }

    /// Waits until somebody stands at the gate.
    pub async fn stopped(&self) {
        // The sender lives as long as the gate.
        let _ = self.stopped.subscribe().wait_for(|stopped| *stopped).await;
    }

    /// Lets everybody go on, and stops nobody any more.
    pub fn open(&self) {
        *self.passed() = Passed::default();
        self.stopped.send_replace(false);
    }

    pub(crate) async fn pass(&self, call: &'static str, side: &'static str) {
        let stops = {
            let mut passed = self.passed();
            let number = passed.trace.len();
            passed.trace.push(Point { call, side });
            passed.is_stopped |= passed.stops_at == Some(number);
            passed.is_stopped
        };
        if stops {
            self.stopped.send_replace(true);
            let _ = self.stopped.subscribe().wait_for(|stopped| !*stopped).await;
        }
    }

    fn passed(&self) -> MutexGuard<'_, Passed> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store behind a gate.
pub struct GatedStore {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) gate: Arc<Gate>,
}

impl GatedStore {
    /// This store, behind this gate.
    pub fn new(inner: Arc<dyn Store>, gate: Arc<Gate>) -> Self {
        Self { inner, gate }
    }
}

/// The store's own types, of which each of its files takes some.
mod prelude {
    pub use store::*;
}

#[expect(unused_imports, reason = "written by build.rs from the files of the store")]
mod written {
    include!(concat!(env!("OUT_DIR"), "/gated.rs"));
}
