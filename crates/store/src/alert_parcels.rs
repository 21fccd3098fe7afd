//! Parcels: the alerts that go out by one channel in one message. A parcel keeps its name and its content over all its tries, so
//! that a receiver can tell a repeat from news.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::AlertId;

use crate::{Alert, AlertChannel, Result};

/// A message that a worker holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertParcel {
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
}

/// Parcels.
#[async_trait]
pub trait AlertParcels {
    /// Takes the parcel that is due longest, holding it until `lease_until`: one alert of a channel that tells at once, or all of a
    /// digest.
    async fn claim_alert_parcel(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
    ) -> Result<Option<AlertParcel>>;

    /// Notes that it has arrived.
    async fn alert_parcel_arrived(&self, parcel: &AlertParcel, now: DateTime<Utc>) -> Result<()>;

    /// Notes a failed try: due again at `next_at`, or given up when there is none. A late word on an older try changes nothing.
    async fn alert_parcel_failed(
        &self,
        parcel: &AlertParcel,
        error: &str,
        next_at: Option<DateTime<Utc>>,
    ) -> Result<()>;

    /// When the next parcel is due; `None` when there is none.
    async fn next_alert_due(&self) -> Result<Option<DateTime<Utc>>>;
}
