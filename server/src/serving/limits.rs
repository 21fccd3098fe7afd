//! Limits of connections.

use std::time::Duration;

/// How long, and how many.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Connections at once. When there are more, those that do nothing make room, the oldest first.
    pub connections: usize,
    /// A head must have arrived so long after its first byte, the first one of a connection so long after it was opened.
    pub head: Duration,
    /// A body must have arrived so long after its head.
    pub body: Duration,
    /// A connection may rest so long between requests. Proxies keep theirs for 60 s, and must be the first to close.
    pub idle: Duration,
    /// A reader may stand still so long.
    pub write: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 1_000,
            head: Duration::from_secs(15),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            write: Duration::from_mins(1),
        }
    }
}
