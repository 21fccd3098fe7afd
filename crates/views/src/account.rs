//! A person's own account, as its page shows it.

use domain::run::Role;
use serde::{Deserialize, Serialize};

use super::{format::Moment, people::ShownSecret};

/// A person's own account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Their name; it may be empty.
    pub name: String,
    /// The e-mail address that they sign in with.
    pub email: String,
    /// Whether it was shown that the address is theirs.
    pub is_proved: bool,
    /// Whether a code can be sent there.
    pub sends_mail: bool,
    /// What they may do.
    pub role: Role,
    /// Their second factor.
    pub second_factor: FactorView,
    /// The recovery codes that were just made, shown this once.
    pub codes: Option<Vec<ShownSecret>>,
    /// Their sessions, the last used first.
    pub sessions: Vec<SessionView>,
}

/// A second factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FactorView {
    /// There is none.
    Off,
    /// There is a secret that no code has proved yet.
    ToConfirm {
        /// For an app that cannot scan, in base32.
        secret: ShownSecret,
        /// What an app scans.
        href: ShownSecret,
    },
    /// Codes are asked for.
    On {
        /// Since when.
        since: Moment,
        /// How many recovery codes are left.
        codes_left: u32,
    },
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// Its id.
    pub id: String,
    /// Which browser.
    pub browser: String,
    /// When it was opened.
    pub since: Moment,
    /// When it was last used, to within five minutes.
    pub last_seen: Moment,
    /// Whether it is the one that looks.
    pub is_this: bool,
}
