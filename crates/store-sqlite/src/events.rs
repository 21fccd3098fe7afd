//! What arrives from Magento, and the tokens that it brings: written in company.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::BindingId;
use store::{Events, NewEvent, Received, Result, SeenTokens};

use crate::{entities::tokens, sqlite::SqliteStore};

#[async_trait]
impl Events for SqliteStore {
    async fn receive(&self, event: &NewEvent) -> Result<Received> {
        self.group_commit.receive(event.clone()).await
    }
}

#[async_trait]
impl SeenTokens for SqliteStore {
    async fn use_token(&self, binding: BindingId, token_id: &str, expires_at: DateTime<Utc>) -> Result<bool> {
        self.group_commit.use_token(binding, token_id.to_owned(), expires_at).await
    }

    async fn purge_tokens(&self, now: DateTime<Utc>) -> Result<u64> {
        Ok(self.execute(|| tokens::purge(now)).await?)
    }
}
