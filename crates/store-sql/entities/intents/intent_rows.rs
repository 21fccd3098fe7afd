//! The rows of intents, as they are read.

use domain::{
    ids::BindingId,
    xref::{XrefKey, XrefKind},
};
use store::{Answer, Error, Intent, IntentKey, IntentState, Request, Result, SealedIntent};
use store_sql::{Count, Id, Instant, Word};

use crate::entities::rows::Record;

#[derive(sqlx::FromRow)]
pub(super) struct IntentRow {
    kind: Word<XrefKind>,
    magento_key: String,
    generation: Count,
    state: String,
    idempotency_id: String,
    body_digest: String,
    reference: Option<String>,
    contact_id: Option<String>,
    sealed_call: Option<String>,
    first_sent_at: Instant,
    unanswered_at: Option<Instant>,
    withdrawn: bool,
    sage_id: Option<String>,
    displayed_as: Option<String>,
    total_minor: Option<i64>,
    tax_minor: Option<i64>,
}

impl Record for IntentRow {
    type Value = (XrefKey, Intent);
    const TABLE: &'static str = "intents";
    const KEY: &'static str = "magento_key";

    fn value(self) -> Result<Self::Value> {
        let state = match (self.state.as_str(), self.sage_id) {
            ("answered", Some(sage_id)) => IntentState::Answered(Answer {
                sage_id,
                displayed_as: self.displayed_as,
                total_minor: self.total_minor,
                tax_minor: self.tax_minor,
            }),
            ("open", None) => IntentState::Open,
            ("refused", None) => IntentState::Refused,
            _ => {
                return Err(Error::Inconsistency {
                    table: Self::TABLE,
                    column: "state".to_owned(),
                    row: self.magento_key,
                    source: "it does not fit the answer".into(),
                });
            }
        };
        let intent = Intent {
            generation: self.generation.0,
            request: Request {
                idempotency_id: self.idempotency_id,
                body_digest: self.body_digest,
                reference: self.reference,
                contact_id: self.contact_id,
                sealed_call: self.sealed_call,
            },
            first_sent_at: self.first_sent_at.0,
            unanswered_at: self.unanswered_at.map(|at| at.0),
            is_withdrawn: self.withdrawn,
            state,
        };
        Ok((XrefKey { kind: self.kind.0, magento_key: self.magento_key }, intent))
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct KeyRow {
    kind: Word<XrefKind>,
    magento_key: String,
}

impl Record for KeyRow {
    type Value = XrefKey;
    const TABLE: &'static str = "intents";
    const KEY: &'static str = "magento_key";

    fn value(self) -> Result<XrefKey> {
        Ok(XrefKey { kind: self.kind.0, magento_key: self.magento_key })
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct SealedCallRow {
    binding_id: Id<BindingId>,
    business_id: String,
    kind: Word<XrefKind>,
    magento_key: String,
    sealed_call: String,
}

impl Record for SealedCallRow {
    type Value = SealedIntent;
    const TABLE: &'static str = "intents";
    const KEY: &'static str = "magento_key";

    fn value(self) -> Result<SealedIntent> {
        let xref = XrefKey { kind: self.kind.0, magento_key: self.magento_key };
        let key = IntentKey { binding_id: self.binding_id.0, business_id: self.business_id, xref };
        Ok(SealedIntent { key, envelope: self.sealed_call })
    }
}
