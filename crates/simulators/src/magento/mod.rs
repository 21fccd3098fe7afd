//! A Magento shop with the published Ledger module, to run against.
//!
//! It answers and calls byte for byte as the recorded samples of the real module do (the wire specification,
//! sections 1 to 5). Beside the web API it has `/_sim/...`, with which a test or a demo plays the merchant.

mod answers;
mod client;
mod control;
mod documents;
mod entities;
mod faults;
mod inputs;
mod outbox;
mod pairing;
mod rest;
mod shop;
mod sync_state;
mod text;
mod tokens;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

pub use client::LedgerAnswer;
pub use documents::{Documents, Kind};
pub use faults::{FaultSettings, Faults, InvalidResponse, Spoilt};
pub use outbox::{OutboxRow, OutboxStatus};
pub use sync_state::SyncStateRow;

use shop::Shop;

/// Where the shop's time comes from.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The module's cron runs every minute.
pub const CRON_EVERY: Duration = Duration::from_mins(1);
/// The module's cron posts at most this many rows in one pass.
pub const BATCH: usize = 50;

/// How long [`Running::stop`] waits for answers under way.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// How a shop is set up.
pub struct Options {
    /// The port on the loopback address; 0 takes any free one.
    pub port: u16,
    /// What the shop has sold, and to whom.
    pub documents: Documents,
    /// The shop's clock.
    pub clock: Clock,
    /// Where token ids and pairing codes come from: two runs against one Ledger need two seeds, or the second
    /// run's tokens are replays.
    pub seed: u64,
    /// The first pairing code; made from the seed when it is left out.
    pub pairing_code: Option<String>,
    /// The pause between passes of the outbox ([`CRON_EVERY`] in the module); zero or `Duration::MAX` leaves
    /// them to [`Running::run_cron`].
    pub cron_every: Duration,
    /// The most rows of one pass ([`BATCH`] in the module).
    pub batch: usize,
}

/// Opens the shop.
///
/// # Errors
/// When the port is taken, or the HTTP client cannot be built.
pub async fn start(options: Options) -> std::io::Result<Running> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let address = listener.local_addr()?;
    let cron_every = options.cron_every;
    let shop = Shop::open(options)?;
    let closing = CancellationToken::new();
    let door = Door { listener, faults: shop.faults.clone() };
    let closed = closing.clone().cancelled_owned();
    let router = control::router(Arc::clone(&shop));
    let server = tokio::spawn(async move { axum::serve(door, router).with_graceful_shutdown(closed).await });
    let cron = (!cron_every.is_zero() && cron_every != Duration::MAX)
        .then(|| tokio::spawn(cron_loop(Arc::clone(&shop), cron_every, closing.clone())));
    Ok(Running { shop, address, closing, server, cron })
}

async fn cron_loop(shop: Arc<Shop>, every: Duration, closing: CancellationToken) {
    let Some(first) = Instant::now().checked_add(every) else { return };
    let mut ticks = tokio::time::interval_at(first, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = closing.cancelled() => return,
            _ = ticks.tick() => {}
        }
        // A Ledger that does not answer must not hold up the closing.
        tokio::select! {
            () = closing.cancelled() => return,
            _ = shop.run_cron() => {}
        }
    }
}

/// A shop that is open.
pub struct Running {
    shop: Arc<Shop>,
    address: SocketAddr,
    closing: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
    cron: Option<JoinHandle<()>>,
}

impl Running {
    /// The store's base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The code that waits to be pasted into Ledger; a new one when the last was used or is too old.
    pub fn pairing_code(&self) -> String {
        self.shop.pairing_code()
    }

    /// The switchboard of the faults.
    pub fn faults(&self) -> &Faults {
        &self.shop.faults
    }

    /// The shop's documents.
    pub fn documents(&self) -> &Documents {
        &self.shop.documents
    }

    /// The merchant edits a document: from now on this is what is served. No event says so.
    pub fn edit(&self, kind: Kind, id: u64, document: &serde_json::Value) {
        self.shop.edit(kind, id, text::as_magento_prints(&document.to_string()));
    }

    /// How often documents were asked for.
    pub fn fetches(&self) -> u64 {
        self.shop.fetches()
    }

    /// Whether Ledger has paired, and has not been disconnected.
    pub fn is_paired(&self) -> bool {
        self.shop.with(|tables| tables.pairing.paired().is_some())
    }

    /// Enqueues every document's events in the order the module would: per invoice created, then paid; credit
    /// memos; customers; products. Says how many rows were added: none before the pairing.
    pub fn enqueue_all(&self) -> usize {
        self.shop.enqueue_all()
    }

    /// Enqueues one event; the number comes from the document when it is left out. Says whether a row was
    /// added: not when its key exists in any status.
    pub fn enqueue(&self, event: &str, id: u64, increment_id: Option<&str>) -> bool {
        self.shop.enqueue(event, id, increment_id)
    }

    /// One pass of the outbox now; says how many rows were posted.
    pub async fn run_cron(&self) -> usize {
        self.shop.run_cron().await
    }

    /// The outbox.
    pub fn outbox(&self) -> Vec<OutboxRow> {
        self.shop.with(|tables| tables.outbox.rows())
    }

    /// The table behind the chips.
    pub fn sync_state(&self) -> Vec<SyncStateRow> {
        self.shop.with(|tables| tables.sync_states.rows())
    }

    /// A fresh token as the module mints one for each call, for tests and benchmarks that call Ledger themselves.
    pub fn token(&self) -> Option<String> {
        self.shop.signed().map(|(_, token)| token)
    }

    /// The merchant disconnects: Ledger is called, then the pairing is forgotten. `None` when not paired.
    pub async fn disconnect(&self) -> Option<LedgerAnswer> {
        self.shop.disconnect().await
    }

    /// The admin's dashboard asks for the health tile. `None` when not paired.
    pub async fn tile(&self) -> Option<LedgerAnswer> {
        self.shop.tile().await
    }

    /// The admin asks what became of a document. `None` when not paired.
    pub async fn status(&self, entity_type: &str, id: u64) -> Option<LedgerAnswer> {
        self.shop.status(entity_type, &id.to_string()).await
    }

    /// Closes the shop.
    pub async fn stop(mut self) {
        self.closing.cancel();
        // Answers under way may finish; a slow one (see the faults) is not waited for.
        if tokio::time::timeout(LAST_ANSWERS, &mut self.server).await.is_err() {
            self.server.abort();
        }
        if let Some(cron) = self.cron.take() {
            let _ = cron.await;
        }
    }

    /// Stays open until the process ends or the server fails.
    pub async fn wait(mut self) {
        if let Ok(Err(error)) = (&mut self.server).await {
            tracing::error!(%error, "the simulated shop has stopped");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

/// The listener: lets connections in, unless some are to be closed without a word.
struct Door {
    listener: TcpListener,
    faults: Faults,
}

impl axum::serve::Listener for Door {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(_) if self.faults.take(|faults| &mut faults.refused) => {}
                Ok(accepted) => return accepted,
                Err(error) => {
                    // Out of file handles, most likely: give other tasks the time to close some.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
