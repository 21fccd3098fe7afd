//! Intents: what is about to be made in Sage, written before the call, and its answer after. They make a create happen once.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{ids::BindingId, translate::Told, xref::XrefKey};

use crate::{Fence, Result, Step};

/// Names an intent: one record of one Sage business, from one binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntentKey {
    /// Whose.
    pub binding_id: BindingId,
    /// The Sage business.
    pub business_id: String,
    /// What.
    pub xref: XrefKey,
}

/// What Sage answered to a create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Sage's id.
    pub sage_id: String,
    /// What people see, such as `SI-27`.
    pub displayed_as: Option<String>,
    /// Total in minor units of two decimals, where the record has one.
    pub total_minor: Option<i64>,
    /// Tax in minor units of two decimals, where the record has one.
    pub tax_minor: Option<i64>,
}

/// The create that an intent stands for, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its idempotency id.
    pub idempotency_id: String,
    /// SHA-256 of its body, in hex.
    pub body_digest: String,
    /// The reference that the record will bear, where it has one.
    pub reference: Option<String>,
    /// Sage's id of the contact that the record is for, where it is for one.
    pub contact_id: Option<String>,
}

/// An intent as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// How often the record was refused and made anew.
    pub generation: u32,
    /// What was sent first under this id. Reference and contact are none in intents of versions that did not keep them.
    pub request: Request,
    /// When it was sent first under this id.
    pub first_sent_at: DateTime<Utc>,
    /// Whether this very call opened it, so that nothing can have been sent before.
    pub is_new: bool,
    /// The answer, once there is one.
    pub answer: Option<Answer>,
}

/// Intents.
#[async_trait]
pub trait Intents {
    /// Opens an intent before its call. When one is open or answered already it is returned as it stands, with `is_new` false;
    /// a refused one is opened anew with the request and time handed in and the generation it has reached.
    async fn open_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        request: &Request,
        now: DateTime<Utc>,
    ) -> Result<Intent>;

    /// Notes the answer, and in the same transaction the calls that brought it and are not recorded yet, in their order: what
    /// was sent is in the trail of a worker that is killed right after. None when it was known without a call.
    ///
    /// `told` is what Magento told of the customer whose contact this answer shows as written; without it, what was told before
    /// is kept. It is read with the record's cross-reference ([`crate::Xref::told`]).
    async fn answer_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        answer: &Answer,
        told: Option<&Told>,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()>;

    /// Notes that Sage refused the create for good, or that what it made was taken back: the generation grows by one, the
    /// answer and what was told with it are forgotten, and the next opening is new. The calls are kept as by [`Self::answer_intent`].
    async fn refuse_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()>;

    /// The generations of those of a binding's records that were ever refused.
    async fn generations(
        &self,
        binding: BindingId,
        business: &str,
        keys: &[XrefKey],
    ) -> Result<BTreeMap<XrefKey, u32>>;
}
