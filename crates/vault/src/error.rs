//! What can go wrong with keys and envelopes. No sentence repeats a key, a plain text or what was typed in a key's place.

/// Why a key ring could not be read, or an envelope not be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text names no key.
    #[error("there is no encryption key; write one as id:key, the key as 64 hex characters")]
    NoKeys,
    /// A key without its id.
    #[error("encryption key number {position} has no id; write it as id:key")]
    NoKeyId {
        /// 1 for the first.
        position: usize,
    },
    /// An id with a character that an envelope could not hold.
    #[error(
        "the id of encryption key number {position} must be 1 to 32 letters, digits, hyphens or underscores"
    )]
    BadKeyId {
        /// 1 for the first.
        position: usize,
    },
    /// A key that is not 64 hex characters.
    #[error("encryption key number {position} must be 64 hex characters (32 bytes)")]
    BadKey {
        /// 1 for the first.
        position: usize,
    },
    /// Two keys of one id.
    #[error("encryption key number {position} has the id of an earlier one")]
    RepeatedKeyId {
        /// 1 for the first.
        position: usize,
    },
    /// The text is no envelope of this vault.
    #[error("the sealed credential is damaged: it is no envelope of version 1")]
    NotAnEnvelope,
    /// The ring lacks the key that sealed it.
    #[error("the credential was sealed with the encryption key {id:?}, which is not configured")]
    UnknownKey {
        /// The key's id, as the envelope names it.
        id: String,
    },
    /// The wrong key under the right id, another row's envelope, or changed bytes: which of them cannot be told.
    #[error(
        "the sealed credential cannot be opened: the key differs, it belongs elsewhere, or it was changed"
    )]
    Refused,
    /// The cipher would not seal (a text beyond 64 GiB).
    #[error("the credential cannot be sealed")]
    NotSealed,
}
