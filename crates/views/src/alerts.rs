//! Alerts, as their page shows them.

use domain::alert::{AlertKind, AlertMode, ChannelKind};
use messages::message;
use serde::{Deserialize, Serialize};

use super::{format::Moment, people::ShownSecret};

/// What a member is told and how, and what there was to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertsView {
    /// The member's own address.
    pub email: String,
    /// Whether this server sends e-mail.
    pub sends_mail: bool,
    /// The secret that was just made, shown this once.
    pub secret: Option<ShownSecret>,
    /// The member's channels, oldest first.
    pub channels: Vec<ChannelView>,
    /// The organisation's shops, as id and name.
    pub shops: Vec<(String, String)>,
    /// The organisation's last alerts, newest first.
    pub alerts: Vec<AlertView>,
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelView {
    /// Its id.
    pub id: String,
    /// By what.
    pub kind: ChannelKind,
    /// The address.
    pub target: String,
    /// Whether it was proved to be the member's.
    pub is_confirmed: bool,
    /// Of what.
    pub kinds: Vec<AlertKind>,
    /// Of which shops; none is all.
    pub bindings: Option<Vec<String>>,
    /// When.
    pub mode: AlertMode,
    /// When something arrived last.
    pub last_ok: Option<Moment>,
    /// Why the last try failed, when it did.
    pub last_error: Option<String>,
    /// Since when it is off.
    pub off_since: Option<Moment>,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertView {
    /// When.
    pub at: Moment,
    /// Of which shop.
    pub shop: String,
    /// How many documents it is about and what they come to, where it is about several.
    pub documents: Option<String>,
    /// What happened.
    pub told: String,
    /// What to do.
    pub action: String,
    /// Where.
    pub href: String,
}

/// A mode in a person's words.
pub const fn mode_label(mode: AlertMode) -> &'static str {
    match mode {
        AlertMode::AtOnce => message!(alerts.mode.at_once),
        AlertMode::DigestHourly => message!(alerts.mode.digest_hourly),
        AlertMode::DigestDaily => message!(alerts.mode.digest_daily),
    }
}
