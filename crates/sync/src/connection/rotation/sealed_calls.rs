//! The calls of creates that are under way.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use messages::message;
use store::{IntentKey, SealedIntent, Store};

use super::{SealedRow, SealedRows};
use crate::posting::sealed_call;

/// The sealed calls of all intents.
pub(super) struct SealedCalls<'a>(pub(super) &'a dyn Store);

/// An intent.
#[derive(Clone)]
pub(super) struct CallPlace(IntentKey);

impl std::fmt::Display for CallPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&message!(sealed.request, record = self.0.xref.kind, id = self.0.binding_id))
    }
}

impl From<SealedIntent> for SealedRow<CallPlace> {
    fn from(SealedIntent { key, envelope }: SealedIntent) -> Self {
        // The envelope itself tells whether the row has moved on.
        Self { associated: sealed_call::associated(&key), place: CallPlace(key), envelope, version: 0 }
    }
}

#[async_trait]
impl SealedRows for SealedCalls<'_> {
    type Place = CallPlace;

    async fn page(&self, after: Option<&CallPlace>, limit: u32) -> store::Result<Vec<SealedRow<CallPlace>>> {
        let page = self.0.sealed_intents(after.map(|CallPlace(key)| key), limit).await?;
        Ok(page.into_iter().map(SealedRow::from).collect())
    }

    async fn again(&self, CallPlace(key): &CallPlace) -> store::Result<Option<SealedRow<CallPlace>>> {
        let keys = std::slice::from_ref(&key.xref);
        let intent = self.0.intents(key.binding_id, &key.business_id, keys).await?.remove(&key.xref);
        let envelope = intent.and_then(|intent| intent.request.sealed_call);
        Ok(envelope.map(|envelope| SealedIntent { key: key.clone(), envelope }.into()))
    }

    async fn replace(
        &self,
        row: &SealedRow<CallPlace>,
        envelope: &str,
        _now: DateTime<Utc>,
    ) -> store::Result<()> {
        let sealed = SealedIntent { key: row.place.0.clone(), envelope: row.envelope.clone() };
        self.0.reseal_intent(&sealed, envelope).await
    }
}
