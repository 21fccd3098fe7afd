//! Performs a Plan: call by call, outside any transaction, each intent stored before its call and each answer after it.

use domain::{
    code::Code,
    money,
    plan::{Adopt, Call, Method, Plan},
    run::EventName,
    translate::{KnownRecord, Told},
    xref::{XrefKey, XrefKind},
};
use sage::{Class, Connection};
use serde_json::Value;
use store::{Answer, IntentKey, NewXref};

use crate::{
    adopt,
    body::Ids,
    create::{Made, Origin},
    decide::Stop,
    process::{Gathered, Known, Work},
    sums::difference,
    tokens::StoredTokens,
    trail::{recorded, step},
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

/// Performs a plan's calls; what was made is in `gathered` also when a later call fails.
pub async fn perform(
    work: &Work<'_>,
    gathered: &mut Gathered,
    plan: &Plan,
    known: &Known,
) -> Result<(), Stop> {
    let tokens = StoredTokens::new(work.engine, work.binding.id);
    let sage = Connection::new(&work.engine.sage, &work.business.id, &tokens);
    let mut performance = Performance { work, sage, known, ids: Ids::default() };
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
            // An earlier attempt may have been in safe mode, and have left a draft.
            None if made.origin == Origin::Found
                && matches!(xref.kind, XrefKind::Invoice | XrefKind::Creditmemo) =>
            {
                let path = format!("{}/{}/release", call.path, made.answer.sage_id);
                made.answer = self.release(gathered, call, &path, &key, &made).await?;
            }
            None => {}
        }
        self.note(gathered, &key.xref, &made.answer);
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
        let (key, body) = (self.key(xref), self.ids.fill(&call.body));
        self.reopen(&key, &body).await?;
        let answer = match self.send(gathered, call, &body).await {
            Ok((answer, _)) => answer,
            Err(error)
                if error.class() == Class::Rejected && !is_of_run(self.work.claimed.run.event, xref.kind) =>
            {
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        self.answered(gathered, &key, &answer, self.told(xref).as_ref()).await?;
        self.ids.note(&call.name, &answer.sage_id);
        self.note(gathered, xref, &answer);
        Ok(())
    }

    fn key(&self, xref: &XrefKey) -> IntentKey {
        let (binding_id, business_id) = (self.work.binding.id, self.work.business.id.clone());
        IntentKey { binding_id, business_id, xref: xref.clone() }
    }

    /// What Magento has told of a customer once this contact of theirs is written.
    pub(crate) fn told(&self, xref: &XrefKey) -> Option<Told> {
        let told = self.known.customer.as_ref().filter(|_| matches!(xref.kind, XrefKind::Contact(_)))?;
        Some(told.over(self.known.told.get(xref)))
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

    /// A draft whose sums differ never reaches the books: it is deleted, and the next try makes another.
    async fn take_back_draft(
        &self,
        gathered: &mut Gathered,
        call: &Call,
        key: &IntentKey,
        answer: &Answer,
    ) -> Result<(), Stop> {
        let path = format!("{}/{}", call.path, answer.sage_id);
        let begun = self.work.engine.outside.now();
        let answered =
            self.sage.delete(&format!("{path}?void_reason=Totals+differ+from+Magento"), None).await;
        match recorded(gathered, step("delete draft", "DELETE", &path, begun), answered) {
            Ok(_) => {}
            Err(error) if error.code() == Code::SageNotFound => {}
            Err(error) => return Err(error.into()),
        }
        self.refuse(gathered, key).await
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
        let begun = self.work.engine.outside.now();
        let answered = self.sage.post(path, None).await;
        let answered = recorded(gathered, step("release", "POST", path, begun), answered)?;
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
        let begun = self.work.engine.outside.now();
        let answered = self.sage.get(&path, query).await;
        match recorded(gathered, step(&call.name, "GET", &path, begun), answered) {
            Ok(answer) => Ok(Some(answer.body)),
            Err(sage::Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
