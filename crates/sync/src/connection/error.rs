//! Why a shop could not be connected, or Sage's lists not be fetched.

use messages::message;

use super::credentials::CredentialError;
use crate::attempt::disposition::AttemptError;

/// Connecting did not work.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Magento's side.
    #[error(transparent)]
    Magento(#[from] magento::Error),
    /// Sage's side.
    #[error(transparent)]
    Sage(#[from] sage::Error),
    /// The store's side.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The vault's side.
    #[error("a credential cannot be kept: {0}")]
    Credential(String),
    /// The Sage user does not own the business.
    #[error("{}", message!(connection.no_such_business, business = .0))]
    NoSuchBusiness(String),
    /// Another binding posts to the business already; two would give documents the same references.
    #[error("{}", message!(connection.business_taken, business = business))]
    BusinessTaken {
        /// Its name.
        business: String,
        /// Whether the other binding is the organisation's own, of this very shop.
        by_same_shop: bool,
    },
    /// Somebody else is pairing this shop.
    #[error("{}", message!(connection.pairing_under_way))]
    PairingUnderWay,
    /// The consent is not one that this person began within the last half hour, or it was used already.
    #[error("{}", message!(connection.consent_used_up))]
    ConsentUsedUp,
}

impl From<CredentialError> for ConnectError {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Store(error) => error.into(),
            CredentialError::Vault(error) => Self::Credential(error.to_string()),
        }
    }
}

/// A reference set could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// Sage is missing.
    #[error("{}", message!(connection.not_connected))]
    NotConnected,
    /// Sage's side.
    #[error(transparent)]
    Sage(#[from] sage::Error),
    /// The store's side.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<ReferenceError> for AttemptError {
    fn from(error: ReferenceError) -> Self {
        match error {
            ReferenceError::NotConnected => Self::plain(domain::code::Code::BindingPending),
            ReferenceError::Sage(error) => error.into(),
            ReferenceError::Store(error) => error.into(),
        }
    }
}

impl From<ReferenceError> for ConnectError {
    fn from(error: ReferenceError) -> Self {
        match error {
            ReferenceError::NotConnected => Self::NoSuchBusiness(String::new()),
            ReferenceError::Sage(error) => error.into(),
            ReferenceError::Store(error) => error.into(),
        }
    }
}
