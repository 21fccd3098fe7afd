//! What pure code may not reach by itself, handed in: the time and random bytes.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The time and randomness of the outside world; the server hands in the real ones, tests their own.
pub trait Environment: Send + Sync {
    /// The instant it is now.
    fn now(&self) -> DateTime<Utc>;

    /// How long the machine has been up, suspended time included: it never jumps, whoever sets the clock. A world that has no
    /// machine moves it with its own time.
    fn uptime(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.now().timestamp_millis()).unwrap_or(0))
    }

    /// Fills `bytes` with random bytes fit for secrets.
    fn random(&self, bytes: &mut [u8]);

    /// A new UUID of version 7 (sorted by time).
    fn id(&self) -> Uuid {
        let mut bytes = [0; 10];
        self.random(&mut bytes);
        let millis = u64::try_from(self.now().timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }

    /// A new UUID of version 4 (random), as token ids are.
    fn uuid_v4(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.random(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// Does what may not be done after a moment of the uptime: none once that has come. It is looked at before each step, so that who stood
/// still goes no further; what has been handed to the network by then cannot be called back.
pub async fn unless_late<Work: Future>(
    environment: &dyn Environment,
    latest: Duration,
    work: Work,
) -> Option<Work::Output> {
    let mut work = pin!(work);
    poll_fn(|context| {
        if environment.uptime() >= latest {
            return Poll::Ready(None);
        }
        work.as_mut().poll(context).map(Some)
    })
    .await
}
