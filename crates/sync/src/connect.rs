//! Connecting: pairing a shop, and tying its binding to a Sage business.

use domain::{
    business::ReferenceSet,
    ids::{BindingId, OrganisationId},
    run::BindingStatus,
};
use sage::{Connection, FixedToken, Tokens};
use secrecy::SecretString;
use store::{Binding, CachedReference, CredentialKind, SageBusiness};

use crate::{Engine, credentials, credentials::CredentialError, tokens::StoredTokens};

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
    #[error("The Sage user has no business {0}. Choose one of theirs.")]
    NoSuchBusiness(String),
}

impl From<CredentialError> for ConnectError {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Store(error) => error.into(),
            CredentialError::Vault(error) => Self::Credential(error.to_string()),
        }
    }
}

/// What pairing needs.
pub struct PairRequest<'a> {
    /// Who pairs.
    pub organisation: OrganisationId,
    /// A name for people.
    pub name: &'a str,
    /// The store URL as typed.
    pub magento_url: &'a str,
    /// The code as pasted.
    pub code: &'a str,
    /// Where Magento finds us.
    pub ledger_url: &'a str,
}

impl Engine {
    /// Pairs a shop. Nothing is kept before Magento has said yes; afterwards the binding is `pending` until Sage is connected.
    pub async fn pair(&self, request: &PairRequest<'_>) -> Result<Binding, ConnectError> {
        let url = self.magento.shop_url(request.magento_url)?;
        let id = BindingId(self.outside.id());
        let mut bytes = [0; 32];
        self.outside.random(&mut bytes);
        let api_key = SecretString::from(hex::encode(bytes));
        self.magento.pair(&url, request.code, id, &api_key, request.ledger_url).await?;
        let now = self.outside.now();
        let binding = Binding {
            id,
            organisation_id: request.organisation,
            name: request.name.to_owned(),
            magento_url: url.as_str().to_owned(),
            business: None,
            status: BindingStatus::Pending,
            created_at: now,
            status_changed_at: now,
            trusted_since: now,
        };
        self.store.create_binding(&binding).await?;
        let which = (id, CredentialKind::MagentoApiKey);
        credentials::put(self.store.as_ref(), &self.keys, self.outside.as_ref(), which, &api_key, 0).await?;
        Ok(binding)
    }

    /// Ties a binding to a business of the Sage user whose tokens these are, fetches its reference set, and starts its runs.
    pub async fn connect_sage(
        &self,
        binding: &Binding,
        tokens: &Tokens,
        business_id: &str,
    ) -> Result<ReferenceSet, ConnectError> {
        let bought = FixedToken(tokens.access.clone());
        let business = Connection::without_business(&self.sage, &bought)
            .business(business_id)
            .await
            .map_err(|error| no_such_business(error, business_id))?;
        let kind = CredentialKind::SageTokens;
        let replaces = self.store.credential(binding.id, kind).await?.map_or(0, |sealed| sealed.version);
        let which = (binding.id, kind);
        let plain = tokens.to_json();
        credentials::put(self.store.as_ref(), &self.keys, self.outside.as_ref(), which, &plain, replaces)
            .await?;
        let country = business.country.unwrap_or_else(|| "GB".to_owned());
        let business = SageBusiness { id: business.id, name: business.name, country };
        self.store.set_business(binding.id, &business, self.outside.now()).await?;
        let connected = Binding { business: Some(business), ..binding.clone() };
        let reference = self.refresh_reference(&connected).await?;
        self.store.set_binding_status(binding.id, BindingStatus::Active, self.outside.now()).await?;
        Ok(reference)
    }

    /// A binding's credential, opened.
    pub async fn open_credential(
        &self,
        binding: BindingId,
        kind: CredentialKind,
    ) -> Result<Option<SecretString>, ConnectError> {
        let opened = credentials::open(self.store.as_ref(), &self.keys, binding, kind).await?;
        Ok(opened.map(|(plain, _)| plain))
    }

    /// Disconnects: the binding is revoked first, so that nothing more is posted; then Sage's tokens are revoked and deleted.
    /// History, cross-references and the shop's key stay: the shop may still have events under way.
    pub async fn disconnect(&self, binding: &Binding) -> Result<(), ConnectError> {
        self.store.set_binding_status(binding.id, BindingStatus::Revoked, self.outside.now()).await?;
        if let Some(plain) = self.open_credential(binding.id, CredentialKind::SageTokens).await? {
            if let Some(tokens) = Tokens::from_json(&plain)
                && let Err(problem) = self.sage.revoke(&tokens.refresh).await
            {
                tracing::warn!(binding = %binding.id, error = %problem, "Sage did not revoke the tokens; they are deleted here");
            }
            self.store.delete_credential(binding.id, CredentialKind::SageTokens).await?;
        }
        Ok(())
    }

    /// Fetches a connected binding's reference set anew.
    pub async fn refresh_reference(&self, binding: &Binding) -> Result<ReferenceSet, ReferenceError> {
        let business = binding.business.as_ref().ok_or(ReferenceError::NotConnected)?;
        let tokens = StoredTokens::new(self, binding.id);
        let connection = Connection::new(&self.sage, &business.id, &tokens);
        let set = sage::fetch_reference_set(&connection).await?;
        let cached = CachedReference { set, fetched_at: self.outside.now() };
        self.store.put_reference(binding.id, &cached).await?;
        Ok(cached.set)
    }
}

fn no_such_business(error: sage::Error, id: &str) -> ConnectError {
    match error {
        sage::Error::NotFound(_) | sage::Error::Forbidden(_) => ConnectError::NoSuchBusiness(id.to_owned()),
        other => other.into(),
    }
}

/// A reference set could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// Sage is missing.
    #[error("The shop is not connected to a Sage business yet.")]
    NotConnected,
    /// Sage's side.
    #[error(transparent)]
    Sage(#[from] sage::Error),
    /// The store's side.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<ReferenceError> for crate::decide::Stop {
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
