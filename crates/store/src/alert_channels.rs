//! Channels: by what and of what a member wants to be told.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    alert::{AlertKind, AlertMode, ChannelKind},
    ids::{AlertChannelId, BindingId, MemberId},
};

use crate::{Action, Result};

/// Of what a member wants to be told by a channel, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertWants {
    /// Of these kinds.
    pub kinds: Vec<AlertKind>,
    /// Of these shops; none named is all there are and will be.
    pub bindings: Option<Vec<BindingId>>,
    /// When.
    pub mode: AlertMode,
}

/// A channel.
#[derive(Clone, PartialEq, Eq)]
pub struct AlertChannel {
    /// Id.
    pub id: AlertChannelId,
    /// Whose.
    pub member_id: MemberId,
    /// By what.
    pub kind: ChannelKind,
    /// The e-mail address or the URL.
    pub target: String,
    /// The secret that signs, as the vault sealed it; e-mail has none.
    pub envelope: Option<String>,
    /// Grows with every write of the envelope.
    pub version: i64,
    /// Of what, and when.
    pub wants: AlertWants,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was proved to be its member's; until then nothing is sent.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When something arrived last.
    pub last_ok_at: Option<DateTime<Utc>>,
    /// Why the last try failed, when it did.
    pub last_error: Option<String>,
    /// When it was switched off because its receiver is gone.
    pub disabled_at: Option<DateTime<Utc>>,
}

impl AlertChannel {
    /// What a channel's envelope is bound to when it is sealed.
    pub fn bound_to(id: AlertChannelId) -> String {
        format!("{id}/alert_channel")
    }
}

/// Without the address: it belongs in no log.
impl fmt::Debug for AlertChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlertChannel")
            .field("id", &self.id)
            .field("member_id", &self.member_id)
            .field("kind", &self.kind)
            .field("version", &self.version)
            .field("wants", &self.wants)
            .field("confirmed_at", &self.confirmed_at)
            .field("last_ok_at", &self.last_ok_at)
            .field("last_error", &self.last_error)
            .field("disabled_at", &self.disabled_at)
            .finish_non_exhaustive()
    }
}

/// The proof that is asked for before a channel is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertProof {
    /// The digest of the code that was sent there.
    pub code_hash: String,
    /// Until when it is good.
    pub until: DateTime<Utc>,
}

/// Channels of members who are members still; a removed member's are gone.
#[async_trait]
pub trait AlertChannels {
    /// Keeps a new channel; one that is not confirmed yet comes with the proof that it waits for.
    async fn create_alert_channel(
        &self,
        channel: &AlertChannel,
        proof: Option<&AlertProof>,
        action: Option<&Action>,
    ) -> Result<()>;

    /// A member's channels, oldest first.
    async fn list_alert_channels(&self, member: MemberId) -> Result<Vec<AlertChannel>>;

    /// Changes of what a member's channel tells, and switches it on again; [`crate::Error::NotFound`] when it is not theirs.
    async fn change_alert_channel(
        &self,
        member: MemberId,
        id: AlertChannelId,
        wants: &AlertWants,
        action: Option<&Action>,
    ) -> Result<()>;

    /// Confirms a member's channel by the code's digest; false when it is another one or too late.
    async fn confirm_alert_channel(
        &self,
        member: MemberId,
        id: AlertChannelId,
        code_hash: &str,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<bool>;

    /// Removes a member's channel with what it was to deliver; a missing one is passed over.
    async fn remove_alert_channel(
        &self,
        member: MemberId,
        id: AlertChannelId,
        action: Option<&Action>,
    ) -> Result<()>;

    /// Channels that hold a secret, by id, beginning after one: for sealing all of them again.
    async fn sealed_alert_channels(
        &self,
        after: Option<AlertChannelId>,
        limit: u32,
    ) -> Result<Vec<AlertChannel>>;

    /// A channel, whosever it is: for the rotation of keys.
    async fn alert_channel(&self, id: AlertChannelId) -> Result<Option<AlertChannel>>;

    /// Writes a channel's envelope in place of this version; [`crate::Error::RowsAffected`] when another is there.
    async fn put_alert_secret(
        &self,
        id: AlertChannelId,
        envelope: &str,
        replaces: i64,
        action: Option<&Action>,
    ) -> Result<()>;

    /// Notes what came of a message that is no alert, such as a test.
    async fn note_alert_channel(
        &self,
        id: AlertChannelId,
        error: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<()>;

    /// Switches a channel off, with what it was to deliver: its receiver said that it is gone.
    async fn disable_alert_channel(&self, id: AlertChannelId, error: &str, now: DateTime<Utc>) -> Result<()>;
}
