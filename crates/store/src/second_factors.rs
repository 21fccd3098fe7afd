//! Second factors: the sealed secret of a person's authenticator, and recovery codes for the day it is lost.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{PersonId, SessionId};

use crate::{Action, Result};

/// A person's second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondFactor {
    /// Who.
    pub person_id: PersonId,
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
    /// What a person's envelope is bound to when it is sealed.
    pub fn bound_to(person: PersonId) -> String {
        format!("{person}/second_factor")
    }
}

/// Second factors and recovery codes. Codes are kept as SHA-256 in hex: each holds 80 random bits, which nobody guesses.
#[async_trait]
pub trait SecondFactors {
    /// A person's second factor, confirmed or not.
    async fn second_factor(&self, person: PersonId) -> Result<Option<SecondFactor>>;

    /// Keeps a new secret to be confirmed, in place of one that is not; [`crate::Error::Conflict`] when there is a confirmed one.
    async fn begin_second_factor(&self, person: PersonId, envelope: &str, now: DateTime<Utc>) -> Result<()>;

    /// Puts a secret of this version in force by the code of a time step, with its recovery codes, and ends the person's sessions but the
    /// one to keep, which were opened without a code; [`crate::Error::RowsAffected`] when it is not there any more or in force already.
    async fn confirm_second_factor(
        &self,
        person: PersonId,
        version: i64,
        step: i64,
        code_hashes: &[String],
        now: (DateTime<Utc>, Option<SessionId>),
        actions: &[Action],
    ) -> Result<()>;

    /// Takes the code of a time step of a confirmed factor; false when this step or a later one was taken before.
    async fn take_step(&self, person: PersonId, step: i64) -> Result<bool>;

    /// Gives a person new recovery codes in place of all earlier ones.
    async fn replace_recovery_codes(
        &self,
        person: PersonId,
        code_hashes: &[String],
        actions: &[Action],
    ) -> Result<()>;

    /// Spends a recovery code; false when it is none of the person's or was spent before.
    async fn spend_recovery_code(
        &self,
        person: PersonId,
        code_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<bool>;

    /// How many recovery codes are left.
    async fn recovery_codes_left(&self, person: PersonId) -> Result<u32>;

    /// Switches a person's second factor off, and ends their sessions but the one to keep; a missing one is passed over.
    async fn remove_second_factor(
        &self,
        person: PersonId,
        keep: Option<SessionId>,
        actions: &[Action],
    ) -> Result<()>;

    /// Second factors by person, beginning after one: for sealing all of them again.
    async fn sealed_second_factors(&self, after: Option<PersonId>, limit: u32) -> Result<Vec<SecondFactor>>;

    /// Writes the same secret in another envelope, in place of this version; [`crate::Error::RowsAffected`] when another is there.
    async fn reseal_second_factor(
        &self,
        person: PersonId,
        envelope: &str,
        replaces: i64,
        now: DateTime<Utc>,
    ) -> Result<()>;
}
