//! One create at Sage, made once whatever happens.
//!
//! The intent's idempotency id is in the store before the first byte goes out, and the same id is sent again after a crash, a
//! time-out or a 5xx (Sage keeps ids for seven days). Past that, or when the body is no longer the same, Sage is searched and what
//! is there is adopted before anything new is sent.

use chrono::TimeDelta;
use domain::{
    Decimal,
    code::Code,
    plan::{Adopt, Call, Method},
    translate::{Told, idempotency_id},
};
use sage::Trouble;
use serde_json::Value;
use store::{Answer, Intent, IntentKey, Request};

use crate::{
    adopt::{self, Found},
    body::{idempotency_id_of, request_of, set_idempotency_id},
    decide::Stop,
    perform::Performance,
    process::Gathered,
    trail::{recorded, step},
};

/// Sage keeps an idempotency id for seven days; a day is left for clocks and queues.
const REPEATABLE_FOR: TimeDelta = TimeDelta::days(6);

/// So soon after it was made, a record that Sage does not find may only not be there to be read yet.
const SETTLED_AFTER: TimeDelta = TimeDelta::hours(1);

/// A record that is in Sage.
pub struct Made {
    /// What Sage says of it.
    pub answer: Answer,
    /// How it came to be there.
    pub origin: Origin,
    /// Its total in the base currency, where Sage has just said so.
    pub base_total: Option<Decimal>,
    /// Whether it is a draft; none until somebody has looked.
    pub is_draft: Option<bool>,
}

/// How a record came to be in Sage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// This very attempt made it.
    Fresh,
    /// The same request was sent again: this attempt or one before it made it.
    Repeated,
    /// It was there already, made by a request that may have said something else.
    Found,
}

impl Made {
    const fn found(answer: Answer) -> Self {
        Self { answer, origin: Origin::Found, base_total: None, is_draft: None }
    }
}

/// What a refused create calls for.
enum Refusal {
    Adopt(Answer),
    Step(Vec<String>),
    Stands,
}

impl Performance<'_> {
    /// Creates the call's record, or finds it made already.
    pub(crate) async fn create(
        &self,
        gathered: &mut Gathered,
        call: &Call,
        key: &IntentKey,
    ) -> Result<Made, Stop> {
        let mut body = self.ids.fill(&call.body);
        let (mut stepped, mut is_gone) = (0, false);
        loop {
            let request = requested(&body)?;
            let intent = self.open(key, &request).await?;
            if let Some(answer) = intent.answer {
                let is_young = self.work.engine.outside.now() - intent.first_sent_at < SETTLED_AFTER;
                if let Some(made) = self.still_there(gathered, call, key, answer, is_young).await? {
                    return Ok(made);
                }
                self.begin_anew(gathered, key, &mut body, intent.generation).await?;
                is_gone = true;
                continue;
            }
            let may_be_sent = intent.is_new || self.is_repeatable(&intent, &request);
            // A merchant's catalogue was often in Sage before Ledger was.
            if (!may_be_sent || is_gone || matches!(call.adopt, Some(Adopt::Item { .. })))
                && let Some(answer) = self.made_before(gathered, call, &intent.request, &request).await?
            {
                self.answered(gathered, key, &answer, None).await?;
                return Ok(Made::found(answer));
            }
            if !may_be_sent {
                self.begin_anew(gathered, key, &mut body, intent.generation).await?;
                continue;
            }
            let error = match self.send(gathered, call, &body).await {
                Ok((answer, base_total)) => {
                    self.answered(gathered, key, &answer, self.told(&key.xref).as_ref()).await?;
                    let origin = if intent.is_new { Origin::Fresh } else { Origin::Repeated };
                    return Ok(Made { answer, origin, base_total, is_draft: None });
                }
                Err(error) => error,
            };
            match self.look_after_refusal(gathered, call, &request, &error).await? {
                Refusal::Adopt(answer) => {
                    self.answered(gathered, key, &answer, None).await?;
                    return Ok(Made::found(answer));
                }
                Refusal::Step(alternatives) if stepped < alternatives.len() => {
                    body["contact"]["reference"] = Value::from(alternatives[stepped].clone());
                    self.begin_anew(gathered, key, &mut body, intent.generation).await?;
                    stepped += 1;
                }
                Refusal::Step(_) | Refusal::Stands => {
                    if matches!(error.code(), Code::SageValidation | Code::SageNotFound) {
                        self.refuse(gathered, key).await?;
                    }
                    return Err(error.into());
                }
            }
        }
    }

    /// Gives up what stood under this generation: the next request is another one.
    async fn begin_anew(
        &self,
        gathered: &mut Gathered,
        key: &IntentKey,
        body: &mut Value,
        generation: u32,
    ) -> Result<(), Stop> {
        self.refuse(gathered, key).await?;
        set_idempotency_id(body, &self.next_id(key, generation + 1));
        Ok(())
    }

    /// What an earlier attempt made, as Sage shows it now: somebody may have corrected it there. None when they deleted or voided it;
    /// a young record that is not found is none that was deleted. Records without sums are not looked at.
    async fn still_there(
        &self,
        gathered: &mut Gathered,
        call: &Call,
        key: &IntentKey,
        answer: Answer,
        is_young: bool,
    ) -> Result<Option<Made>, Stop> {
        if !matches!(call.adopt, Some(Adopt::Document { .. } | Adopt::Payment { .. })) {
            return Ok(Some(Made::found(answer)));
        }
        let Some(record) = self.look_at(gathered, call, &answer.sage_id).await? else {
            return Ok(is_young.then(|| Made::found(answer)));
        };
        let status = record["status"]["id"].as_str();
        if status == Some("VOID") {
            return Ok(None);
        }
        let Some(answer) = adopt::answer_of(&record) else { return Ok(Some(Made::found(answer))) };
        self.answered(gathered, key, &answer, None).await?;
        let base_total = adopt::amount_of(&record["base_currency_total_amount"]);
        Ok(Some(Made { base_total, is_draft: Some(status == Some("DRAFT")), ..Made::found(answer) }))
    }

    fn next_id(&self, key: &IntentKey, generation: u32) -> String {
        idempotency_id(self.work.binding.id, &self.work.business.id, &key.xref, generation)
    }

    /// Whether the same request may simply be sent again.
    fn is_repeatable(&self, intent: &Intent, request: &Request) -> bool {
        let age = self.work.engine.outside.now() - intent.first_sent_at;
        age < REPEATABLE_FOR
            && intent.request.body_digest == request.body_digest
            && intent.request.idempotency_id == request.idempotency_id
    }

    async fn open(&self, key: &IntentKey, request: &Request) -> Result<Intent, Stop> {
        let now = self.work.engine.outside.now();
        Ok(self.work.engine.store.open_intent(self.work.fence(), key, request, now).await?)
    }

    /// The last look before a change: the record's intent is answered already, but nobody else may hold the run or write to the
    /// business.
    pub(crate) async fn reopen(&self, key: &IntentKey, body: &Value) -> Result<(), Stop> {
        self.open(key, &request_of(&self.next_id(key, 0), body)).await.map(|_| ())
    }

    /// Notes the answer, together with the calls that brought it: a trail written later would die with the worker.
    pub(crate) async fn answered(
        &self,
        gathered: &mut Gathered,
        key: &IntentKey,
        answer: &Answer,
        told: Option<&Told>,
    ) -> Result<(), Stop> {
        let (store, now) = (&self.work.engine.store, self.work.engine.outside.now());
        store.answer_intent(self.work.fence(), key, answer, told, &gathered.steps, now).await?;
        gathered.steps.clear();
        Ok(())
    }

    /// Notes the refusal, together with the calls that led to it.
    pub(crate) async fn refuse(&self, gathered: &mut Gathered, key: &IntentKey) -> Result<(), Stop> {
        let (store, now) = (&self.work.engine.store, self.work.engine.outside.now());
        store.refuse_intent(self.work.fence(), key, &gathered.steps, now).await?;
        gathered.steps.clear();
        Ok(())
    }

    /// Sends a call once. The answer, and its total in the base currency.
    pub(crate) async fn send(
        &self,
        gathered: &mut Gathered,
        call: &Call,
        body: &Value,
    ) -> Result<(Answer, Option<Decimal>), sage::Error> {
        let path = self.ids.fill_text(&call.path);
        let begun = self.work.engine.outside.now();
        let answered = self.sage.perform(call.method, &path, Some(body)).await;
        let mut step = step(&call.name, method_name(call.method), &path, begun);
        step.idempotency_id = idempotency_id_of(body).map(str::to_owned);
        step.request = gathered.redactor.kept(body);
        let answered = recorded(gathered, step, answered)?;
        let base_total = adopt::amount_of(&answered.body["base_currency_total_amount"]);
        let answer = adopt::answer_of(&answered.body).ok_or_else(|| without_id(answered))?;
        Ok((answer, base_total))
    }

    /// What an earlier attempt may have made, under the reference and for the contact that it sent or, where the settings have
    /// changed since, those of today. Another document under either stops the run.
    async fn made_before(
        &self,
        gathered: &mut Gathered,
        call: &Call,
        sent: &Request,
        now: &Request,
    ) -> Result<Option<Answer>, Stop> {
        let moved = (&sent.reference, &sent.contact_id) != (&now.reference, &now.contact_id);
        for request in moved.then_some(sent).into_iter().chain([now]) {
            match self.look(gathered, call, request).await? {
                Found::Same(answer) => return Ok(Some(answer)),
                Found::Another if !matches!(call.adopt, Some(Adopt::Contact { .. })) => {
                    return Err(Stop::plain(Code::SageConflict));
                }
                Found::Another | Found::Nothing => {}
            }
        }
        Ok(None)
    }

    async fn look(&self, gathered: &mut Gathered, call: &Call, request: &Request) -> Result<Found, Stop> {
        match &call.adopt {
            Some(how) => adopt::find(self, gathered, how, call, request).await,
            None => Ok(Found::Nothing),
        }
    }

    /// Sage refused a create. A contact's reference may be taken: by the customer's own contact (adopt it) or another's (step
    /// to the next reference). Everything else stands.
    async fn look_after_refusal(
        &self,
        gathered: &mut Gathered,
        call: &Call,
        request: &Request,
        error: &sage::Error,
    ) -> Result<Refusal, Stop> {
        let (Some(Adopt::Contact { alternatives, .. }), Code::SageValidation) = (&call.adopt, error.code())
        else {
            return Ok(Refusal::Stands);
        };
        let speaks_of_reference = error.to_string().to_lowercase().contains("reference");
        Ok(match self.look(gathered, call, request).await? {
            Found::Same(answer) => Refusal::Adopt(answer),
            Found::Another => Refusal::Step(alternatives.clone()),
            Found::Nothing if speaks_of_reference => Refusal::Step(alternatives.clone()),
            Found::Nothing => Refusal::Stands,
        })
    }
}

fn requested(body: &Value) -> Result<Request, Stop> {
    let id = idempotency_id_of(body)
        .ok_or_else(|| Stop::new(Code::Internal, "the plan's body has no idempotency id"))?;
    Ok(request_of(id, body))
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
