//! Sage's tokens out of the vault, refreshed ahead of their end by one refresher at a time, over tasks and processes.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::ids::BindingId;
use sage::{TokenSource, Tokens};
use secrecy::{ExposeSecret, SecretString};
use store::CredentialKind;
use tokio::{sync::Mutex, time::sleep};

use crate::{Engine, credentials};

/// A token is refreshed when it has less than this left.
const AHEAD: TimeDelta = TimeDelta::seconds(45);
/// How long a refresher in another process is given.
const REFRESH_LEASE: TimeDelta = TimeDelta::seconds(30);

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

    async fn load(&self) -> Result<(Tokens, i64), sage::Error> {
        let kind = CredentialKind::SageTokens;
        let opened =
            credentials::open(self.engine.store.as_ref(), &self.engine.keys, self.binding, kind).await;
        let (plain, version) = opened
            .map_err(source)?
            .ok_or_else(|| sage::Error::Reauthorise { reason: "there are no tokens".to_owned() })?;
        let tokens = Tokens::from_json(&plain)
            .ok_or_else(|| sage::Error::TokenSource("the stored tokens cannot be read".into()))?;
        Ok((tokens, version))
    }

    /// Refreshes unless somebody else has done so since `stale` was read.
    async fn refresh(&self, stale: &SecretString) -> Result<SecretString, sage::Error> {
        let gate = {
            let mut refreshing = self.engine.refreshing.lock().await;
            Arc::clone(refreshing.entry(self.binding).or_insert_with(|| Arc::new(Mutex::new(()))))
        };
        let _one_in_this_process = gate.lock().await;
        let lease = format!("sage-refresh:{}", self.binding);
        let holder = self.engine.outside.uuid_v4().to_string();
        // Thirty seconds in all: as long as another process's lease can last.
        for _ in 0..150 {
            let (tokens, _) = self.load().await?;
            if tokens.access.expose_secret() != stale.expose_secret() {
                return Ok(tokens.access);
            }
            let now = self.engine.outside.now();
            let acquired = self.engine.store.acquire_lease(&lease, &holder, now, now + REFRESH_LEASE).await;
            if acquired.map_err(source)? {
                let refreshed = self.refresh_as_holder(stale).await;
                if let Err(problem) = self.engine.store.release_lease(&lease, &holder).await {
                    tracing::warn!(error = %problem, "a refresh lease could not be given back; it runs out by itself");
                }
                return refreshed;
            }
            sleep(Duration::from_millis(200)).await;
        }
        Err(sage::Error::TokenSource(
            "another process has been refreshing the connection for too long".into(),
        ))
    }

    /// The rotated refresh token is stored before the new access token is used: the old one is dead.
    async fn refresh_as_holder(&self, stale: &SecretString) -> Result<SecretString, sage::Error> {
        let (tokens, version) = self.load().await?;
        if tokens.access.expose_secret() != stale.expose_secret() {
            return Ok(tokens.access);
        }
        let fresh = self.engine.sage.refresh(&tokens.refresh).await?;
        let sealed = credentials::put(
            self.engine.store.as_ref(),
            &self.engine.keys,
            self.engine.outside.as_ref(),
            (self.binding, CredentialKind::SageTokens),
            &fresh.to_json(),
            version,
        )
        .await;
        sealed.map_err(source)?;
        Ok(fresh.access)
    }
}

#[async_trait]
impl TokenSource for StoredTokens<'_> {
    async fn access_token(&self) -> Result<SecretString, sage::Error> {
        let (tokens, _) = self.load().await?;
        if tokens.is_fresh(self.engine.outside.now(), AHEAD) {
            return Ok(tokens.access);
        }
        self.refresh(&tokens.access).await
    }

    async fn refresh_after_401(&self, stale: &SecretString) -> Result<SecretString, sage::Error> {
        self.refresh(stale).await
    }
}
