//! What the worker works with.

use std::{collections::HashMap, sync::Arc};

use chrono::TimeDelta;
use domain::{environment::Environment, ids::BindingId};
use store::Store;
use tokio::sync::Mutex;
use vault::KeyRing;

use crate::{
    alerts::AlertTransports, heartbeat::Heartbeat, unanswered::UnansweredDocuments, under_way::UnderWay,
};

/// Times of the worker, as data.
#[derive(Clone, Debug)]
pub struct Timing {
    /// How long a run is held without a sign of life.
    pub lease: TimeDelta,
    /// Waits between the tries of a run, in seconds.
    pub run_schedule: Vec<i64>,
    /// Waits between the tries that follow, of a document that may not be at fault itself, in seconds.
    pub low_schedule: Vec<i64>,
    /// Waits between looks at a Sage business or a shop that does not answer, in seconds; the last one repeats.
    pub outage_schedule: Vec<i64>,
    /// Waits between the deliveries of a sync state, in seconds.
    pub delivery_schedule: Vec<i64>,
    /// Waits between the tries of an alert, in seconds.
    pub alert_schedule: Vec<i64>,
    /// The longest that planning or redacting one document may take.
    pub computing: std::time::Duration,
    /// For how long a shop or a receiver of alerts that did not answer is left alone, in seconds.
    pub rest_schedule: Vec<i64>,
    /// The longest that it may take to tell a shop a state or a member an alert. Who is told is held for [`Timing::hold`].
    pub exchange: std::time::Duration,
    /// The longest sleep when nothing is due; what another process queued is found after it at the latest.
    pub poll: std::time::Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lease: TimeDelta::seconds(90),
            run_schedule: domain::retry::RUN_SCHEDULE.to_vec(),
            low_schedule: domain::retry::LOW_SCHEDULE.to_vec(),
            outage_schedule: domain::retry::OUTAGE_SCHEDULE.to_vec(),
            delivery_schedule: domain::retry::DELIVERY_SCHEDULE.to_vec(),
            alert_schedule: domain::retry::ALERT_SCHEDULE.to_vec(),
            computing: std::time::Duration::from_secs(10),
            rest_schedule: domain::retry::REST_SCHEDULE.to_vec(),
            exchange: std::time::Duration::from_secs(45),
            poll: std::time::Duration::from_secs(2),
        }
    }
}

impl Timing {
    /// For how long a shop or a channel is held while it is told something: well beyond the longest that this may take.
    pub fn hold(&self) -> std::time::Duration {
        self.exchange * 2
    }
}

/// What the worker works with: the store, the vault, the clients, and the outside world.
pub struct Engine {
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// The keys of the credentials.
    pub keys: Arc<KeyRing>,
    /// Magento's side.
    pub magento: magento::Client,
    /// Sage's side.
    pub sage: sage::Client,
    /// How members are told.
    pub alerts: AlertTransports,
    /// Time and randomness.
    pub environment: Arc<dyn Environment>,
    /// Times.
    pub timing: Timing,
    /// Signs of life of the worker.
    pub heartbeat: Arc<Heartbeat>,
    /// What the worker is doing at this moment.
    pub under_way: UnderWay,
    /// What Sage failed to answer lately.
    pub(crate) unanswered: UnansweredDocuments,
    /// One refresh of a connection's tokens at a time in this process.
    pub(crate) refreshing: Mutex<HashMap<BindingId, Arc<Mutex<()>>>>,
}

impl Engine {
    /// An engine of these parts.
    pub fn new(
        store: Arc<dyn Store>,
        keys: KeyRing,
        magento: magento::Client,
        sage: sage::Client,
        alerts: AlertTransports,
        environment: Arc<dyn Environment>,
        timing: Timing,
    ) -> Self {
        let (keys, heartbeat) = (Arc::new(keys), Arc::new(Heartbeat::new(environment.now())));
        Self {
            store,
            keys,
            magento,
            sage,
            alerts,
            environment,
            timing,
            heartbeat,
            under_way: UnderWay::default(),
            unanswered: UnansweredDocuments::default(),
            refreshing: Mutex::default(),
        }
    }

    /// Thousandths of jitter for a wait.
    pub(crate) fn jitter(&self) -> u16 {
        let mut bytes = [0; 2];
        self.environment.random(&mut bytes);
        u16::from_le_bytes(bytes) % 1001
    }
}
