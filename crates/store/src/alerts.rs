//! Alerts: how bindings fare and what members are told of it. An alert is written in the transaction that makes it true, with a
//! delivery for each channel that wants it, so that none is missed and none told twice.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    alert::{AlertFacts, AlertKind},
    code::Code,
    health::{Ended, Health},
    ids::{AlertId, BindingId, OrganisationId, RunId},
    run::RunStatus,
};
use uuid::Uuid;

use crate::{Result, RunState};

/// Something that members are told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Id.
    pub id: AlertId,
    /// The shop.
    pub binding_id: BindingId,
    /// The shop's name.
    pub shop: String,
    /// What.
    pub kind: AlertKind,
    /// The run that it is about.
    pub run_id: Option<RunId>,
    /// What is known beside.
    pub facts: AlertFacts,
    /// When it became true.
    pub at: DateTime<Utc>,
}

/// Alerts.
#[async_trait]
pub trait Alerts {
    /// How a binding fares; one of which nothing is known is healthy.
    async fn health(&self, binding: BindingId) -> Result<Health>;

    /// An organisation's alerts, newest first.
    async fn list_alerts(&self, organisation: OrganisationId, limit: u32) -> Result<Vec<Alert>>;

    /// Deletes the alerts from before an instant with their deliveries; returns how many alerts.
    async fn purge_alerts(&self, before: DateTime<Utc>) -> Result<u64>;
}

/// The id of an alert that an attempt, a run or a binding (`seed`) raises: the same for the same, so that a transaction that is
/// repeated writes the same row, and in the order of time.
pub fn alert_id(seed: Uuid, kind: AlertKind, now: DateTime<Utc>) -> AlertId {
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&seed.as_bytes()[6..]);
    let number =
        AlertKind::ALL.iter().zip(0_u8..).find(|(one, _)| **one == kind).map_or(0, |(_, number)| number);
    bytes[9] ^= number;
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    AlertId(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
}

impl RunState<'_> {
    /// What the end of an attempt says of its binding; `is_counted` where the run failed before within what is counted now.
    pub const fn ended(&self, is_counted: bool) -> Option<Ended> {
        match self.status {
            RunStatus::Succeeded => Some(Ended::Well),
            RunStatus::Failed if is_counted => Some(Ended::FailedAgain),
            RunStatus::Failed => Some(Ended::Failed),
            _ => None,
        }
    }

    /// What a run that waits for a person is told as.
    pub fn held(&self) -> Option<AlertKind> {
        match (self.status, self.code) {
            (RunStatus::Waiting, Some(Code::NeedsMapping)) => Some(AlertKind::MappingMissing),
            (RunStatus::Waiting, Some(code)) if Code::FIXED_BY_SETTINGS.contains(&code) => {
                Some(AlertKind::DocumentFailed)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_an_alert_is_the_same_for_the_same_and_sorted_by_time() {
        let (seed, now) = (Uuid::from_u128(7), DateTime::from_timestamp_millis(1_767_607_200_000).unwrap());
        let id = |kind, now| alert_id(seed, kind, now);
        assert_eq!(id(AlertKind::BindingPaused, now), id(AlertKind::BindingPaused, now));
        assert_ne!(id(AlertKind::BindingPaused, now), id(AlertKind::BindingRecovered, now));
        let later = now + chrono::TimeDelta::milliseconds(1);
        assert!(id(AlertKind::BindingRecovered, now) < id(AlertKind::DocumentFailed, later));
        assert_eq!(id(AlertKind::BindingPaused, now).0.get_version_num(), 7);
    }
}
