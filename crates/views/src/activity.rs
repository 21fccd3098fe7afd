//! What was done in an organisation, as its page shows it.

use domain::run::ActionKind;
use serde::{Deserialize, Serialize};

use super::format::Moment;

/// The page.
pub const ACTIVITY: &str = "/dashboard/activity";

/// A page of what was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityView {
    /// What was done, newest first.
    pub rows: Vec<ActivityRow>,
    /// Ids and names of the members, to choose from.
    pub people: Vec<(String, String)>,
    /// The kind that is asked for.
    pub kind: Option<ActionKind>,
    /// The id of the member who is asked for; empty is everybody.
    pub person: String,
    /// Where older ones are.
    pub older: Option<String>,
    /// Where the newest ones are, when these are others.
    pub newest: Option<String>,
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityRow {
    /// When.
    pub at: Moment,
    /// Who, as they were called at that time.
    pub who: String,
    /// Their id, where they are a member.
    pub person: Option<String>,
    /// What.
    pub what: String,
    /// The reason or the particulars.
    pub detail: String,
    /// The shop's name and page, where it is about one.
    pub shop: Option<(String, String)>,
    /// The page of the run, where it is about one.
    pub run: Option<String>,
}

/// What was done, in a person's words.
pub const fn kind_label(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Retried => "Retried a document",
        ActionKind::Requeued => "Made a run due",
        ActionKind::SyncAsked => "Asked for a document",
        ActionKind::CleanedUp => "Deleted old runs",
        ActionKind::BulkRetryBegun => "Started a retry of many documents",
        ActionKind::BulkRetryCancelled => "Cancelled a retry of many documents",
        ActionKind::Excluded => "Excluded a document",
        ActionKind::Included => "Removed an exclusion",
        ActionKind::Paused => "Paused a shop",
        ActionKind::Resumed => "Resumed a shop",
        ActionKind::Disconnected => "Disconnected a shop",
        ActionKind::Exported => "Exported sync runs",
        ActionKind::Paired => "Paired a shop",
        ActionKind::ConsentBegun => "Went to Sage to give consent",
        ActionKind::ConsentGiven => "Gave consent at Sage",
        ActionKind::BusinessChosen => "Connected a Sage business",
        ActionKind::ListsRefreshed => "Refreshed Sage\u{2019}s lists",
        ActionKind::SettingsSaved => "Saved settings",
        ActionKind::Invited => "Invited a person",
        ActionKind::InvitationWithdrawn => "Withdrew an invitation",
        ActionKind::InvitationAccepted => "Accepted an invitation",
        ActionKind::MemberAdded => "Added a person",
        ActionKind::RoleChanged => "Changed a role",
        ActionKind::MemberRemoved => "Removed a person",
        ActionKind::AddressProved => "Confirmed an e-mail address",
        ActionKind::PasswordChanged => "Changed a password",
        ActionKind::SecondFactorOn => "Turned two-factor authentication on",
        ActionKind::SecondFactorOff => "Turned two-factor authentication off",
        ActionKind::RecoveryCodesRenewed => "Replaced recovery codes",
        ActionKind::SessionsEnded => "Ended sessions",
        ActionKind::ChannelAdded => "Added a notification channel",
        ActionKind::ChannelConfirmed => "Confirmed a notification channel",
        ActionKind::ChannelChanged => "Changed a notification channel",
        ActionKind::ChannelRemoved => "Removed a notification channel",
        ActionKind::SecretRenewed => "Replaced a webhook\u{2019}s secret",
        ActionKind::KeysRotated => "Rotated encryption keys",
    }
}
