//! What the services reach.

use std::sync::Arc;

use domain::{environment::Environment, health::Thresholds, quota::Quotas};
use store::Store;

use crate::{alerting::Alerting, connecting::Connecting, sealing::Sealing};

/// What the services reach.
#[derive(Clone)]
pub struct Services {
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// Time and randomness.
    pub environment: Arc<dyn Environment>,
    /// Whether cookies are for HTTPS only: everywhere but on a developer's own machine.
    pub secure_cookies: bool,
    /// What reaches Magento and Sage.
    pub connecting: Arc<Connecting>,
    /// What sends messages to members.
    pub alerting: Alerting,
    /// What seals secrets.
    pub sealing: Sealing,
    /// Where browsers reach Ledger, without a slash at the end.
    pub public_url: String,
    /// How much one member or organisation may take of what all share.
    pub quotas: Quotas,
    /// After how many documents that failed one after another a shop is paused.
    pub thresholds: Thresholds,
    /// Where forms may lead besides Ledger itself: the origin of Sage's consent page.
    pub consent_origin: String,
}
