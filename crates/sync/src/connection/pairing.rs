//! Pairing: a shop's first, and every later one, which revives the binding that it had.

use chrono::TimeDelta;
use domain::{
    ids::{BindingId, OrganisationId},
    preflight::{FindingCode, shop_blocks},
    run::BindingStatus,
};
use magento::ShopUrl;
use secrecy::SecretString;
use store::{Action, Binding, CredentialKind, Revival};

use crate::{
    Engine,
    connection::{credentials, error::ConnectError},
};

/// How long a pairing keeps others of the same shop out: longer than the shop may take to answer.
const PAIRING_LEASE: TimeDelta = TimeDelta::seconds(60);

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
    /// Its binding.
    pub binding: Binding,
    /// Whether it had one already, which goes on.
    pub is_revived: bool,
    /// What stops the shop although pairing worked, such as a proxy that hides https from Magento.
    pub problem: Option<FindingCode>,
}

impl Engine {
    /// Pairs a shop, and asks it at once whether it takes our tokens. Nothing is kept before Magento has said yes.
    ///
    /// A shop that the organisation had paired before, at the same place, keeps its binding, which is the wire's tenant: so it keeps its
    /// cross-references and intents as well, by which nothing is posted twice. The key is new each time. Another
    /// organisation's binding of the shop is none of theirs.
    pub async fn pair(
        &self,
        request: &PairRequest<'_>,
        action: Option<&Action>,
    ) -> Result<Paired, ConnectError> {
        let url = self.magento.shop_url(request.magento_url)?;
        let place = ShopUrl::place_of(url.as_str()).unwrap_or_else(|| url.as_str().to_owned());
        let name = format!("pairing:{}:{place}", request.organisation);
        let holder = self.environment.uuid_v4().to_string();
        let now = self.environment.now();
        // Two at once would each make a binding of their own.
        if !self.store.acquire_lease(&name, &holder, now, now + PAIRING_LEASE).await? {
            return Err(ConnectError::PairingUnderWay);
        }
        let paired = self.pair_at(request, (&url, &place), action).await;
        if let Err(problem) = self.store.release_lease(&name, &holder).await {
            tracing::warn!(error = %problem, "a pairing's lease could not be given back; it runs out by itself");
        }
        paired
    }

    async fn pair_at(
        &self,
        request: &PairRequest<'_>,
        (url, place): (&ShopUrl, &str),
        action: Option<&Action>,
    ) -> Result<Paired, ConnectError> {
        let known = self.binding_at(request.organisation, place).await?;
        let id = known.as_ref().map_or_else(|| BindingId(self.environment.id()), |known| known.id);
        let mut bytes = [0; 32];
        self.environment.random(&mut bytes);
        let api_key = SecretString::from(hex::encode(bytes));
        self.magento.pair(url, request.code, id, &api_key, request.ledger_url).await?;
        let action = action.map(|action| action.clone().with_binding(id));
        let is_revived = known.is_some();
        if is_revived {
            self.revive(request, url, (id, &api_key), action.as_ref()).await?;
        } else {
            self.keep_new(request, url, (id, &api_key), action.as_ref()).await?;
        }
        let binding = self.store.binding(id).await?.ok_or(store::Error::NotFound("the binding"))?;
        let problem = shop_blocks(&self.ask_shop(&binding).await);
        Ok(Paired { binding, is_revived, problem })
    }

    /// The organisation's binding of the shop at this place. Where earlier versions made several, the one that knows most: it has been
    /// connected to a business, works, and is the newest.
    async fn binding_at(
        &self,
        organisation: OrganisationId,
        place: &str,
    ) -> Result<Option<Binding>, ConnectError> {
        let bindings = self.store.list_bindings(organisation).await?;
        let same = bindings.into_iter().filter(|binding| is_at(binding, place));
        Ok(same.max_by_key(|binding| {
            (binding.business.is_some(), binding.status != BindingStatus::Revoked, binding.created_at)
        }))
    }

    async fn revive(
        &self,
        request: &PairRequest<'_>,
        url: &ShopUrl,
        (id, api_key): (BindingId, &SecretString),
        action: Option<&Action>,
    ) -> Result<(), ConnectError> {
        let which = (id, CredentialKind::MagentoApiKey);
        let key = credentials::seal(&self.keys, self.environment.as_ref(), which, api_key)?;
        let (name, magento_url) = (request.name.to_owned(), url.as_str().to_owned());
        self.store
            .revive_binding(&Revival { id, name, magento_url, key, now: self.environment.now() }, action)
            .await?;
        Ok(())
    }

    async fn keep_new(
        &self,
        request: &PairRequest<'_>,
        url: &ShopUrl,
        (id, api_key): (BindingId, &SecretString),
        action: Option<&Action>,
    ) -> Result<(), ConnectError> {
        let now = self.environment.now();
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
        self.store.create_binding(&binding, action).await?;
        let which = (id, CredentialKind::MagentoApiKey);
        credentials::put(
            self.store.as_ref(),
            &self.keys,
            self.environment.as_ref(),
            which,
            (api_key, 0),
            None,
        )
        .await?;
        Ok(())
    }
}

/// Whether a binding is of the shop at this place.
pub fn is_at(binding: &Binding, place: &str) -> bool {
    ShopUrl::place_of(&binding.magento_url).as_deref() == Some(place)
}
