//! How members are told: what the server is set up with.

use domain::health::Thresholds;

use super::{hook::Hooks, mail::Mail};

/// How members are told.
pub struct AlertTransports {
    /// How e-mail is sent; none where no server for it is set up.
    pub mail: Option<Mail>,
    /// How webhooks are called.
    pub hooks: Hooks,
    /// When documents that fail one after another are told of.
    pub thresholds: Thresholds,
    /// Where browsers reach Ledger, without a slash at the end.
    pub public_url: String,
}
