//! Consent at Sage: sends a merchant there, and takes what they bring back. Secrets and tokens lie sealed beside the binding until
//! a business is chosen, so that nothing is half-connected and any process can go on with it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    business::{Named, ReferenceSet},
    ids::{BindingId, MemberId},
};
use sage::{Connection, FixedToken, Pkce, Progress, Tokens, authorize_url};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use store::{Action, Binding, CredentialKind, SealedCredential};
use url::Url;

use crate::{
    Engine,
    connection::{
        credentials::{self, CredentialError},
        error::ConnectError,
    },
};

/// How long a consent may take, the choice of a business included.
const PATIENCE: TimeDelta = TimeDelta::minutes(30);

/// So many businesses are asked for their country: more than that are told apart by their names.
const ASKED: usize = 12;

/// Credentials that are gone through at once.
const PAGE: u32 = 200;

/// A consent under way, as it lies in the vault.
#[derive(Serialize, Deserialize)]
struct Consent {
    /// Sage brings it back with the code; it begins with the binding's id.
    state: String,
    /// Who began: nobody else may bring the code.
    member: MemberId,
    /// When it is given up.
    ends_at: DateTime<Utc>,
    /// What proves to Sage that the code is ours (RFC 7636); none once it was used.
    verifier: Option<String>,
    /// What the code bought.
    tokens: Option<String>,
    /// Whether a business was chosen: then what it bought may be the connection by now.
    #[serde(default)]
    is_chosen: bool,
}

impl Consent {
    fn bought(&self) -> Option<Tokens> {
        Tokens::from_json(&self.tokens.clone()?.into())
    }
}

impl Engine {
    /// Begins a consent and returns Sage's address for it. One that was under way for the binding is given up.
    pub async fn begin_consent(
        &self,
        binding: BindingId,
        member: MemberId,
        country: Option<&str>,
        action: Option<&Action>,
    ) -> Result<Url, ConnectError> {
        let (mut proof, mut nonce) = ([0; 32], [0; 16]);
        self.environment.random(&mut proof);
        self.environment.random(&mut nonce);
        let pkce = Pkce::new(proof);
        let consent = Consent {
            state: format!("{binding}.{}", hex::encode(nonce)),
            member,
            ends_at: self.environment.now() + PATIENCE,
            verifier: Some(pkce.verifier.expose_secret().to_owned()),
            tokens: None,
            is_chosen: false,
        };
        self.give_up_consent(binding).await?;
        self.keep_consent(binding, &consent, action).await?;
        Ok(authorize_url(self.sage.app(), self.sage.endpoints(), country, &consent.state, &pkce))
    }

    /// Takes the code that a member brings back from Sage, buys the tokens, and says which businesses they reach. Good once.
    pub async fn take_code(
        &self,
        state: &str,
        code: &str,
        member: MemberId,
        action: Option<&Action>,
    ) -> Result<(BindingId, Vec<Named>), ConnectError> {
        let binding = binding_of_state(state).ok_or(ConnectError::ConsentUsedUp)?;
        let mut consent = self.consent(binding, member).await?;
        let verifier = consent.verifier.take().filter(|_| same(&consent.state, state));
        let verifier = SecretString::from(verifier.ok_or(ConnectError::ConsentUsedUp)?);
        // Written first: a code that comes twice finds no proof any more.
        self.keep_consent(binding, &consent, None).await?;
        let tokens = self.sage.exchange_code(code, &verifier).await.map_err(|error| match error {
            sage::Error::Reauthorise { .. } => ConnectError::ConsentUsedUp,
            other => other.into(),
        })?;
        consent.tokens = Some(tokens.to_json().expose_secret().to_owned());
        self.keep_consent(binding, &consent, action).await?;
        Ok((binding, self.businesses_of(&tokens).await?))
    }

    /// The businesses that a consent reaches, each with its country where Sage says it; none before the consent, and when it has run out.
    pub async fn consented_businesses(
        &self,
        binding: BindingId,
        member: MemberId,
    ) -> Result<Vec<(Named, Option<String>)>, ConnectError> {
        match self.bought(binding, member).await {
            Ok(tokens) => self.businesses_with_countries(&tokens).await,
            Err(ConnectError::ConsentUsedUp) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Connects the binding to one of the businesses that the member's consent reaches.
    pub async fn choose_business(
        &self,
        binding: &Binding,
        member: MemberId,
        business: &str,
        progress: Progress<'_>,
        action: Option<&Action>,
    ) -> Result<ReferenceSet, ConnectError> {
        let mut consent = self.consent(binding.id, member).await?;
        let tokens = consent.bought().ok_or(ConnectError::ConsentUsedUp)?;
        consent.is_chosen = true;
        self.keep_consent(binding.id, &consent, None).await?;
        let reference = self.connect_sage(binding, &tokens, business, progress, action).await?;
        self.store.delete_credential(binding.id, CredentialKind::SageConsent).await?;
        Ok(reference)
    }

    async fn bought(&self, binding: BindingId, member: MemberId) -> Result<Tokens, ConnectError> {
        self.consent(binding, member).await?.bought().ok_or(ConnectError::ConsentUsedUp)
    }

    /// What the list of businesses leaves out is asked of each. Where Sage does not say it, the name has to do.
    async fn businesses_with_countries(
        &self,
        tokens: &Tokens,
    ) -> Result<Vec<(Named, Option<String>)>, ConnectError> {
        let bought = FixedToken(tokens.access.clone());
        let connection = Connection::without_business(&self.sage, &bought);
        let businesses = connection.businesses().await?;
        let asked = businesses.iter().take(ASKED).map(|business| connection.business(&business.id));
        let mut countries =
            futures::future::join_all(asked).await.into_iter().map(|answer| answer.ok()?.country);
        Ok(businesses.into_iter().map(|business| (business, countries.next().flatten())).collect())
    }

    async fn businesses_of(&self, tokens: &Tokens) -> Result<Vec<Named>, ConnectError> {
        let bought = FixedToken(tokens.access.clone());
        Ok(Connection::without_business(&self.sage, &bought).businesses().await?)
    }

    async fn consent(&self, binding: BindingId, member: MemberId) -> Result<Consent, ConnectError> {
        let plain = self.open_credential(binding, CredentialKind::SageConsent).await?;
        let consent = plain.and_then(|plain| serde_json::from_str::<Consent>(plain.expose_secret()).ok());
        consent
            .filter(|consent| consent.member == member && self.environment.now() < consent.ends_at)
            .ok_or(ConnectError::ConsentUsedUp)
    }

    /// Gives a consent up, whoever began it: what it has bought is revoked at Sage and deleted here.
    pub(crate) async fn give_up_consent(&self, binding: BindingId) -> Result<(), ConnectError> {
        let kind = CredentialKind::SageConsent;
        let Some(sealed) = self.store.credential(binding, kind).await? else { return Ok(()) };
        let associated = credentials::associated(binding, kind);
        let plain = self.keys.open(&sealed.envelope, &associated).map_err(CredentialError::from)?;
        if let Ok(consent) = serde_json::from_str::<Consent>(plain.expose_secret())
            && let Some(tokens) = consent.bought()
            && !self.may_be_the_connection(binding, &consent, sealed.updated_at).await?
        {
            self.revoke(binding, &tokens).await;
        }
        self.store.withdraw_credential(binding, kind, sealed.version).await?;
        Ok(())
    }

    /// A process that ended right after connecting has left the consent behind, with the tokens that the connection lives on.
    async fn may_be_the_connection(
        &self,
        binding: BindingId,
        consent: &Consent,
        chosen_at: DateTime<Utc>,
    ) -> Result<bool, ConnectError> {
        let tokens = self.store.credential(binding, CredentialKind::SageTokens).await?;
        Ok(consent.is_chosen && tokens.is_some_and(|tokens| tokens.updated_at >= chosen_at))
    }

    /// Gives up the consents that were begun and not ended: nobody can go on with them.
    pub(crate) async fn give_up_old_consents(&self) -> store::Result<()> {
        let last = self.environment.now() - PATIENCE;
        let mut after = None;
        loop {
            let page = self.store.page_credentials(after, PAGE).await?;
            let old = page.iter().filter(|credential| {
                credential.kind == CredentialKind::SageConsent && credential.sealed.updated_at < last
            });
            for SealedCredential { binding, .. } in old {
                if let Err(problem) = self.give_up_consent(*binding).await {
                    tracing::warn!(%binding, error = %problem, "an abandoned consent could not be given up");
                }
            }
            let Some(newest) = page.last().filter(|_| page.len() == PAGE as usize) else { return Ok(()) };
            after = Some((newest.binding, newest.kind));
        }
    }

    async fn keep_consent(
        &self,
        binding: BindingId,
        consent: &Consent,
        action: Option<&Action>,
    ) -> Result<(), ConnectError> {
        let plain =
            serde_json::to_string(consent).map_err(|error| ConnectError::Credential(error.to_string()))?;
        self.put_credential(binding, CredentialKind::SageConsent, &plain.into(), action).await
    }
}

/// The binding that a state was made for.
pub fn binding_of_state(state: &str) -> Option<BindingId> {
    state.split_once('.').and_then(|(binding, _)| binding.parse().ok())
}

/// Compares without telling by the time it takes how much is right.
fn same(left: &str, right: &str) -> bool {
    use sha2::{Digest, Sha256};
    Sha256::digest(left.as_bytes()) == Sha256::digest(right.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_names_its_binding_and_nothing_else_is_one() {
        let id = "0190b5a4-7c3e-7000-8000-000000000001";
        assert_eq!(binding_of_state(&format!("{id}.00ff")).map(|id| id.to_string()).as_deref(), Some(id));
        for bad in ["", "x", "x.y", id] {
            assert_eq!(binding_of_state(bad), None, "{bad}");
        }
    }
}
