//! Second factors: the sealed secret of a member's authenticator, and recovery codes for the day it is lost.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{MemberId, SessionId};

use crate::{Action, Result};

/// A member's second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondFactor {
    /// Who.
    pub member_id: MemberId,
    /// The secret, as the vault sealed it.
    pub envelope: String,
    /// When a first code proved it; until then no code is asked for.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// The last time step whose code was accepted.
    pub last_step: i64,
    /// Grows with every write of the envelope.
    pub version: i64,
    /// When the envelope was written.
    pub updated_at: DateTime<Utc>,
}

impl SecondFactor {
    /// What a member's envelope is bound to when it is sealed.
    pub fn bound_to(member: MemberId) -> String {
        format!("{member}/second_factor")
    }
}

/// Second factors and recovery codes. Codes are kept as SHA-256 in hex: each holds 80 random bits, which nobody guesses.
#[async_trait]
pub trait SecondFactors {
    /// A member's second factor, confirmed or not.
    async fn second_factor(&self, member: MemberId) -> Result<Option<SecondFactor>>;

    /// Keeps a new secret to be confirmed, in place of one that is not; [`crate::Error::Conflict`] when there is a confirmed one.
    async fn begin_second_factor(&self, member: MemberId, envelope: &str, now: DateTime<Utc>) -> Result<()>;

    /// Puts a secret of this version in force by the code of a time step, with its recovery codes, and ends the member's sessions but the
    /// one to keep, which were opened without a code; [`crate::Error::RowsAffected`] when it is not there any more or in force already.
    async fn confirm_second_factor(
        &self,
        member: MemberId,
        version: i64,
        step: i64,
        code_hashes: &[String],
        now: (DateTime<Utc>, Option<SessionId>),
        action: Option<&Action>,
    ) -> Result<()>;

    /// Takes the code of a time step of a confirmed factor; false when this step or a later one was taken before.
    async fn take_step(&self, member: MemberId, step: i64) -> Result<bool>;

    /// Gives a member new recovery codes in place of all earlier ones.
    async fn replace_recovery_codes(
        &self,
        member: MemberId,
        code_hashes: &[String],
        action: Option<&Action>,
    ) -> Result<()>;

    /// Spends a recovery code; false when it is none of the member's or was spent before.
    async fn spend_recovery_code(
        &self,
        member: MemberId,
        code_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<bool>;

    /// How many recovery codes a member has left.
    async fn recovery_codes_left(&self, member: MemberId) -> Result<u32>;

    /// Switches a member's second factor off, and ends their sessions but the one to keep; a missing one is passed over.
    async fn remove_second_factor(
        &self,
        member: MemberId,
        keep: Option<SessionId>,
        action: Option<&Action>,
    ) -> Result<()>;

    /// Second factors by member, beginning after one: for sealing all of them anew.
    async fn sealed_second_factors(&self, after: Option<MemberId>, limit: u32) -> Result<Vec<SecondFactor>>;

    /// Writes the same secret in another envelope, in place of this version; [`crate::Error::RowsAffected`] when another is there.
    async fn reseal_second_factor(
        &self,
        member: MemberId,
        envelope: &str,
        replaces: i64,
        now: DateTime<Utc>,
    ) -> Result<()>;
}
