//! Credentials between store and vault: sealed with the binding and the kind as associated data.

use domain::{environment::Environment, ids::BindingId};
use secrecy::SecretString;
use store::{Action, CredentialKind, Store};
use vault::KeyRing;

/// A credential could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The vault cannot open or seal it.
    #[error("a credential cannot be opened: {0}")]
    Vault(#[from] vault::Error),
}

/// What a credential's envelope is bound to: it opens nowhere else.
pub fn associated(binding: BindingId, kind: CredentialKind) -> String {
    format!("{binding}/{}", kind.as_str())
}

/// A credential, opened, with its version.
pub async fn open(
    store: &dyn Store,
    keys: &KeyRing,
    binding: BindingId,
    kind: CredentialKind,
) -> Result<Option<(SecretString, i64)>, CredentialError> {
    let Some(sealed) = store.credential(binding, kind).await? else { return Ok(None) };
    let plain = keys.open(&sealed.envelope, &associated(binding, kind))?;
    Ok(Some((plain, sealed.version)))
}

/// A credential, sealed.
pub fn seal(
    keys: &KeyRing,
    environment: &dyn Environment,
    (binding, kind): (BindingId, CredentialKind),
    plain: &SecretString,
) -> Result<String, CredentialError> {
    let mut nonce = [0; 12];
    environment.random(&mut nonce);
    Ok(keys.seal(plain, &associated(binding, kind), nonce)?)
}

/// Seals and writes a credential in place of a version, on record where somebody acts; returns the new version.
pub async fn put(
    store: &dyn Store,
    keys: &KeyRing,
    environment: &dyn Environment,
    (binding, kind): (BindingId, CredentialKind),
    (plain, replaces): (&SecretString, i64),
    action: Option<&Action>,
) -> Result<i64, CredentialError> {
    let envelope = seal(keys, environment, (binding, kind), plain)?;
    Ok(store.put_credential(binding, kind, &envelope, replaces, environment.now(), action).await?)
}
