//! Deliveries of alerts: the alerts that go out by one channel in one message. A delivery keeps its name and its content over all its tries, so
//! that a receiver can tell a repeat from news.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{alert::ChannelKind, ids::AlertId};

use crate::{Alert, AlertChannel, Failed, Result, Targets};

/// How many channels of an organisation are told something at once, so that the silent receivers of one of its members delay no
/// colleague, and those of a whole organisation no other one.
pub const ORGANISATIONS_SHARE: i64 = 4;

/// A message that a worker holds, and with it the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertDelivery {
    /// By which channel.
    pub channel: AlertChannel,
    /// Its name: the id of its first alert.
    pub id: AlertId,
    /// When it was first due.
    pub slot: DateTime<Utc>,
    /// How often it was tried, this try counted.
    pub attempts: i32,
    /// What it tells, oldest first; never empty.
    pub alerts: Vec<Alert>,
    /// The fence: whoever holds the channel later has a greater one.
    pub claim: i64,
    /// How often, one after another, the channel had to be left alone.
    pub rests: u32,
}

/// Deliveries of alerts.
#[async_trait]
pub trait AlertDeliveries {
    /// Takes a delivery that is due by a channel of this kind, holding the channel until `lease_until`: one alert of a channel that tells
    /// at once, or all of a digest. A member is told one message a kind at a time, an organisation [`ORGANISATIONS_SHARE`]; the
    /// organisation whose turn was longest ago is next. Channels that rest are passed over.
    async fn claim_alert_delivery(
        &self,
        kind: ChannelKind,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        targets: Targets,
    ) -> Result<Option<AlertDelivery>>;

    /// Notes that it has arrived.
    async fn alert_delivery_arrived(&self, delivery: &AlertDelivery, now: DateTime<Utc>) -> Result<()>;

    /// Notes a failed try. A late word of one who does not hold the channel any more changes nothing.
    async fn alert_delivery_failed(&self, delivery: &AlertDelivery, failed: Failed<'_>) -> Result<()>;

    /// When the next delivery by a channel of this kind can be claimed; `None` when there is none.
    async fn next_alert_due(&self, kind: ChannelKind, targets: Targets) -> Result<Option<DateTime<Utc>>>;
}
