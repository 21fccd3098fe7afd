//! What is known of a document before it is planned: its records in Sage, and what Sage was asked for.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{
    business::ReferenceSet,
    contact_snapshot::ContactSnapshot,
    documents::Customer,
    ids::BindingId,
    settings::{FIRST_DOCUMENTS, SafeMode, Settings},
    xref::{XrefKey, XrefKind},
};
use posting::{Context, Generations, KnownRecord, contact_snapshot};
use store::{Answer, Intent, NewXref};

use super::{disposition::AttemptError, log::AttemptLog, work::Work};

/// What is known of a document before it is planned.
pub struct Known {
    /// What is in Sage.
    pub xrefs: BTreeMap<XrefKey, KnownRecord>,
    /// What Magento told of the contacts' customer when they were written last.
    pub told: BTreeMap<XrefKey, ContactSnapshot>,
    /// What Magento tells of the customer now, where the document speaks for the customer.
    pub customer: Option<ContactSnapshot>,
    /// What Sage was asked for.
    pub intents: BTreeMap<XrefKey, Intent>,
    generations: Generations,
    safe_mode: bool,
}

impl Known {
    /// Looks the keys up: in the store, and in what this attempt has made so far.
    pub async fn of(work: &Work<'_>, log: &mut AttemptLog, keys: &[XrefKey]) -> Result<Self, AttemptError> {
        let (store, binding, business) = (&work.engine.store, work.binding.id, &work.business.id);
        let (mut xrefs, mut told) = (BTreeMap::new(), BTreeMap::new());
        for xref in store.xrefs(binding, business, keys).await? {
            told.extend(xref.told.map(|told| (xref.key.clone(), told)));
            let record = KnownRecord { sage_id: xref.sage_id, displayed_as: xref.displayed_as };
            xrefs.insert(xref.key, record);
        }
        let intents = store.intents(binding, business, keys).await?;
        log.xrefs.extend(settled(&intents, &xrefs, business));
        for xref in log.xrefs.iter().filter(|xref| keys.contains(&xref.key)) {
            let record =
                KnownRecord { sage_id: xref.sage_id.clone(), displayed_as: xref.displayed_as.clone() };
            xrefs.insert(xref.key.clone(), record);
        }
        let generations = intents.iter().map(|(key, intent)| (key.clone(), intent.generation)).collect();
        Ok(Self { xrefs, told, customer: None, intents, generations, safe_mode: safe_mode(work).await? })
    }

    /// The same, with a document that speaks for this customer.
    #[must_use]
    pub fn with_customer(self, work: &Work<'_>, customer: &Customer) -> Self {
        let context = self.context(work.binding.id, &work.business.id, &work.settings, &work.reference);
        Self { customer: contact_snapshot(customer, &context), ..self }
    }

    /// The record of this kind, where there is one.
    pub fn record(&self, kind: XrefKind) -> Option<&KnownRecord> {
        self.xrefs.iter().find(|(key, _)| key.kind == kind).map(|(_, record)| record)
    }

    /// The key of this kind of a record that Sage was asked for and has or may have.
    pub fn begun(&self, kind: XrefKind) -> Option<&XrefKey> {
        let is_begun = |(key, intent): &(&XrefKey, &Intent)| key.kind == kind && intent.may_be_made();
        self.intents.iter().find(is_begun).map(|(key, _)| key)
    }

    /// When Sage was first asked for the record of this kind, where that is known.
    pub fn made_at(&self, kind: XrefKind) -> Option<DateTime<Utc>> {
        let asked = self.intents.iter().find(|(key, intent)| key.kind == kind && intent.may_be_made());
        asked.map(|(_, intent)| intent.first_sent_at)
    }

    /// What a translation depends on besides the document.
    pub fn context<'a>(
        &'a self,
        binding: BindingId,
        business: &'a str,
        settings: &'a Settings,
        reference: &'a ReferenceSet,
    ) -> Context<'a> {
        Context {
            binding,
            business,
            settings,
            reference,
            xrefs: &self.xrefs,
            generations: &self.generations,
            safe_mode: self.safe_mode,
        }
    }
}

/// What settles a credit note and was made by an attempt that did not live to say so: it has no sums to compare and is no draft, so that
/// it is known as soon as Sage has answered. The plan counts with it.
fn settled(
    intents: &BTreeMap<XrefKey, Intent>,
    xrefs: &BTreeMap<XrefKey, KnownRecord>,
    business: &str,
) -> Vec<NewXref> {
    let is_settlement = |key: &XrefKey| matches!(key.kind, XrefKind::Allocation | XrefKind::Refund);
    let unknown = intents.iter().filter(|(key, _)| is_settlement(key) && !xrefs.contains_key(*key));
    let answered = unknown.filter_map(|(key, intent)| Some((key, intent.answer()?)));
    let xref = |(key, answer): (&XrefKey, &Answer)| NewXref {
        key: key.clone(),
        business_id: business.to_owned(),
        sage_id: answer.sage_id.clone(),
        displayed_as: answer.displayed_as.clone(),
    };
    answered.map(xref).collect()
}

async fn safe_mode(work: &Work<'_>) -> Result<bool, AttemptError> {
    Ok(match work.settings.safe_mode {
        SafeMode::Always => true,
        SafeMode::Never => false,
        SafeMode::FirstDocuments => {
            let since = work.binding.trusted_since;
            work.engine.store.count_posted(work.binding.id, since).await? < FIRST_DOCUMENTS
        }
    })
}
