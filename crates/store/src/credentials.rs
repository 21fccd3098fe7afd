//! Credentials, sealed by the vault: the store never sees them open.

use std::str::FromStr;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{ids::BindingId, words::UnknownWord};

use crate::{Action, Result};

/// What a credential is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialKind {
    /// The master key of the wire.
    MagentoApiKey,
    /// Sage's access and refresh token, as JSON.
    SageTokens,
    /// A consent at Sage that is under way: its secrets, and afterwards the tokens while a business is chosen.
    SageConsent,
}

impl CredentialKind {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MagentoApiKey => "magento_api_key",
            Self::SageTokens => "sage_tokens",
            Self::SageConsent => "sage_consent",
        }
    }
}

impl FromStr for CredentialKind {
    type Err = UnknownWord;

    fn from_str(word: &str) -> std::result::Result<Self, Self::Err> {
        let known = [Self::MagentoApiKey, Self::SageTokens, Self::SageConsent];
        known.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| UnknownWord {
            word: word.to_owned(),
            allowed: "magento_api_key sage_tokens sage_consent".to_owned(),
        })
    }
}

/// A sealed credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The vault's envelope, as text.
    pub envelope: String,
    /// Grows with every write: a write names the version it replaces, so that two refreshers cannot undo each other.
    pub version: i64,
    /// When it was written.
    pub updated_at: DateTime<Utc>,
}

/// A sealed credential with what it is, as it is met when all of them are gone through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedCredential {
    /// Whose.
    pub binding: BindingId,
    /// What for.
    pub kind: CredentialKind,
    /// The credential.
    pub sealed: Sealed,
}

/// Credentials.
#[async_trait]
pub trait Credentials {
    /// The credential, if there is one.
    async fn credential(&self, binding: BindingId, kind: CredentialKind) -> Result<Option<Sealed>>;

    /// Writes a credential in place of `replaces` (0 = there is none yet) and returns the new version;
    /// [`crate::Error::RowsAffected`] when another version is there.
    async fn put_credential(
        &self,
        binding: BindingId,
        kind: CredentialKind,
        envelope: &str,
        replaces: i64,
        now: DateTime<Utc>,
        action: Option<&Action>,
    ) -> Result<i64>;

    /// Credentials of all bindings, in one order, from behind `after` on; fewer than `limit` only at the end.
    async fn page_credentials(
        &self,
        after: Option<(BindingId, CredentialKind)>,
        limit: u32,
    ) -> Result<Vec<SealedCredential>>;

    /// Deletes a credential where it still has this version; `false` where it has moved on.
    async fn withdraw_credential(
        &self,
        binding: BindingId,
        kind: CredentialKind,
        version: i64,
    ) -> Result<bool>;

    /// Deletes a credential; a missing one is passed over.
    async fn delete_credential(&self, binding: BindingId, kind: CredentialKind) -> Result<()>;
}
