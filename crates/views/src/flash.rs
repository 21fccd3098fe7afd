//! What a page says once after something was done: a word in the address.

use messages::message;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

/// What a page says once after something was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumString, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Flash {
    /// A run was put in the queue again.
    Retried,
    /// A run could not be retried because it is running.
    StillRunning,
    /// A run waits, because its shop does not work at the moment.
    RetriedToWait,
    /// A retry of many runs has begun.
    BulkStarted,
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
    /// A session has ended by itself.
    SessionEnded,
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
    /// The word in the URL.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// What is shown.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Retried => message!(flashes.retried),
            Self::StillRunning => message!(flashes.still_running),
            Self::RetriedToWait => message!(flashes.retried_to_wait),
            Self::BulkStarted => message!(flashes.bulk_started),
            Self::BulkCancelled => message!(flashes.bulk_cancelled),
            Self::Excluded => message!(flashes.excluded),
            Self::Included => message!(flashes.included),
            Self::TooLate => message!(flashes.too_late),
            Self::MayBeInSage => message!(flashes.may_be_in_sage),
            Self::ViewSaved => message!(flashes.view_saved),
            Self::ViewForgotten => message!(flashes.view_forgotten),
            Self::SignedOut => message!(flashes.signed_out),
            Self::SessionEnded => message!(flashes.session_ended),
            Self::Paired => message!(flashes.paired),
            Self::PairedBefore => message!(flashes.paired_before),
            Self::PairedAgain => message!(flashes.paired_again),
            Self::Connected => message!(flashes.connected),
            Self::Paused => message!(flashes.paused),
            Self::Resumed => message!(flashes.resumed),
            Self::Disconnected => message!(flashes.disconnected),
            Self::SettingsTaken => message!(flashes.settings_taken),
            Self::SettingsSaved => message!(flashes.settings_saved),
            Self::SettingsUnchanged => message!(flashes.settings_unchanged),
            Self::SettingsRestored => message!(flashes.settings_restored),
            Self::Joined => message!(flashes.joined),
            Self::Saved => message!(flashes.saved),
            Self::MemberRemoved => message!(flashes.member_removed),
            Self::PasswordChanged => message!(flashes.password_changed),
            Self::SecondFactorOn => message!(flashes.second_factor_on),
            Self::SecondFactorOff => message!(flashes.second_factor_off),
            Self::SessionsEnded => message!(flashes.sessions_ended),
            Self::TestSent => message!(flashes.test_sent),
            Self::CodeSent => message!(flashes.code_sent),
            Self::Refreshed => message!(flashes.refreshed),
        }
    }

    /// Whether what was asked for was done.
    pub const fn is_good(self) -> bool {
        !matches!(self, Self::StillRunning | Self::TooLate | Self::MayBeInSage | Self::RetriedToWait)
    }

    /// The flash that a URL carries.
    pub fn read(word: Option<&str>) -> Option<Self> {
        word?.parse().ok()
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
