//! Performs a Plan: call by call, outside any transaction, each intent stored before its call and each answer after it.
//!
//! Why every document ends in Sage once: the intent's idempotency id is in the store before the first byte goes out, and the
//! same id is sent again after a crash, a time-out or a 5xx (Sage keeps ids for seven days). Past that, or when the body is no
//! longer the same, Sage is searched and what is there is adopted before anything new is sent.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    code::Code,
    money,
    plan::{Adopt, Call, Expect, Method, Plan},
    translate::{KnownRecord, idempotency_id},
    xref::{XrefKey, XrefKind},
};
use sage::{Connection, Trouble};
use serde_json::Value;
use sha2::{Digest, Sha256};
use store::{Answer, Intent, IntentKey, NewXref, Step};

use crate::{
    adopt::{self, Found},
    decide::Stop,
    process::{Gathered, Work},
    tokens::StoredTokens,
};

/// Sage keeps an idempotency id for seven days; a day is left for clocks and queues.
const REPEATABLE_FOR: TimeDelta = TimeDelta::days(6);

/// A plan being performed.
pub struct Performance<'a> {
    /// The run's work.
    pub work: &'a Work<'a>,
    /// The connection to its Sage business.
    pub sage: Connection<'a>,
    /// Ids of the answers so far, by the calls' names.
    ids: BTreeMap<String, String>,
}

/// Performs a plan's calls; what was made is in `gathered` also when a later call fails.
pub async fn perform(
    work: &Work<'_>,
    gathered: &mut Gathered,
    plan: &Plan,
    known: &BTreeMap<XrefKey, KnownRecord>,
) -> Result<(), Stop> {
    let tokens = StoredTokens::new(work.engine, work.binding.id);
    let sage = Connection::new(&work.engine.sage, &work.business.id, &tokens);
    let mut performance = Performance { work, sage, ids: BTreeMap::new() };
    if let Some(predicted) = &plan.predicted {
        gathered.facts.sage_amount_minor = money::to_minor(predicted.total);
        gathered.facts.sage_tax_minor = money::to_minor(predicted.tax);
    }
    let mut calls = plan.calls.iter().peekable();
    while let Some(call) = calls.next() {
        let release = calls.next_if(|next| next.releases_draft);
        performance.make(gathered, call, release).await?;
    }
    if plan.calls.is_empty() {
        already_there(work, gathered, known);
    }
    Ok(())
}

/// Nothing is left to do: what Sage holds of the run's document is shown.
fn already_there(work: &Work<'_>, gathered: &mut Gathered, known: &BTreeMap<XrefKey, KnownRecord>) {
    let wanted = match work.claimed.run.event {
        domain::run::EventName::InvoicePaid => XrefKind::Payment,
        _ => XrefKind::Invoice,
    };
    if let Some((_, record)) = known.iter().find(|(key, _)| key.kind == wanted) {
        gathered.facts.sage_id = Some(record.sage_id.clone());
        gathered.facts.sage_reference.clone_from(&record.displayed_as);
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
        let key = IntentKey {
            binding_id: self.work.binding.id,
            business_id: self.work.business.id.clone(),
            xref: xref.clone(),
        };
        let (mut answer, is_fresh) = self.create(gathered, call, &key).await?;
        self.ids.insert(call.name.clone(), answer.sage_id.clone());
        let differs = call.expect.as_ref().and_then(|expect| difference(expect, &answer));
        match (differs, release) {
            (Some(sums), Some(_)) => {
                self.take_back_draft(gathered, &key, &answer).await?;
                return Err(Stop::new(Code::TotalsMismatch, sums));
            }
            (Some(sums), None) => {
                Self::note(gathered, &key, &answer);
                return Err(Stop::new(Code::TotalsMismatchAfterPost, sums));
            }
            (None, Some(release)) => answer = self.release(gathered, release, &key, answer, is_fresh).await?,
            (None, None) => {}
        }
        Self::note(gathered, &key, &answer);
        Ok(())
    }

    /// Notes what was made: its cross-reference, and what people see of the run's own document.
    fn note(gathered: &mut Gathered, key: &IntentKey, answer: &Answer) {
        gathered.xrefs.push(NewXref {
            key: key.xref.clone(),
            business_id: key.business_id.clone(),
            sage_id: answer.sage_id.clone(),
            displayed_as: answer.displayed_as.clone(),
        });
        let record =
            KnownRecord { sage_id: answer.sage_id.clone(), displayed_as: answer.displayed_as.clone() };
        match key.xref.kind {
            XrefKind::Contact(_) | XrefKind::ContactFallback(_) => return,
            XrefKind::Invoice => gathered.invoice_record = Some(record),
            _ => {}
        }
        gathered.facts.sage_id = Some(answer.sage_id.clone());
        gathered.facts.sage_reference.clone_from(&answer.displayed_as);
        if answer.total_minor.is_some() {
            gathered.facts.sage_amount_minor = answer.total_minor;
            gathered.facts.sage_tax_minor = answer.tax_minor;
        }
    }

    /// Creates the call's record, or finds it made already. The flag says that it was made by this very attempt.
    async fn create(
        &self,
        gathered: &mut Gathered,
        call: &Call,
        key: &IntentKey,
    ) -> Result<(Answer, bool), Stop> {
        let mut body = self.filled(&call.body);
        let mut stepped = 0;
        loop {
            let intent = self.open(key, &body).await?;
            if let Some(answer) = intent.answer {
                return Ok((answer, false));
            }
            if !intent.is_new && !self.is_repeatable(&intent, &body) {
                match self.look(gathered, call, &body).await? {
                    Found::Same(answer) => {
                        self.answered(key, &answer).await?;
                        return Ok((answer, false));
                    }
                    Found::Another if !matches!(call.adopt, Some(Adopt::Contact { .. })) => {
                        return Err(Stop::plain(Code::SageConflict));
                    }
                    Found::Another | Found::Nothing => {}
                }
                self.refuse(key).await?;
                set_idempotency_id(&mut body, &self.next_id(key, intent.generation + 1));
                continue;
            }
            match self.send(gathered, call, &body).await {
                Ok(answer) => {
                    self.answered(key, &answer).await?;
                    return Ok((answer, intent.is_new));
                }
                Err(error) if error.code() == Code::SageValidation => {
                    let refused = Stop::from(error);
                    match self.look_after_refusal(gathered, call, &body).await? {
                        Refusal::Adopt(answer) => {
                            self.answered(key, &answer).await?;
                            return Ok((answer, false));
                        }
                        Refusal::Step(alternatives) if stepped < alternatives.len() => {
                            self.refuse(key).await?;
                            body["contact"]["reference"] = Value::from(alternatives[stepped].clone());
                            set_idempotency_id(&mut body, &self.next_id(key, intent.generation + 1));
                            stepped += 1;
                        }
                        Refusal::Step(_) | Refusal::Stands => {
                            self.refuse(key).await?;
                            return Err(refused);
                        }
                    }
                }
                Err(error) => {
                    if error.code() == Code::SageNotFound {
                        self.refuse(key).await?;
                    }
                    return Err(error.into());
                }
            }
        }
    }

    fn next_id(&self, key: &IntentKey, generation: u32) -> String {
        idempotency_id(self.work.binding.id, &self.work.business.id, &key.xref, generation)
    }

    /// Whether the same request may simply be sent again.
    fn is_repeatable(&self, intent: &Intent, body: &Value) -> bool {
        let age = self.work.engine.outside.now() - intent.first_sent_at;
        age < REPEATABLE_FOR
            && intent.body_digest == digest(body)
            && Some(intent.idempotency_id.as_str()) == idempotency_id_of(body)
    }

    async fn open(&self, key: &IntentKey, body: &Value) -> Result<Intent, Stop> {
        let id = idempotency_id_of(body)
            .ok_or_else(|| Stop::new(Code::Internal, "the plan's body has no idempotency id"))?;
        let now = self.work.engine.outside.now();
        Ok(self.work.engine.store.open_intent(self.work.fence(), key, id, &digest(body), now).await?)
    }

    async fn answered(&self, key: &IntentKey, answer: &Answer) -> Result<(), Stop> {
        let now = self.work.engine.outside.now();
        Ok(self.work.engine.store.answer_intent(self.work.fence(), key, answer, now).await?)
    }

    async fn refuse(&self, key: &IntentKey) -> Result<(), Stop> {
        let now = self.work.engine.outside.now();
        Ok(self.work.engine.store.refuse_intent(self.work.fence(), key, now).await?)
    }

    async fn send(&self, gathered: &mut Gathered, call: &Call, body: &Value) -> Result<Answer, sage::Error> {
        let path = self.filled_text(&call.path);
        let begun = self.work.engine.outside.now();
        let answered = self.sage.perform(call.method, &path, Some(body)).await;
        let mut step = step(&call.name, method_name(call.method), &path, begun);
        step.idempotency_id = idempotency_id_of(body).map(str::to_owned);
        let answered = recorded(gathered, step, answered)?;
        adopt::answer_of(&answered.body).ok_or_else(|| without_id(answered))
    }

    async fn look(&self, gathered: &mut Gathered, call: &Call, body: &Value) -> Result<Found, Stop> {
        match &call.adopt {
            Some(how) => adopt::find(self, gathered, how, call, body).await,
            None => Ok(Found::Nothing),
        }
    }

    /// Sage refused a create. A contact's reference may be taken: by the customer's own contact (adopt it) or another's (step
    /// to the next reference). Everything else stands.
    async fn look_after_refusal(
        &self,
        gathered: &mut Gathered,
        call: &Call,
        body: &Value,
    ) -> Result<Refusal, Stop> {
        let Some(Adopt::Contact { alternatives, .. }) = &call.adopt else { return Ok(Refusal::Stands) };
        Ok(match self.look(gathered, call, body).await? {
            Found::Same(answer) => Refusal::Adopt(answer),
            Found::Another => Refusal::Step(alternatives.clone()),
            Found::Nothing if last_step_names_reference(gathered, call) => {
                Refusal::Step(alternatives.clone())
            }
            Found::Nothing => Refusal::Stands,
        })
    }

    /// A draft whose sums differ never reaches the books: it is deleted, and the next try makes another.
    async fn take_back_draft(
        &self,
        gathered: &mut Gathered,
        key: &IntentKey,
        answer: &Answer,
    ) -> Result<(), Stop> {
        let path = format!("/sales_invoices/{}", answer.sage_id);
        let begun = self.work.engine.outside.now();
        let answered =
            self.sage.delete(&format!("{path}?void_reason=Totals+differ+from+Magento"), None).await;
        match recorded(gathered, step("delete draft", "DELETE", &path, begun), answered) {
            Ok(_) => {}
            Err(error) if error.code() == Code::SageNotFound => {}
            Err(error) => return Err(error.into()),
        }
        self.refuse(key).await
    }

    /// Releases a draft. Unless it was made by this very attempt it is looked at first: an earlier release may have succeeded.
    async fn release(
        &self,
        gathered: &mut Gathered,
        call: &Call,
        key: &IntentKey,
        made: Answer,
        is_fresh: bool,
    ) -> Result<Answer, Stop> {
        if !is_fresh && let Some(released) = self.released_already(gathered, &made).await? {
            self.answered(key, &released).await?;
            return Ok(released);
        }
        let path = self.filled_text(&call.path);
        let begun = self.work.engine.outside.now();
        let body = (!call.body.is_null()).then_some(&call.body);
        let answered = self.sage.post(&path, body).await;
        let answered = recorded(gathered, step(&call.name, "POST", &path, begun), answered)?;
        let answer = adopt::answer_of(&answered.body).unwrap_or(made);
        self.answered(key, &answer).await?;
        Ok(answer)
    }

    async fn released_already(&self, gathered: &mut Gathered, made: &Answer) -> Result<Option<Answer>, Stop> {
        let path = format!("/sales_invoices/{}", made.sage_id);
        let begun = self.work.engine.outside.now();
        // Without it a plain read would flag the invoice as sent.
        let answered = self.sage.get(&path, &[("mark_as_sent", "false")]).await;
        let answered = recorded(gathered, step("look at draft", "GET", &path, begun), answered)?;
        let is_draft = answered.body["status"]["id"].as_str() == Some("DRAFT");
        Ok(if is_draft { None } else { adopt::answer_of(&answered.body) })
    }

    /// The ids of earlier answers in place of `{name}`.
    fn filled(&self, body: &Value) -> Value {
        match body {
            Value::String(text) => Value::String(self.filled_text(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.filled(item)).collect()),
            Value::Object(fields) => {
                Value::Object(fields.iter().map(|(name, value)| (name.clone(), self.filled(value))).collect())
            }
            other => other.clone(),
        }
    }

    /// Only a whole `{name}`, or one between slashes: a customer's own braces stay as they are.
    fn filled_text(&self, text: &str) -> String {
        let replace = |part: &str| {
            let name = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            name.and_then(|name| self.ids.get(name)).map_or_else(|| part.to_owned(), Clone::clone)
        };
        if text.starts_with('/') {
            text.split('/').map(replace).collect::<Vec<_>>().join("/")
        } else {
            replace(text)
        }
    }
}

/// What a refused create calls for.
enum Refusal {
    Adopt(Answer),
    Step(Vec<String>),
    Stands,
}

/// Whether Sage's refusal of the call speaks of its reference.
fn last_step_names_reference(gathered: &Gathered, call: &Call) -> bool {
    let refused = gathered.steps.iter().rev().find(|step| step.name == call.name);
    refused.is_some_and(|step| step.summary.to_lowercase().contains("reference"))
}

/// Sage said yes without an id: what was made is found again by its intent.
fn without_id(answered: sage::Answer) -> sage::Error {
    let sage::Answer { method, path, status, request_id, duration, .. } = answered;
    let trouble = Trouble {
        method,
        path,
        status: Some(status),
        request_id,
        duration,
        writes: true,
        messages: Vec::new(),
    };
    sage::Error::Garbage { what: "it has no id", trouble: Box::new(trouble) }
}

const fn method_name(method: Method) -> &'static str {
    match method {
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
    }
}

/// A step of the audit trail, before its answer.
pub fn step(name: &str, method: &str, path: &str, begun: chrono::DateTime<chrono::Utc>) -> Step {
    Step {
        target: "sage".to_owned(),
        name: name.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        status: None,
        request_id: None,
        idempotency_id: None,
        summary: String::new(),
        started_at: begun,
        duration_ms: 0,
    }
}

/// Keeps a step with its answer.
pub fn recorded(
    gathered: &mut Gathered,
    mut step: Step,
    answered: Result<sage::Answer, sage::Error>,
) -> Result<sage::Answer, sage::Error> {
    match &answered {
        Ok(answer) => {
            step.status = Some(i32::from(answer.status));
            step.request_id.clone_from(&answer.request_id);
            step.duration_ms = i64::try_from(answer.duration.as_millis()).unwrap_or(i64::MAX);
            step.summary = adopt::summary_of(&answer.body);
        }
        Err(error) => {
            step.status = error.status().map(i32::from);
            step.request_id = error.request_id().map(str::to_owned);
            step.summary = error.to_string();
        }
    }
    gathered.steps.push(step);
    answered
}

/// Both sums, where the answer's are not the expected ones.
fn difference(expect: &Expect, answer: &Answer) -> Option<String> {
    let total = money::to_minor(expect.total);
    let tax = expect.tax.and_then(money::to_minor);
    let is_same = |expected: Option<i64>, answered: Option<i64>| {
        expected.is_none() || answered.is_none() || expected == answered
    };
    if is_same(total, answer.total_minor) && is_same(tax, answer.tax_minor) {
        return None;
    }
    let show = |minor: Option<i64>| {
        minor.map_or_else(|| "–".to_owned(), |minor| money::text(money::from_minor(minor)))
    };
    Some(format!(
        "Magento: total {}, tax {}. Sage: total {}, tax {}.",
        show(total),
        show(tax),
        show(answer.total_minor),
        show(answer.tax_minor)
    ))
}

fn digest(body: &Value) -> String {
    hex::encode(Sha256::digest(body.to_string().as_bytes()))
}

fn wrapper(body: &Value) -> Option<&Value> {
    body.as_object()?.values().next()
}

fn idempotency_id_of(body: &Value) -> Option<&str> {
    wrapper(body)?.get("idempotency_id")?.as_str()
}

fn set_idempotency_id(body: &mut Value, id: &str) {
    if let Some(fields) = body.as_object_mut().and_then(|body| body.values_mut().next()) {
        fields["idempotency_id"] = Value::from(id);
    }
}
