//! What sealing secrets needs of the outside. The server implements it with its keys: pages know none.

use secrecy::SecretString;

use crate::error::AppError;

/// Seals secrets for the database and for cookies, and opens them again.
pub trait Sealing: Send + Sync {
    /// Seals a text. It opens only with the same `associated` text: whose it is, and as what.
    fn seal(&self, plain: &SecretString, associated: &str) -> Result<String, AppError>;

    /// Opens what was sealed.
    fn open(&self, envelope: &str, associated: &str) -> Result<SecretString, AppError>;
}
