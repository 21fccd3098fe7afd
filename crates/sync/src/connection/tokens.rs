//! Sage's tokens out of the vault, refreshed ahead of their end by one refresher at a time, over tasks and processes.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{code::Code, environment::Environment, ids::BindingId, run::BindingStatus};
use sage::{TokenSource, Tokens};
use secrecy::{ExposeSecret, SecretString};
use store::{CredentialKind, Store};
use tokio::{sync::Mutex, time::sleep};
use vault::KeyRing;

use crate::{
    Engine,
    connection::credentials::{self, CredentialError},
};

/// A token is refreshed when it has less than this left.
const AHEAD: TimeDelta = TimeDelta::seconds(45);
/// How long a refresher that shows no sign of life is waited for.
const REFRESH_LEASE: TimeDelta = TimeDelta::seconds(30);
/// How often a refresher shows one: Sage may take longer to answer than the lease lasts.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// Between two looks at what another refresher has done.
const LOOK: Duration = Duration::from_millis(200);
/// Looks while another process refreshes: thirty seconds, as long as its lease can last.
const LOOKS: u32 = 150;
/// Looks after Sage has called the refresh token dead: whoever used it may be about to store its successor.
const LAST_LOOKS: u32 = 15;
/// Tries to store what Sage has given: it is given once.
const WRITES: u32 = 50;

fn source(error: impl std::error::Error + Send + Sync + 'static) -> sage::Error {
    sage::Error::TokenSource(Box::new(error))
}

/// The tokens of one binding's connection.
pub struct StoredTokens<'a> {
    engine: &'a Engine,
    binding: BindingId,
}

impl<'a> StoredTokens<'a> {
    /// The tokens of a binding.
    pub const fn new(engine: &'a Engine, binding: BindingId) -> Self {
        Self { engine, binding }
    }

    fn refresher(&self) -> Refresher {
        Refresher {
            store: Arc::clone(&self.engine.store),
            keys: Arc::clone(&self.engine.keys),
            sage: self.engine.sage.clone(),
            environment: Arc::clone(&self.engine.environment),
            binding: self.binding,
        }
    }

    /// Refreshes unless somebody else has done so since `stale` was read.
    async fn refresh(&self, stale: &SecretString) -> Result<SecretString, sage::Error> {
        let gate = {
            let mut refreshing = self.engine.refreshing.lock().await;
            Arc::clone(refreshing.entry(self.binding).or_insert_with(|| Arc::new(Mutex::new(()))))
        };
        let (refresher, stale) = (self.refresher(), stale.clone());
        // A task of its own: a browser that hangs up, or a time-out, must not fall between Sage's answer and the store.
        let refreshing = tokio::spawn(async move {
            let _one_in_this_process = gate.lock_owned().await;
            refresher.refresh(&stale).await
        });
        refreshing.await.map_err(source)?
    }
}

#[async_trait]
impl TokenSource for StoredTokens<'_> {
    async fn access_token(&self) -> Result<SecretString, sage::Error> {
        let (tokens, _) = self.refresher().load().await?;
        if tokens.is_fresh(self.engine.environment.now(), AHEAD) {
            return Ok(tokens.access);
        }
        self.refresh(&tokens.access).await
    }

    async fn refresh_after_401(&self, stale: &SecretString) -> Result<SecretString, sage::Error> {
        self.refresh(stale).await
    }
}

/// What a refresh needs, owned, so that it outlives whoever asked for it.
struct Refresher {
    store: Arc<dyn Store>,
    keys: Arc<KeyRing>,
    sage: sage::Client,
    environment: Arc<dyn Environment>,
    binding: BindingId,
}

impl Refresher {
    async fn load(&self) -> Result<(Tokens, i64), sage::Error> {
        let opened =
            credentials::open(self.store.as_ref(), &self.keys, self.binding, CredentialKind::SageTokens)
                .await;
        let (plain, version) = opened
            .map_err(source)?
            .ok_or_else(|| sage::Error::Reauthorise { reason: "there are no tokens".to_owned() })?;
        let tokens = Tokens::from_json(&plain)
            .ok_or_else(|| sage::Error::TokenSource("the stored tokens cannot be read".into()))?;
        Ok((tokens, version))
    }

    /// Waits for the lease, or for what its holder stores meanwhile.
    async fn refresh(&self, stale: &SecretString) -> Result<SecretString, sage::Error> {
        let lease = RefreshLease {
            store: self.store.as_ref(),
            environment: self.environment.as_ref(),
            name: format!("sage-refresh:{}", self.binding),
            holder: self.environment.uuid_v4().to_string(),
        };
        for _ in 0..LOOKS {
            if let Some(newer) = self.newer_than(stale).await? {
                return Ok(newer);
            }
            if lease.take().await.map_err(source)? {
                let refreshed = lease.held_during(self.refresh_as_holder(stale)).await;
                lease.give_back().await;
                return refreshed;
            }
            sleep(LOOK).await;
        }
        Err(sage::Error::TokenSource(
            "another process has been refreshing the connection for too long".into(),
        ))
    }

    /// The access token that is stored, where it is another one than `stale`.
    async fn newer_than(&self, stale: &SecretString) -> Result<Option<SecretString>, sage::Error> {
        let (tokens, _) = self.load().await?;
        Ok((tokens.access.expose_secret() != stale.expose_secret()).then_some(tokens.access))
    }

    async fn refresh_as_holder(&self, stale: &SecretString) -> Result<SecretString, sage::Error> {
        // Read under the lease: its last holder may have stored newer ones just before.
        let (tokens, version) = self.load().await?;
        if tokens.access.expose_secret() != stale.expose_secret() {
            return Ok(tokens.access);
        }
        let refreshed = self.sage.refresh(&tokens.refresh).await;
        metrics::refresh(match &refreshed {
            Ok(_) => "refreshed",
            Err(sage::Error::Reauthorise { .. }) => "refused",
            Err(_) => "failed",
        });
        match refreshed {
            Ok(fresh) => self.keep(&fresh, stale, version).await,
            Err(dead @ sage::Error::Reauthorise { .. }) => {
                // A holder that lost its lease by silence may still have been the first: its tokens are the connection.
                for _ in 0..LAST_LOOKS {
                    if let Some(newer) = self.newer_than(stale).await? {
                        return Ok(newer);
                    }
                    sleep(LOOK).await;
                }
                Err(dead)
            }
            Err(error) => Err(error),
        }
    }

    /// Stores the rotated tokens before they are used: the old refresh token is dead. Sage gives them once, so a store that is busy is
    /// asked again, and a version that moved on because the keys are being rotated is read again.
    async fn keep(
        &self,
        fresh: &Tokens,
        stale: &SecretString,
        mut version: i64,
    ) -> Result<SecretString, sage::Error> {
        let which = (self.binding, CredentialKind::SageTokens);
        let plain = fresh.to_json();
        let (store, environment) = (self.store.as_ref(), self.environment.as_ref());
        let mut tries = 1;
        loop {
            match credentials::put(store, &self.keys, environment, which, (&plain, version), None).await {
                Ok(_) => {
                    self.connected_again().await;
                    return Ok(fresh.access.clone());
                }
                Err(CredentialError::Store(store::Error::RowsAffected { .. })) => {
                    let (tokens, current) = match self.load().await {
                        // Disconnected meanwhile: what nobody knows of must not live on at Sage.
                        Err(gone @ sage::Error::Reauthorise { .. }) => {
                            self.revoke(fresh).await;
                            return Err(gone);
                        }
                        other => other?,
                    };
                    if tokens.access.expose_secret() != stale.expose_secret() {
                        return Ok(tokens.access);
                    }
                    version = current;
                }
                Err(CredentialError::Store(store::Error::Unavailable(problem))) if tries < WRITES => {
                    tracing::warn!(binding = %self.binding, error = %problem, "Sage's new tokens wait for the store");
                    sleep(LOOK).await;
                }
                Err(problem) => return Err(source(problem)),
            }
            tries += 1;
        }
    }

    /// Who waited for these tokens may have taken the connection for dead.
    async fn connected_again(&self) {
        if let Err(problem) = connected_again(self.store.as_ref(), self.binding, self.environment.now()).await
        {
            tracing::warn!(binding = %self.binding, error = %problem, "the binding could not be marked as connected again");
        }
    }

    async fn revoke(&self, tokens: &Tokens) {
        if let Err(problem) = self.sage.revoke(&tokens.refresh).await {
            tracing::warn!(binding = %self.binding, error = %problem, "tokens of a connection that has ended were not revoked");
        }
    }
}

/// Lets a binding work again that was stopped because Sage refused it, now that Sage has taken its tokens after all.
pub async fn connected_again(store: &dyn Store, binding: BindingId, now: DateTime<Utc>) -> store::Result<()> {
    if store.refusal(binding).await? == Some(Code::SageAuth) {
        let (refused, works) = (BindingStatus::NeedsReauth, BindingStatus::Active);
        store.change_binding_status(binding, refused, works, now, None).await?;
    }
    Ok(())
}

/// The lease of a connection's one refresher over all processes.
struct RefreshLease<'a> {
    store: &'a dyn Store,
    environment: &'a dyn Environment,
    name: String,
    holder: String,
}

impl RefreshLease<'_> {
    /// Takes it, or goes on holding it.
    async fn take(&self) -> store::Result<bool> {
        let now = self.environment.now();
        self.store.acquire_lease(&self.name, &self.holder, now, now + REFRESH_LEASE).await
    }

    /// Works, and shows signs of life meanwhile.
    async fn held_during<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = sleep(SIGN_OF_LIFE) => {
                    if let Err(problem) = self.take().await {
                        tracing::warn!(error = %problem, "a refresh lease could not be extended");
                    }
                }
            }
        }
    }

    async fn give_back(&self) {
        if let Err(problem) = self.store.release_lease(&self.name, &self.holder).await {
            tracing::warn!(error = %problem, "a refresh lease could not be given back; it runs out by itself");
        }
    }
}
