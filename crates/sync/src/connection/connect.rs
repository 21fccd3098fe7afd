//! Connecting: tying a binding to a Sage business, and untying it.

use domain::{business::ReferenceSet, code::Code, ids::BindingId, preflight::ShopAnswer, run::BindingStatus};
use magento::{PaymentMethod, Shop, ShopUrl, SubKeys};
use sage::{Connection, FixedToken, Progress, Tokens};
use secrecy::SecretString;
use store::{Action, Binding, CachedReference, CredentialKind, SageBusiness};

use super::{
    credentials,
    error::{ConnectError, ReferenceError},
    pairing,
    tokens::{self, StoredTokens},
};
use crate::Engine;

impl Engine {
    /// Ties a binding to a business of the Sage user whose tokens these are, fetches its reference set, and starts its runs.
    /// Nothing is kept before Sage has answered everything.
    pub async fn connect_sage(
        &self,
        binding: &Binding,
        tokens: &Tokens,
        business_id: &str,
        progress: Progress<'_>,
        action: Option<&Action>,
    ) -> Result<ReferenceSet, ConnectError> {
        let bought = FixedToken(tokens.access.clone());
        let business = Connection::without_business(&self.sage, &bought)
            .business(business_id)
            .await
            .map_err(|error| no_such_business(error, business_id))?;
        self.refuse_a_taken_business(binding, &business.id, &business.name).await?;
        let connection = Connection::new(&self.sage, &business.id, &bought);
        let set = sage::fetch_reference_set(&connection, progress).await?;
        if self.has_moved_on(binding).await? {
            // Somebody disconnected it while the lists were fetched: their word counts.
            self.revoke(binding.id, tokens).await;
            return Err(ConnectError::ConsentUsedUp);
        }
        let country = business.country.unwrap_or_else(|| "GB".to_owned());
        let business = SageBusiness { id: business.id, name: business.name, country };
        let now = self.environment.now();
        let says = format!("{} ({})", business.name, business.country);
        let action = action.map(|action| action.clone().saying(says));
        // The business first: where two choose it at the same moment, the one that comes too late has connected nothing.
        if let Err(error) = self.store.set_business(binding.id, &business, now, action.as_ref()).await {
            return Err(match error {
                store::Error::Conflict(_) => self.taken(binding, &business.id, business.name).await?,
                other => other.into(),
            });
        }
        self.put_credential(binding.id, CredentialKind::SageTokens, &tokens.to_json(), None).await?;
        let cached = CachedReference { set, fetched_at: now };
        self.store.put_reference(binding.id, &cached, None).await?;
        let from =
            if binding.status == BindingStatus::Revoked { BindingStatus::Pending } else { binding.status };
        let to = self.status_once_connected(binding).await?;
        if !self.store.change_binding_status(binding.id, from, to, now, None).await?
            && self.is_revoked(binding.id).await?
        {
            self.revoke(binding.id, tokens).await;
            self.store.delete_credential(binding.id, CredentialKind::SageTokens).await?;
            return Err(ConnectError::ConsentUsedUp);
        }
        Ok(cached.set)
    }

    async fn is_revoked(&self, binding: BindingId) -> Result<bool, ConnectError> {
        let now = self.store.binding(binding).await?;
        Ok(now.is_none_or(|now| now.status == BindingStatus::Revoked))
    }

    /// A shop that has thrown its keys away does not work, although Sage is connected now.
    async fn status_once_connected(&self, binding: &Binding) -> Result<BindingStatus, ConnectError> {
        let has_left = self.store.refusal(binding.id).await? == Some(Code::MagentoAuth)
            && self.ask_shop(binding).await.shop == Some(ShopAnswer::Refuses);
        Ok(if has_left { BindingStatus::NeedsReauth } else { BindingStatus::Active })
    }

    /// Whether the binding has taken another state since it was read.
    async fn has_moved_on(&self, binding: &Binding) -> Result<bool, ConnectError> {
        let now = self.store.binding(binding.id).await?;
        Ok(now.is_none_or(|now| now.status != binding.status))
    }

    pub(crate) async fn revoke(&self, binding: BindingId, tokens: &Tokens) {
        if let Err(problem) = self.sage.revoke(&tokens.refresh).await {
            tracing::warn!(%binding, error = %problem, "Sage did not revoke the tokens; they are deleted here");
        }
    }

    /// Said before the lists are fetched, which takes seconds; that it stays so is the store's matter.
    async fn refuse_a_taken_business(
        &self,
        binding: &Binding,
        business: &str,
        name: &str,
    ) -> Result<(), ConnectError> {
        match self.holder_of(binding, business).await? {
            None => Ok(()),
            Some(_) => Err(self.taken(binding, business, name.to_owned()).await?),
        }
    }

    /// The other binding that has a business.
    async fn holder_of(&self, binding: &Binding, business: &str) -> Result<Option<Binding>, ConnectError> {
        Ok(self.store.list_all_bindings().await?.into_iter().find(|other| {
            other.id != binding.id
                && other.status != BindingStatus::Revoked
                && other.business.as_ref().is_some_and(|of_other| of_other.id == business)
        }))
    }

    /// Why the business cannot be had.
    async fn taken(
        &self,
        binding: &Binding,
        business: &str,
        name: String,
    ) -> Result<ConnectError, ConnectError> {
        let place = ShopUrl::place_of(&binding.magento_url);
        let by_same_shop = self.holder_of(binding, business).await?.is_some_and(|holder| {
            holder.organisation_id == binding.organisation_id
                && place.as_deref().is_some_and(|place| pairing::is_at(&holder, place))
        });
        Ok(ConnectError::BusinessTaken { business: name, by_same_shop })
    }

    /// Seals a credential in place of whatever is there.
    pub(crate) async fn put_credential(
        &self,
        binding: BindingId,
        kind: CredentialKind,
        plain: &SecretString,
        action: Option<&Action>,
    ) -> Result<(), ConnectError> {
        let replaces = self.store.credential(binding, kind).await?.map_or(0, |sealed| sealed.version);
        credentials::put(
            self.store.as_ref(),
            &self.keys,
            self.environment.as_ref(),
            (binding, kind),
            (plain, replaces),
            action,
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
    pub async fn disconnect(&self, binding: &Binding, action: Option<&Action>) -> Result<(), ConnectError> {
        self.store
            .set_binding_status(binding.id, BindingStatus::Revoked, self.environment.now(), action)
            .await?;
        let kind = CredentialKind::SageTokens;
        // Again where a refresh that was under way has stored newer ones; what a new consent brings meanwhile stays.
        while let Some((plain, version)) =
            credentials::open(self.store.as_ref(), &self.keys, binding.id, kind).await?
            && self.is_revoked(binding.id).await?
        {
            if let Some(tokens) = Tokens::from_json(&plain) {
                self.revoke(binding.id, &tokens).await;
            }
            if self.store.withdraw_credential(binding.id, kind, version).await? {
                break;
            }
        }
        self.give_up_consent(binding.id).await
    }

    /// The same, asked for by the shop itself, which throws its keys away with that: it must be paired again.
    pub async fn disconnect_by_shop(
        &self,
        binding: &Binding,
        action: Option<&Action>,
    ) -> Result<(), ConnectError> {
        self.store.note_shop_left(binding.id).await?;
        self.disconnect(binding, action).await
    }

    /// The shop's payment methods as they are now.
    pub async fn payment_methods(&self, binding: &Binding) -> Result<Vec<PaymentMethod>, ConnectError> {
        let key = self.open_credential(binding.id, CredentialKind::MagentoApiKey).await?;
        let key = key.ok_or_else(|| ConnectError::Credential("the shop's key is gone".to_owned()))?;
        let url = self.magento.shop_url(&binding.magento_url)?;
        let shop = Shop { url, tenant: binding.id, keys: SubKeys::derive(&key) };
        Ok(self.magento.payment_methods(&shop).await?.value)
    }

    /// Fetches a connected binding's reference set again. That Sage answers proves the connection.
    pub async fn refresh_reference(
        &self,
        binding: &Binding,
        action: Option<&Action>,
    ) -> Result<ReferenceSet, ReferenceError> {
        let business = binding.business.as_ref().ok_or(ReferenceError::NotConnected)?;
        let tokens = StoredTokens::new(self, binding.id);
        let connection = Connection::new(&self.sage, &business.id, &tokens);
        let set = sage::fetch_reference_set(&connection, &|_| ()).await?;
        let cached = CachedReference { set, fetched_at: self.environment.now() };
        self.store.put_reference(binding.id, &cached, action).await?;
        let connected =
            tokens::connected_again(self.store.as_ref(), binding.id, self.environment.now()).await;
        connected.map_err(ReferenceError::Store)?;
        Ok(cached.set)
    }
}

fn no_such_business(error: sage::Error, id: &str) -> ConnectError {
    match error {
        sage::Error::NotFound(_) | sage::Error::Forbidden(_) => ConnectError::NoSuchBusiness(id.to_owned()),
        other => other.into(),
    }
}
