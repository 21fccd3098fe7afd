//! What was done in an organisation, as its page shows it.

use domain::run::ActionKind;
use messages::message;
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
        ActionKind::Retried => message!(actions.retried),
        ActionKind::Requeued => message!(actions.requeued),
        ActionKind::SyncAsked => message!(actions.sync_asked),
        ActionKind::CleanedUp => message!(actions.cleaned_up),
        ActionKind::BulkRetryBegun => message!(actions.bulk_retry_begun),
        ActionKind::BulkRetryCancelled => message!(actions.bulk_retry_cancelled),
        ActionKind::Excluded => message!(actions.excluded),
        ActionKind::Included => message!(actions.included),
        ActionKind::Paused => message!(actions.paused),
        ActionKind::Resumed => message!(actions.resumed),
        ActionKind::Disconnected => message!(actions.disconnected),
        ActionKind::Exported => message!(actions.exported),
        ActionKind::Paired => message!(actions.paired),
        ActionKind::ConsentBegun => message!(actions.consent_begun),
        ActionKind::ConsentGiven => message!(actions.consent_given),
        ActionKind::BusinessChosen => message!(actions.business_chosen),
        ActionKind::ListsRefreshed => message!(actions.lists_refreshed),
        ActionKind::SettingsSaved => message!(actions.settings_saved),
        ActionKind::Invited => message!(actions.invited),
        ActionKind::InvitationWithdrawn => message!(actions.invitation_withdrawn),
        ActionKind::InvitationAccepted => message!(actions.invitation_accepted),
        ActionKind::MemberAdded => message!(actions.member_added),
        ActionKind::RoleChanged => message!(actions.role_changed),
        ActionKind::MemberRemoved => message!(actions.member_removed),
        ActionKind::AddressProved => message!(actions.address_proved),
        ActionKind::PasswordChanged => message!(actions.password_changed),
        ActionKind::SecondFactorOn => message!(actions.second_factor_on),
        ActionKind::SecondFactorOff => message!(actions.second_factor_off),
        ActionKind::RecoveryCodesRenewed => message!(actions.recovery_codes_renewed),
        ActionKind::SessionsEnded => message!(actions.sessions_ended),
        ActionKind::ChannelAdded => message!(actions.channel_added),
        ActionKind::ChannelConfirmed => message!(actions.channel_confirmed),
        ActionKind::ChannelChanged => message!(actions.channel_changed),
        ActionKind::ChannelRemoved => message!(actions.channel_removed),
        ActionKind::SecretRenewed => message!(actions.secret_renewed),
        ActionKind::KeysRotated => message!(actions.keys_rotated),
    }
}
