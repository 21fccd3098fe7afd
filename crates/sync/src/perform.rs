//! Performs a Plan: call by call, outside any transaction, each intent stored before its call and each answer after it.

use domain::{
    code::Code,
    contact_snapshot::ContactSnapshot,
    money,
    plan::{Adopt, Call, Method, Plan},
    run::EventName,
    xref::{XrefKey, XrefKind},
};
use posting::KnownRecord;
use sage::{Class, Connection};
use serde_json::Value;
use store::{Answer, Intent, IntentKey, IntentState, NewXref};

use crate::{
    adopt,
    body::{self, Ids},
    create::{self, Made, Origin},
    decide::{Course, Stop},
    process::{Gathered, Known, Work},
    sealed_call,
    sums::difference,
    tokens::StoredTokens,
    trail::{recorded, step},
    write::{LastLook, Outgoing},
};

/// A plan being performed.
pub struct Performance<'a> {
    /// The run's work.
    pub work: &'a Work<'a>,
    /// The connection to its Sage business.
    pub sage: Connection<'a>,
    /// What is known of its documents.
    known: &'a Known,
    /// Ids of the answers so far.
    pub(crate) ids: Ids,
}

impl<'a> Performance<'a> {
    /// A performance that has made nothing yet.
    pub fn new(work: &'a Work<'a>, tokens: &'a StoredTokens<'a>, known: &'a Known) -> Self {
        let sage = Connection::new(&work.engine.sage, &work.business.id, tokens);
        Self { work, sage, known, ids: Ids::default() }
    }
}

/// Performs a plan's calls; what was made is in `gathered` also when a later call fails.
pub async fn perform(
    work: &Work<'_>,
    gathered: &mut Gathered,
    plan: &Plan,
    known: &Known,
) -> Result<(), Stop> {
    let tokens = StoredTokens::new(work.engine, work.binding.id);
    let mut performance = Performance::new(work, &tokens, known);
    if let Some(predicted) = &plan.predicted {
        gathered.facts.sage_amount_minor = money::to_minor(predicted.total);
        gathered.facts.sage_tax_minor = money::to_minor(predicted.tax);
    }
    already_there(work, gathered, known);
    let mut calls = plan.calls.iter().peekable();
    while let Some(call) = calls.next() {
        let release = calls.next_if(|next| next.releases_draft);
        match call.method {
            Method::Post => performance.make(gathered, call, release).await?,
            Method::Put | Method::Delete => performance.change(gathered, call).await?,
        }
    }
    Ok(())
}

/// Finishes the create of a key that an earlier attempt began, as it was begun: whatever the settings say by now, Sage has the record
/// or may have it. Nothing to do where none was begun, or its call was not kept. What Sage refuses for good is left to the plan.
pub async fn finish_begun(
    work: &Work<'_>,
    gathered: &mut Gathered,
    key: &XrefKey,
    known: &Known,
) -> Result<bool, Stop> {
    let tokens = StoredTokens::new(work.engine, work.binding.id);
    let mut performance = Performance::new(work, &tokens, known);
    let key = performance.key(key);
    let begun = performance.intent(&key).await?.filter(Intent::may_be_made);
    let Some(call) = begun.and_then(|intent| sealed_call::open(work.engine, &key, &intent)) else {
        return Ok(false);
    };
    match performance.make(gathered, &call, None).await {
        Ok(()) => Ok(true),
        Err(stop) if matches!(stop.code, Code::SageValidation | Code::SageNotFound) => Ok(false),
        Err(stop) => Err(stop),
    }
}

/// What Sage holds of the run's document already is shown; what the plan makes takes its place.
fn already_there(work: &Work<'_>, gathered: &mut Gathered, known: &Known) {
    if let Some((_, record)) = known.xrefs.iter().find(|(key, _)| is_of_run(work.claimed.run.event, key.kind))
    {
        gathered.facts.sage_id = Some(record.sage_id.clone());
        gathered.facts.sage_reference.clone_from(&record.displayed_as);
    }
}

/// Whether a record of this kind is what the run's event is about, and not only what it needs on its way.
fn is_of_run(event: EventName, kind: XrefKind) -> bool {
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

impl Performance<'_> {
    /// Makes a record, compares its sums, and releases it where it was made as a draft.
    async fn make(
        &mut self,
        gathered: &mut Gathered,
        call: &Call,
        release: Option<&Call>,
    ) -> Result<(), Stop> {
        let Some(xref) = &call.xref else {
            return Err(Stop::new(Code::Internal, format!("the plan's call {:?} makes nothing", call.name)));
        };
        let key = self.key(xref);
        let mut made = self.create(gathered, call, &key).await?;
        self.ids.note(&call.name, &made.answer.sage_id);
        let expected = call.expect.as_ref();
        if let Some(sums) = expected.and_then(|expect| difference(expect, &made.answer, made.base_total)) {
            return Err(self.refuse_sums(gathered, call, &key, &made, release.is_some(), sums).await?);
        }
        match release {
            Some(release) => {
                let path = self.ids.fill_text(&release.path);
                made.answer = self.release(gathered, call, &path, &key, &made).await?;
            }
            // What an earlier attempt sent may have been a draft, whatever today's plan says.
            None if made.origin != Origin::Fresh
                && matches!(xref.kind, XrefKind::Invoice | XrefKind::Creditmemo) =>
            {
                let path = format!("{}/{}/release", call.path, made.answer.sage_id);
                made.answer = self.release(gathered, call, &path, &key, &made).await?;
            }
            None => {}
        }
        self.note(gathered, &key.xref, &made.answer);
        // It may say something else than Magento does: a new plan knows it, and brings it up to date.
        let is_updated = matches!(call.adopt, Some(Adopt::Contact { .. } | Adopt::Item { .. }));
        if made.origin == Origin::Adopted && is_updated {
            return Err(Stop { course: Course::PlanAgain, ..Stop::plain(Code::Internal) });
        }
        Ok(())
    }

    /// Sage shows other sums than Magento: a draft is taken back, and what is in the books is shown. It gets no cross-reference, so
    /// that the next try looks at it again instead of taking it for done.
    async fn refuse_sums(
        &self,
        gathered: &mut Gathered,
        call: &Call,
        key: &IntentKey,
        made: &Made,
        is_made_as_draft: bool,
        sums: String,
    ) -> Result<Stop, Stop> {
        let is_draft = if made.origin == Origin::Fresh {
            is_made_as_draft
        } else {
            self.released_already(gathered, call, made).await?.is_none()
        };
        if is_draft {
            self.take_back_draft(gathered, call, key, &made.answer).await?;
            return Ok(Stop::new(Code::TotalsMismatch, sums));
        }
        self.show(gathered, &key.xref, &made.answer);
        Ok(Stop::new(Code::TotalsMismatchAfterPost, sums))
    }

    /// Changes a record that is there; a repeat does no harm. What Sage refuses for good stops the run only where the record is what
    /// the run is about: an invoice does not wait for its customer's new telephone number, and the step says what was refused.
    async fn change(&mut self, gathered: &mut Gathered, call: &Call) -> Result<(), Stop> {
        let Some(xref) = &call.xref else {
            return Err(Stop::new(
                Code::Internal,
                format!("the plan's call {:?} changes nothing", call.name),
            ));
        };
        let (key, body, path) = (self.key(xref), self.ids.fill(&call.body), self.ids.fill_text(&call.path));
        let outgoing = Outgoing { name: &call.name, method: call.method, path: &path, body: Some(&body) };
        let written = self.write(gathered, &outgoing, LastLook::Fence).await?;
        let answer = match written.answered.and_then(create::with_id) {
            Ok((answer, _)) => answer,
            Err(error) if self.is_gone(gathered, &error, xref).await? => {
                return Err(Stop { course: Course::PlanAgain, ..error.into() });
            }
            Err(error)
                if error.class() == Class::Rejected && !is_of_run(self.work.claimed.run.event, xref.kind) =>
            {
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        self.note_change(gathered, &key, &body, &answer).await?;
        self.ids.note(&call.name, &answer.sage_id);
        self.note(gathered, xref, &answer);
        Ok(())
    }

    /// Notes what a change brought; a record that was never made by an intent gets one.
    async fn note_change(
        &self,
        gathered: &mut Gathered,
        key: &IntentKey,
        body: &Value,
        answer: &Answer,
    ) -> Result<(), Stop> {
        let intent = self.intent(key).await?;
        if !intent.is_some_and(|intent| matches!(intent.state, IntentState::Answered(_))) {
            let (store, now) = (&self.work.engine.store, self.work.engine.outside.now());
            let request = body::request_of("", body);
            store.adopt_intent(self.work.fence(), key, &request, answer, &gathered.steps, now).await?;
            gathered.steps.clear();
        }
        self.answered(gathered, key, answer, self.told(&key.xref).as_ref()).await
    }

    /// Whether Sage refused a change because somebody has deleted the record there. It is then forgotten, so that a new plan makes it.
    async fn is_gone(
        &self,
        gathered: &mut Gathered,
        error: &sage::Error,
        xref: &XrefKey,
    ) -> Result<bool, Stop> {
        if !matches!(error, sage::Error::NotFound(_)) || !self.known.xrefs.contains_key(xref) {
            return Ok(false);
        }
        let (store, now) = (&self.work.engine.store, self.work.engine.outside.now());
        store.forget_record(self.work.fence(), &self.key(xref), &gathered.steps, now).await?;
        gathered.steps.clear();
        Ok(true)
    }

    pub(crate) fn key(&self, xref: &XrefKey) -> IntentKey {
        let (binding_id, business_id) = (self.work.binding.id, self.work.business.id.clone());
        IntentKey { binding_id, business_id, xref: xref.clone() }
    }

    /// What Magento has told of a customer once this contact of theirs is written.
    pub(crate) fn told(&self, xref: &XrefKey) -> Option<ContactSnapshot> {
        let told = self.known.customer.as_ref().filter(|_| matches!(xref.kind, XrefKind::Contact(_)))?;
        Some(told.over(self.known.told.get(xref)))
    }

    /// The key of the known contact that has this id in Sage.
    pub(crate) fn known_contact(&self, sage_id: &str) -> Option<XrefKey> {
        let is_contact =
            |key: &XrefKey| matches!(key.kind, XrefKind::Contact(_) | XrefKind::ContactFallback(_));
        let mut known = self.known.xrefs.iter();
        let found = known.find(|(key, record)| is_contact(key) && record.sage_id == sage_id);
        found.map(|(key, _)| key.clone())
    }

    /// Notes what is in Sage: its cross-reference, and what people see of the run's own document.
    fn note(&self, gathered: &mut Gathered, xref: &XrefKey, answer: &Answer) {
        gathered.xrefs.push(NewXref {
            key: xref.clone(),
            business_id: self.work.business.id.clone(),
            sage_id: answer.sage_id.clone(),
            displayed_as: answer.displayed_as.clone(),
        });
        if xref.kind == XrefKind::Invoice {
            gathered.invoice_record = Some(KnownRecord {
                sage_id: answer.sage_id.clone(),
                displayed_as: answer.displayed_as.clone(),
            });
        }
        self.show(gathered, xref, answer);
    }

    /// Shows what people see of the run's own document.
    fn show(&self, gathered: &mut Gathered, xref: &XrefKey, answer: &Answer) {
        if !is_of_run(self.work.claimed.run.event, xref.kind) {
            return;
        }
        gathered.facts.sage_id = Some(answer.sage_id.clone());
        gathered.facts.sage_reference.clone_from(&answer.displayed_as);
        if answer.total_minor.is_some() {
            gathered.facts.sage_amount_minor = answer.total_minor;
            gathered.facts.sage_tax_minor = answer.tax_minor;
        }
    }

    /// A draft whose sums differ never reaches the books: it is deleted, and the next attempt makes another. That the deletion was begun
    /// is known before it is asked for, so that a draft which is not found afterwards is no riddle.
    async fn take_back_draft(
        &self,
        gathered: &mut Gathered,
        call: &Call,
        key: &IntentKey,
        answer: &Answer,
    ) -> Result<(), Stop> {
        let (store, now) = (&self.work.engine.store, self.work.engine.outside.now());
        store.withdraw_intent(self.work.fence(), key, &gathered.steps, now).await?;
        gathered.steps.clear();
        self.delete_draft(gathered, call, &answer.sage_id).await?;
        self.refuse(gathered, key).await
    }

    /// Deletes a draft. Without a reason for voiding Sage deletes nothing but drafts (its swagger), so a request that is carried out late
    /// cannot void what somebody has released meanwhile.
    pub(crate) async fn delete_draft(
        &self,
        gathered: &mut Gathered,
        call: &Call,
        sage_id: &str,
    ) -> Result<(), Stop> {
        let path = format!("{}/{sage_id}", call.path);
        let outgoing = Outgoing { name: "delete draft", method: Method::Delete, path: &path, body: None };
        match self.write(gathered, &outgoing, LastLook::Fence).await?.answered {
            Ok(_) | Err(sage::Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Releases a draft. Unless it was made by this very attempt it is looked at first: an earlier release may have succeeded.
    async fn release(
        &self,
        gathered: &mut Gathered,
        call: &Call,
        path: &str,
        key: &IntentKey,
        made: &Made,
    ) -> Result<Answer, Stop> {
        if made.origin != Origin::Fresh
            && let Some(released) = self.released_already(gathered, call, made).await?
        {
            self.answered(gathered, key, &released, None).await?;
            return Ok(released);
        }
        let outgoing = Outgoing { name: "release", method: Method::Post, path, body: None };
        let answered = self.write(gathered, &outgoing, LastLook::Fence).await?.answered?;
        let answer = adopt::answer_of(&answered.body).unwrap_or_else(|| made.answer.clone());
        self.answered(gathered, key, &answer, None).await?;
        Ok(answer)
    }

    /// What was made, where it is no draft any more.
    async fn released_already(
        &self,
        gathered: &mut Gathered,
        call: &Call,
        made: &Made,
    ) -> Result<Option<Answer>, Stop> {
        if let Some(is_draft) = made.is_draft {
            return Ok((!is_draft).then(|| made.answer.clone()));
        }
        let Some(record) = self.look_at(gathered, call, &made.answer.sage_id).await? else {
            return Err(Stop::plain(Code::SageNotFound));
        };
        let is_draft = record["status"]["id"].as_str() == Some("DRAFT");
        Ok(if is_draft { None } else { adopt::answer_of(&record) })
    }

    /// What Sage shows of a record that was made; none when it is gone.
    pub(crate) async fn look_at(
        &self,
        gathered: &mut Gathered,
        call: &Call,
        sage_id: &str,
    ) -> Result<Option<Value>, Stop> {
        let path = format!("{}/{sage_id}", call.path);
        // Without it a plain read would flag the document as sent.
        let unsent = [("mark_as_sent", "false")];
        let query: &[(&str, &str)] =
            if matches!(call.adopt, Some(Adopt::Document { .. })) { &unsent } else { &[] };
        self.read(gathered, &call.name, &path, query).await
    }

    /// Reads a record of Sage's; none when Sage does not find it.
    pub(crate) async fn read(
        &self,
        gathered: &mut Gathered,
        name: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Option<Value>, Stop> {
        let begun = self.work.engine.outside.now();
        let answered = self.sage.get(path, query).await;
        match recorded(gathered, step(name, "GET", path, begun), answered) {
            Ok(answer) => Ok(Some(answer.body)),
            Err(sage::Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
