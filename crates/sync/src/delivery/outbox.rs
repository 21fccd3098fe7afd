//! What goes out to many others: claimed one by one, many under way at once. Who hangs takes up a share of the room and no more.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures::FutureExt;
use store::Targets;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{Engine, delivery::pace::rest};

/// The last part of a hold, as a fraction, in which nothing leaves any more.
const MARGIN: u32 = 6;

/// Something that goes out from a queue in the store. Whoever it goes to is held by its claim, over all processes.
pub trait Outbox: Copy + Send + Sync + 'static {
    /// What goes out at once to one.
    type Message: Send;

    /// How many may be under way at once in this process.
    fn room(self) -> usize;

    /// Takes the next one, for as long as this hold.
    fn claim(
        self,
        engine: &Engine,
        hold: DeliveryLease,
        targets: Targets,
    ) -> impl Future<Output = store::Result<Option<Self::Message>>> + Send;

    /// Whether it goes to who did not answer last time.
    fn is_doubtful(message: &Self::Message) -> bool;

    /// Sends it and notes what came of it.
    fn send(
        self,
        engine: &Engine,
        message: Self::Message,
        hold: DeliveryLease,
    ) -> impl Future<Output = store::Result<()>> + Send;

    /// When the next one can be claimed.
    fn next_due(
        self,
        engine: &Engine,
        targets: Targets,
    ) -> impl Future<Output = store::Result<Option<DateTime<Utc>>>> + Send;

    /// Shows a sign of life.
    fn beat(self, engine: &Engine);
}

/// For how long somebody is held who is told something: in the store by its clock, here by the machine's uptime.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryLease {
    /// When it was asked for.
    pub now: DateTime<Utc>,
    /// Until when the store keeps it.
    pub until: DateTime<Utc>,
    /// The uptime from which nothing may leave any more.
    pub latest: Duration,
}

impl DeliveryLease {
    /// One that begins now.
    pub fn begin(engine: &Engine) -> Self {
        let (hold, uptime, now) =
            (engine.timing.hold(), engine.environment.uptime(), engine.environment.now());
        Self { now, until: now + hold, latest: uptime + hold.saturating_sub(hold / MARGIN) }
    }
}

/// Sends the next one; returns how many that was.
pub async fn send_next(engine: &Engine, outbox: impl Outbox) -> usize {
    let Some(message) = next(engine, outbox, Targets::All).await else { return 0 };
    send(engine, outbox, message).await;
    1
}

/// Sends what is due, until `shutdown`; then waits for what is under way. That ends in time, each by its own limit.
pub async fn work<O: Outbox>(engine: &Arc<Engine>, outbox: O, shutdown: &CancellationToken) {
    let mut changes = engine.store.changes();
    let mut under_way = JoinSet::new();
    let mut doubtful = 0;
    while !shutdown.is_cancelled() {
        changes.mark_unchanged();
        outbox.beat(engine);
        while let Some(ended) = under_way.try_join_next() {
            doubtful -= ended.unwrap_or(0);
        }
        // Those that did not answer last time have half of the room, so that they cannot take all of it again.
        let targets = if doubtful < outbox.room() / 2 { Targets::All } else { Targets::Answering };
        let mut due = Ok(None);
        if under_way.len() < outbox.room() {
            if let Some((message, hold)) = next(engine, outbox, targets).await {
                let weight = usize::from(O::is_doubtful(&message));
                doubtful += weight;
                under_way.spawn(send_counted(Arc::clone(engine), outbox, (message, hold), weight));
                continue;
            }
            due = outbox.next_due(engine, targets).await;
        }
        tokio::select! {
            Some(ended) = under_way.join_next() => doubtful -= ended.unwrap_or(0),
            () = rest(engine, due, &mut changes, shutdown) => {}
        }
    }
    if !under_way.is_empty() {
        info!("waiting for {} to end", engine.under_way);
    }
    while under_way.join_next().await.is_some() {}
}

async fn next<O: Outbox>(
    engine: &Engine,
    outbox: O,
    targets: Targets,
) -> Option<(O::Message, DeliveryLease)> {
    let hold = DeliveryLease::begin(engine);
    match outbox.claim(engine, hold, targets).await {
        Ok(message) => message.map(|message| (message, hold)),
        Err(problem) => {
            warn!(error = %problem, "nothing could be taken for delivery");
            None
        }
    }
}

async fn send<O: Outbox>(engine: &Engine, outbox: O, (message, hold): (O::Message, DeliveryLease)) {
    if let Err(problem) = outbox.send(engine, message, hold).await {
        warn!(error = %problem, "a delivery's end could not be recorded; it comes back when its lease ends");
    }
}

/// Sends it and returns what it weighed, even after a panic.
async fn send_counted<O: Outbox>(
    engine: Arc<Engine>,
    outbox: O,
    message: (O::Message, DeliveryLease),
    weight: usize,
) -> usize {
    if AssertUnwindSafe(send(&engine, outbox, message)).catch_unwind().await.is_err() {
        error!("a delivery ended by a panic; it comes back when its lease ends");
    }
    weight
}
