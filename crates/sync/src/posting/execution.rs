//! A plan being performed, and what each of its steps needs: what is known, what is kept, what Sage shows.

use domain::{
    contact_snapshot::ContactSnapshot,
    plan::{Adopt, Call},
    run::EventName,
    xref::{XrefKey, XrefKind},
};
use posting::KnownRecord;
use sage::Connection;
use serde_json::Value;
use store::{Answer, Intent, IntentKey, NewXref};

use super::body::AnsweredIds;
use crate::{
    attempt::{
        audit_trail::{recorded, step},
        disposition::AttemptError,
        known::Known,
        log::AttemptLog,
        work::Work,
    },
    connection::tokens::StoredTokens,
};

/// A plan being performed.
pub struct PlanExecution<'a> {
    /// The run's work.
    pub work: &'a Work<'a>,
    /// The connection to its Sage business.
    pub sage: Connection<'a>,
    /// What is known of its documents.
    pub known: &'a Known,
    /// Ids of the answers so far.
    pub ids: AnsweredIds,
}

impl<'a> PlanExecution<'a> {
    /// A performance that has made nothing yet.
    pub fn new(work: &'a Work<'a>, tokens: &'a StoredTokens<'a>, known: &'a Known) -> Self {
        let sage = Connection::new(&work.engine.sage, &work.business.id, tokens);
        Self { work, sage, known, ids: AnsweredIds::default() }
    }
}

/// Whether a record of this kind is what the run's event is about, and not only what it needs on its way.
pub fn is_of_run(event: EventName, kind: XrefKind) -> bool {
    match event {
        EventName::InvoiceCreated | EventName::InvoicePaid | EventName::CreditmemoCreated => {
            XrefKind::made_by(event) == Some(kind)
        }
        EventName::CustomerUpserted => matches!(kind, XrefKind::Contact(_)),
        EventName::ProductUpserted => {
            matches!(kind, XrefKind::Product | XrefKind::Service | XrefKind::StockItem)
        }
    }
}

impl PlanExecution<'_> {
    pub fn key(&self, xref: &XrefKey) -> IntentKey {
        let (binding_id, business_id) = (self.work.binding.id, self.work.business.id.clone());
        IntentKey { binding_id, business_id, xref: xref.clone() }
    }

    /// What Magento has told of a customer once this contact of theirs is written.
    pub fn told(&self, xref: &XrefKey) -> Option<ContactSnapshot> {
        let told = self.known.customer.as_ref().filter(|_| matches!(xref.kind, XrefKind::Contact(_)))?;
        Some(told.over(self.known.told.get(xref)))
    }

    /// The key of the known contact that has this id in Sage.
    pub fn known_contact(&self, sage_id: &str) -> Option<XrefKey> {
        let is_contact =
            |key: &XrefKey| matches!(key.kind, XrefKind::Contact(_) | XrefKind::ContactFallback(_));
        let mut known = self.known.xrefs.iter();
        let found = known.find(|(key, record)| is_contact(key) && record.sage_id == sage_id);
        found.map(|(key, _)| key.clone())
    }

    /// The intent of a key as it is kept.
    pub async fn intent(&self, key: &IntentKey) -> Result<Option<Intent>, AttemptError> {
        let keys = std::slice::from_ref(&key.xref);
        let store = &self.work.engine.store;
        Ok(store.intents(key.binding_id, &key.business_id, keys).await?.remove(&key.xref))
    }

    /// Notes the answer, together with the calls that brought it: a trail written later would die with the worker.
    pub async fn answered(
        &self,
        log: &mut AttemptLog,
        key: &IntentKey,
        answer: &Answer,
        told: Option<&ContactSnapshot>,
    ) -> Result<(), AttemptError> {
        let (store, now) = (&self.work.engine.store, self.work.engine.environment.now());
        store.answer_intent(self.work.fence(), key, answer, told, &log.steps, now).await?;
        log.steps.clear();
        Ok(())
    }

    /// Notes the refusal, together with the calls that led to it.
    pub async fn refuse(&self, log: &mut AttemptLog, key: &IntentKey) -> Result<(), AttemptError> {
        let (store, now) = (&self.work.engine.store, self.work.engine.environment.now());
        store.refuse_intent(self.work.fence(), key, &log.steps, now).await?;
        log.steps.clear();
        Ok(())
    }

    /// Notes what is in Sage: its cross-reference, and what people see of the run's own document.
    pub fn note(&self, log: &mut AttemptLog, xref: &XrefKey, answer: &Answer) {
        log.xrefs.push(NewXref {
            key: xref.clone(),
            business_id: self.work.business.id.clone(),
            sage_id: answer.sage_id.clone(),
            displayed_as: answer.displayed_as.clone(),
        });
        if xref.kind == XrefKind::Invoice {
            log.invoice_record = Some(KnownRecord {
                sage_id: answer.sage_id.clone(),
                displayed_as: answer.displayed_as.clone(),
            });
        }
        self.show(log, xref, answer);
    }

    /// Shows what people see of the run's own document.
    pub fn show(&self, log: &mut AttemptLog, xref: &XrefKey, answer: &Answer) {
        if !is_of_run(self.work.claimed.run.event, xref.kind) {
            return;
        }
        log.facts.sage_id = Some(answer.sage_id.clone());
        log.facts.sage_reference.clone_from(&answer.displayed_as);
        if answer.total_minor.is_some() {
            log.facts.sage_amount_minor = answer.total_minor;
            log.facts.sage_tax_minor = answer.tax_minor;
        }
    }

    /// What Sage shows of a record that was made; none when it is gone.
    pub async fn look_at(
        &self,
        log: &mut AttemptLog,
        call: &Call,
        sage_id: &str,
    ) -> Result<Option<Value>, AttemptError> {
        let path = format!("{}/{sage_id}", call.path);
        // Without it a plain read would flag the document as sent.
        let unsent = [("mark_as_sent", "false")];
        let query: &[(&str, &str)] =
            if matches!(call.adopt, Some(Adopt::Document { .. })) { &unsent } else { &[] };
        self.read(log, &call.name, &path, query).await
    }

    /// Reads a record of Sage's; none when Sage does not find it.
    pub async fn read(
        &self,
        log: &mut AttemptLog,
        name: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Option<Value>, AttemptError> {
        let begun = self.work.engine.environment.now();
        let answered = self.sage.get(path, query).await;
        match recorded(log, step(name, "GET", path, begun), answered) {
            Ok(answer) => Ok(Some(answer.body)),
            Err(sage::Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
