//! Connecting: pairing a shop, and tying its binding to a Sage business.

use domain::{
    business::ReferenceSet,
    ids::{BindingId, OrganisationId},
    preflight::{FindingCode, shop_blocks},
    run::BindingStatus,
};
use magento::{PaymentMethod, Shop, SubKeys};
use sage::{Connection, FixedToken, Progress, Tokens};
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
    /// Another shop posts to the business already; two would give documents the same references.
    #[error("The Sage business {0} is connected to another shop already. Disconnect it there first.")]
    BusinessTaken(String),
    /// The consent is not one that this person began within the last half hour, or it was used already.
    #[error("The consent at Sage has run out. Begin again.")]
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

/// A shop that was paired.
#[derive(Debug)]
pub struct Paired {
    /// The new binding.
    pub binding: Binding,
    /// What stops the shop although pairing worked, such as a proxy that hides https from Magento.
    pub problem: Option<FindingCode>,
}

impl Engine {
    /// Pairs a shop, and asks it at once whether it takes our tokens. Nothing is kept before Magento has said yes; afterwards the
    /// binding is `pending` until Sage is connected, whatever the shop answered.
    pub async fn pair(&self, request: &PairRequest<'_>) -> Result<Paired, ConnectError> {
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
        let problem = shop_blocks(&self.ask_shop(&binding).await);
        Ok(Paired { binding, problem })
    }

    /// Ties a binding to a business of the Sage user whose tokens these are, fetches its reference set, and starts its runs.
    /// Nothing is kept before Sage has answered everything.
    pub async fn connect_sage(
        &self,
        binding: &Binding,
        tokens: &Tokens,
        business_id: &str,
        progress: Progress<'_>,
    ) -> Result<ReferenceSet, ConnectError> {
        let bought = FixedToken(tokens.access.clone());
        let business = Connection::without_business(&self.sage, &bought)
            .business(business_id)
            .await
            .map_err(|error| no_such_business(error, business_id))?;
        self.refuse_a_taken_business(binding, &business).await?;
        let connection = Connection::new(&self.sage, &business.id, &bought);
        let set = sage::fetch_reference_set(&connection, progress).await?;
        if self.has_moved_on(binding).await? {
            // Somebody disconnected it while the lists were fetched: their word counts.
            self.revoke(binding.id, tokens).await;
            return Err(ConnectError::ConsentUsedUp);
        }
        self.put_credential(binding.id, CredentialKind::SageTokens, &tokens.to_json()).await?;
        let country = business.country.unwrap_or_else(|| "GB".to_owned());
        let business = SageBusiness { id: business.id, name: business.name, country };
        let now = self.outside.now();
        self.store.set_business(binding.id, &business, now).await?;
        let cached = CachedReference { set, fetched_at: now };
        self.store.put_reference(binding.id, &cached).await?;
        self.store.set_binding_status(binding.id, BindingStatus::Active, now).await?;
        Ok(cached.set)
    }

    /// Whether the binding has taken another state since it was read.
    async fn has_moved_on(&self, binding: &Binding) -> Result<bool, ConnectError> {
        let now = self.store.binding(binding.id).await?;
        Ok(now.is_none_or(|now| now.status != binding.status))
    }

    async fn revoke(&self, binding: BindingId, tokens: &Tokens) {
        if let Err(problem) = self.sage.revoke(&tokens.refresh).await {
            tracing::warn!(%binding, error = %problem, "Sage did not revoke the tokens; they are deleted here");
        }
    }

    async fn refuse_a_taken_business(
        &self,
        binding: &Binding,
        business: &sage::Business,
    ) -> Result<(), ConnectError> {
        let taken = self.store.list_all_bindings().await?.into_iter().any(|other| {
            other.id != binding.id
                && other.status != BindingStatus::Revoked
                && other.business.is_some_and(|of_other| of_other.id == business.id)
        });
        if taken { Err(ConnectError::BusinessTaken(business.name.clone())) } else { Ok(()) }
    }

    /// Seals a credential in place of whatever is there.
    pub(crate) async fn put_credential(
        &self,
        binding: BindingId,
        kind: CredentialKind,
        plain: &SecretString,
    ) -> Result<(), ConnectError> {
        let replaces = self.store.credential(binding, kind).await?.map_or(0, |sealed| sealed.version);
        credentials::put(
            self.store.as_ref(),
            &self.keys,
            self.outside.as_ref(),
            (binding, kind),
            plain,
            replaces,
        )
        .await?;
        Ok(())
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

    /// Disconnects: the binding is revoked first, so that nothing more is posted; then Sage's tokens are revoked and deleted, those
    /// of a consent under way as well.
    /// History, cross-references and the shop's key stay: the shop may still have events under way.
    pub async fn disconnect(&self, binding: &Binding) -> Result<(), ConnectError> {
        self.store.set_binding_status(binding.id, BindingStatus::Revoked, self.outside.now()).await?;
        if let Some(plain) = self.open_credential(binding.id, CredentialKind::SageTokens).await? {
            if let Some(tokens) = Tokens::from_json(&plain) {
                self.revoke(binding.id, &tokens).await;
            }
            self.store.delete_credential(binding.id, CredentialKind::SageTokens).await?;
        }
        // A consent whose business was not chosen yet has bought tokens, too.
        if let Some(tokens) = self.consented_tokens(binding.id).await? {
            self.revoke(binding.id, &tokens).await;
        }
        self.store.delete_credential(binding.id, CredentialKind::SageConsent).await?;
        Ok(())
    }

    /// The shop's payment methods as they are now.
    pub async fn payment_methods(&self, binding: &Binding) -> Result<Vec<PaymentMethod>, ConnectError> {
        let key = self.open_credential(binding.id, CredentialKind::MagentoApiKey).await?;
        let key = key.ok_or_else(|| ConnectError::Credential("the shop's key is gone".to_owned()))?;
        let url = self.magento.shop_url(&binding.magento_url)?;
        let shop = Shop { url, tenant: binding.id, keys: SubKeys::derive(&key) };
        Ok(self.magento.payment_methods(&shop).await?.value)
    }

    /// Fetches a connected binding's reference set anew.
    pub async fn refresh_reference(&self, binding: &Binding) -> Result<ReferenceSet, ReferenceError> {
        let business = binding.business.as_ref().ok_or(ReferenceError::NotConnected)?;
        let tokens = StoredTokens::new(self, binding.id);
        let connection = Connection::new(&self.sage, &business.id, &tokens);
        let set = sage::fetch_reference_set(&connection, &|_| ()).await?;
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
