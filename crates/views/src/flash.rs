//! What a page says once after something was done: a word in the address.

use serde::{Deserialize, Serialize};

/// What a page says once after something was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flash {
    /// A run was put in the queue again.
    Retried,
    /// A run could not be retried because it is running.
    StillRunning,
    /// A run waits, because its shop does not work at the moment.
    RetriedToWait,
    /// A retry of many runs goes on no more.
    BulkCancelled,
    /// A document is excluded.
    Excluded,
    /// An exclusion is taken back.
    Included,
    /// It was too late for what was asked for.
    TooLate,
    /// The document is or may be in Sage, so it is not excluded.
    MayBeInSage,
    /// A view has a name now.
    ViewSaved,
    /// A view is forgotten.
    ViewForgotten,
    /// The person signed out.
    SignedOut,
    /// The shop is paired; Sage is next.
    Paired,
    /// The shop is paired again; Sage is next.
    PairedBefore,
    /// The shop is paired again, and works.
    PairedAgain,
    /// Sage is connected.
    Connected,
    /// The binding is paused.
    Paused,
    /// The binding works again.
    Resumed,
    /// The binding is disconnected.
    Disconnected,
    /// The business's lists were fetched.
    Refreshed,
    /// The suggested settings are in force.
    SettingsTaken,
    /// Settings are saved.
    SettingsSaved,
    /// Nothing was different.
    SettingsUnchanged,
    /// A former version is in force again.
    SettingsRestored,
    /// The invitation is accepted, and its person signed in.
    Joined,
    /// A change of people or of one's own account is done.
    Saved,
    /// A member was removed.
    MemberRemoved,
    /// The password is another one.
    PasswordChanged,
    /// Codes are asked for from now on.
    SecondFactorOn,
    /// Codes are asked for no more.
    SecondFactorOff,
    /// Sessions were ended.
    SessionsEnded,
    /// A test has arrived.
    TestSent,
    /// A code was sent to an address.
    CodeSent,
}

impl Flash {
    const ALL: &'static [Self] = &[
        Self::Retried,
        Self::StillRunning,
        Self::RetriedToWait,
        Self::BulkCancelled,
        Self::Excluded,
        Self::Included,
        Self::TooLate,
        Self::MayBeInSage,
        Self::ViewSaved,
        Self::ViewForgotten,
        Self::SignedOut,
        Self::Paired,
        Self::PairedBefore,
        Self::PairedAgain,
        Self::Connected,
        Self::Paused,
        Self::Resumed,
        Self::Disconnected,
        Self::Refreshed,
        Self::SettingsTaken,
        Self::SettingsSaved,
        Self::SettingsUnchanged,
        Self::SettingsRestored,
        Self::Joined,
        Self::Saved,
        Self::MemberRemoved,
        Self::PasswordChanged,
        Self::SecondFactorOn,
        Self::SecondFactorOff,
        Self::SessionsEnded,
        Self::TestSent,
        Self::CodeSent,
    ];

    /// The word in the URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retried => "retried",
            Self::StillRunning => "still-running",
            Self::RetriedToWait => "retried-to-wait",
            Self::BulkCancelled => "bulk-cancelled",
            Self::Excluded => "excluded",
            Self::Included => "included",
            Self::TooLate => "too-late",
            Self::MayBeInSage => "may-be-in-sage",
            Self::ViewSaved => "view-saved",
            Self::ViewForgotten => "view-forgotten",
            Self::SignedOut => "signed-out",
            Self::Paired => "paired",
            Self::PairedBefore => "paired-before",
            Self::PairedAgain => "paired-again",
            Self::Connected => "connected",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Disconnected => "disconnected",
            Self::Refreshed => "refreshed",
            Self::SettingsTaken => "settings-taken",
            Self::SettingsSaved => "settings-saved",
            Self::SettingsUnchanged => "settings-unchanged",
            Self::SettingsRestored => "settings-restored",
            Self::Joined => "joined",
            Self::Saved => "saved",
            Self::MemberRemoved => "member-removed",
            Self::PasswordChanged => "password-changed",
            Self::SecondFactorOn => "second-factor-on",
            Self::SecondFactorOff => "second-factor-off",
            Self::SessionsEnded => "sessions-ended",
            Self::TestSent => "test-sent",
            Self::CodeSent => "code-sent",
        }
    }

    /// What is shown.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Retried => "The run is queued again.",
            Self::StillRunning => "This run is at work right now. Wait until it has ended, then retry it.",
            Self::RetriedToWait => {
                "The run waits: its shop does not work at the moment. It goes on by itself when the shop does."
            }
            Self::BulkCancelled => "Cancelled. What was queued already goes on; the others stay as they are.",
            Self::Excluded => "Excluded. The document is not synced, and later news of it neither.",
            Self::Included => "The exclusion is taken back, and the document is on its way.",
            Self::TooLate => "It was too late: this has ended already.",
            Self::MayBeInSage => {
                "Not excluded: the document is at work, or it is in Sage or may be. Retry it and Ledger finds out; what is in Sage is voided there."
            }
            Self::ViewSaved => "The view is saved.",
            Self::ViewForgotten => "The view is forgotten.",
            Self::SignedOut => "You are signed out.",
            Self::Paired => "The shop is paired. Now connect Sage.",
            Self::PairedBefore => {
                "The shop is paired again. Settings and history are kept. Now connect Sage again."
            }
            Self::PairedAgain => "The shop is paired again, and Ledger carries on where it stopped.",
            Self::Connected => "Sage is connected, and its lists are fetched.",
            Self::Paused => "Paused. What the shop sends is kept and waits.",
            Self::Resumed => "Resumed. What waited is on its way.",
            Self::Disconnected => {
                "Disconnected. The history stays; connecting the same business again goes on from it."
            }
            Self::SettingsTaken => "The settings are in force. What waited for them is on its way.",
            Self::SettingsSaved => "The settings are saved. What waited for them is on its way.",
            Self::SettingsUnchanged => "Nothing was different, so nothing was saved.",
            Self::SettingsRestored => "The former settings are in force again, as a new version.",
            Self::Joined => "Welcome. You are signed in.",
            Self::Saved => "Saved.",
            Self::MemberRemoved => "Removed. They are signed out everywhere.",
            Self::PasswordChanged => "Your password is changed. Your other sessions are ended.",
            Self::SecondFactorOn => "From now on signing in asks for a code.",
            Self::SecondFactorOff => "Signing in asks for no code any more.",
            Self::SessionsEnded => "Ended.",
            Self::TestSent => "The test has arrived.",
            Self::CodeSent => "A code is on its way to this address. Enter it below.",
            Self::Refreshed => "Sage\u{2019}s lists are fetched anew.",
        }
    }

    /// Whether what was asked for was done.
    pub const fn is_good(self) -> bool {
        !matches!(self, Self::StillRunning | Self::TooLate | Self::MayBeInSage | Self::RetriedToWait)
    }

    /// The flash that a URL carries.
    pub fn read(word: Option<&str>) -> Option<Self> {
        Self::ALL.iter().copied().find(|flash| Some(flash.as_str()) == word)
    }

    /// A path that shows this flash.
    pub fn on(self, path: &str) -> String {
        let mut href = path.to_owned();
        push(&mut href, "flash", self.as_str());
        href
    }
}

fn push(href: &mut String, name: &str, value: &str) {
    href.push(if href.contains('?') { '&' } else { '?' });
    href.push_str(name);
    href.push('=');
    href.push_str(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flash_joins_the_query_that_is_there() {
        assert_eq!(Flash::Retried.on("/dashboard/sync"), "/dashboard/sync?flash=retried");
        assert_eq!(
            Flash::StillRunning.on("/dashboard/sync?status=failed"),
            "/dashboard/sync?status=failed&flash=still-running"
        );
        assert_eq!(Flash::read(Some("retried")), Some(Flash::Retried));
        assert_eq!(Flash::read(Some("<b>")), None);
    }
}
