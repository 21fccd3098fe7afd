//! Intents: what is about to be made in Sage, written before the call, and its answer after. They make a create happen once.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    contact_snapshot::ContactSnapshot,
    ids::BindingId,
    xref::{XrefKey, XrefKind},
};

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
    /// The whole call in an envelope of the vault: what may have reached Sage is sent again exactly so, whatever the settings say by
    /// then. None once the run has ended, and in intents of versions that did not keep it.
    pub sealed_call: Option<String>,
}

/// How far a create has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntentState {
    /// Its request is about to be sent, or its answer was not heard.
    Open,
    /// Sage has made the record.
    Answered(Answer),
    /// Sage refused it for good, or what it made was deleted: the next create has another idempotency id.
    Refused,
}

/// An intent as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// How often the record was refused: each create after that has an idempotency id of its own.
    pub generation: u32,
    /// What was sent first under this id. Reference and contact are none in intents of versions that did not keep them.
    pub request: Request,
    /// When it was sent first under this id.
    pub first_sent_at: DateTime<Utc>,
    /// When a request went out last that Sage may still carry out, because no definite answer to it was heard; none where every
    /// request was answered. Once the record is made this is an update, and the request's digest is the update's.
    pub unanswered_at: Option<DateTime<Utc>>,
    /// Whether its draft is being deleted: that Sage does not find it then means that the deletion has been done.
    pub is_withdrawn: bool,
    /// How far it has come.
    pub state: IntentState,
}

impl Intent {
    /// What Sage has made, where that is known.
    pub const fn answer(&self) -> Option<&Answer> {
        match &self.state {
            IntentState::Answered(answer) => Some(answer),
            IntentState::Open | IntentState::Refused => None,
        }
    }

    /// Whether the record is in Sage or may be: it was answered, or a request is unanswered.
    pub const fn may_be_made(&self) -> bool {
        match self.state {
            IntentState::Answered(_) => true,
            IntentState::Open => self.unanswered_at.is_some(),
            IntentState::Refused => false,
        }
    }
}

/// The sealed call of an intent, for the rotation of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedIntent {
    /// Which.
    pub key: IntentKey,
    /// The envelope.
    pub envelope: String,
}

/// Intents. All writes but [`Intents::reseal_intent`] name a fence and fail with [`crate::Error::RowsAffected`] when it is stale.
#[async_trait]
pub trait Intents {
    /// The last look before a request that changes something in Sage: whether the attempt still holds its run, and nobody else writes
    /// to the business.
    async fn may_write(&self, fence: Fence) -> Result<()>;

    /// Lets a create go out: the last look of [`Intents::may_write`], and the intent is open with this request, unanswered since `now`.
    /// Where it is open already, only the same request may be repeated, unless nothing that was sent under it may still land;
    /// [`crate::Error::RowsAffected`] otherwise, and when it is answered.
    async fn open_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        request: &Request,
        now: DateTime<Utc>,
    ) -> Result<()>;

    /// Lets an update of what an answered intent has made go out: the last look of [`Intents::may_write`], and the update with this body
    /// is unanswered since `now`. [`crate::Error::RowsAffected`] where the intent is not answered.
    async fn open_update(
        &self,
        fence: Fence,
        key: &IntentKey,
        body_digest: &str,
        now: DateTime<Utc>,
    ) -> Result<()>;

    /// Notes that the request which went out last is settled: what is unanswered is what was before it. The calls are kept as by
    /// [`Self::answer_intent`].
    async fn settle_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        unanswered_at: Option<DateTime<Utc>>,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()>;

    /// Notes the answer, and in the same transaction the calls that brought it and are not recorded yet, in their order: what
    /// was sent is in the trail of a worker that is killed right after.
    ///
    /// `told` is what Magento told of the customer whose contact this answer shows as written; without it, what was told before
    /// is kept. It is read with the record's cross-reference ([`crate::Xref::told`]).
    async fn answer_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        answer: &Answer,
        told: Option<&ContactSnapshot>,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()>;

    /// Notes that a record was found in Sage which this request would have made: the intent is answered without having been sent. The
    /// calls are kept as by [`Self::answer_intent`].
    async fn adopt_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        request: &Request,
        answer: &Answer,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()>;

    /// Notes that the draft which the intent made is about to be deleted. The calls are kept as by [`Self::answer_intent`].
    async fn withdraw_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()>;

    /// Notes that Sage refused the create for good, or that what it made was deleted: the generation grows by one, the
    /// answer and what was told with it are forgotten, and the next opening is new. The calls are kept as by [`Self::answer_intent`].
    async fn refuse_intent(
        &self,
        fence: Fence,
        key: &IntentKey,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()>;

    /// Forgets a record that somebody deleted in Sage: its cross-reference goes, and its intent is refused as by
    /// [`Self::refuse_intent`].
    async fn forget_record(
        &self,
        fence: Fence,
        key: &IntentKey,
        steps: &[Step],
        now: DateTime<Utc>,
    ) -> Result<()>;

    /// The keys of a kind, beginning with a text, whose create is open and unanswered.
    async fn unanswered_intents(
        &self,
        binding: BindingId,
        business: &str,
        kind: XrefKind,
        beginning: &str,
    ) -> Result<Vec<XrefKey>>;

    /// Those of the keys that have an intent.
    async fn intents(
        &self,
        binding: BindingId,
        business: &str,
        keys: &[XrefKey],
    ) -> Result<BTreeMap<XrefKey, Intent>>;

    /// Those of the ids of Sage that another key of the same binding and business holds, by a cross-reference or by an answered intent.
    async fn held_by_others(&self, key: &IntentKey, sage_ids: &[String]) -> Result<BTreeSet<String>>;

    /// The sealed calls behind a key, in one order; fewer than `limit` only at the end.
    async fn sealed_intents(&self, after: Option<&IntentKey>, limit: u32) -> Result<Vec<SealedIntent>>;

    /// Writes an envelope in place of the one that was read; [`crate::Error::RowsAffected`] when that is not there any more.
    async fn reseal_intent(&self, sealed: &SealedIntent, envelope: &str) -> Result<()>;
}
