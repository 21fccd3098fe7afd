//! One create at Sage, made once whatever happens. Each next step is chosen by [`create_rules`]; the request that goes out is in the
//! store before its first byte, and what may have reached Sage is sent again word for word.

use chrono::{DateTime, Utc};
use domain::{
    code::Code,
    plan::{Adopt, Call},
};
use messages::message;
use posting::idempotency_id;
use serde_json::Value;
use store::{Answer, Intent, IntentKey, Request};

use crate::{
    attempt::{
        disposition::{AttemptError, Disposition},
        log::AttemptLog,
        sage_answers,
    },
    posting::{
        body::{document_day, idempotency_id_of, request_of, set_idempotency_id},
        create_rules::{self, Next, REPEATABLE_FOR},
        execution::PlanExecution,
        posted_record::{Origin, PostedRecord, with_id},
        sealed_call,
        search::{self, Found, is_found_alike},
        write::{Outgoing, PreSendCheck},
    },
};

/// A create under way.
struct Creating<'a> {
    key: &'a IntentKey,
    /// Today's call, its ids filled in.
    call: Call,
    known: create_rules::KnownCreate,
    /// References of a contact that were found to be others'.
    stepped: usize,
}

/// What a refused create calls for.
enum RefusedCreate {
    Adopt(Answer),
    Step(Vec<String>),
    Stands,
}

impl PlanExecution<'_> {
    /// Creates the call's record, or finds it made already.
    pub async fn create(
        &self,
        log: &mut AttemptLog,
        call: &Call,
        key: &IntentKey,
    ) -> Result<PostedRecord, AttemptError> {
        let call =
            Call { path: self.ids.fill_text(&call.path), body: self.ids.fill(&call.body), ..call.clone() };
        let may_be_there = self.may_be_there(&call);
        let known = create_rules::KnownCreate { may_be_there, ..create_rules::KnownCreate::default() };
        let mut creating = Creating { key, call, known, stepped: 0 };
        loop {
            let intent = self.intent(key).await?;
            let generation = intent.as_ref().map_or(0, |intent| intent.generation);
            set_idempotency_id(&mut creating.call.body, &self.next_id(key, generation));
            let sent = intent.as_ref().and_then(|intent| self.sent(key, intent, &creating.call));
            creating.known.is_repeatable = sent.is_some();
            let next =
                create_rules::next(intent.as_ref(), creating.known, self.work.engine.environment.now());
            let posted_record = match (next, intent, sent) {
                (Next::LookAt, Some(intent), _) => self.still_there(log, &mut creating, &intent).await?,
                (Next::Repeat, Some(intent), Some(sent)) => {
                    self.request(log, &mut creating, &sent, Some(&intent)).await?
                }
                (Next::Search, intent, sent) => {
                    self.search(log, &mut creating, intent.as_ref(), sent.as_ref()).await?
                }
                (Next::BeginAgain, ..) => {
                    self.refuse(log, key).await?;
                    None
                }
                (Next::RestUntil(until), ..) => return Err(under_way(until)),
                (_, intent, _) => {
                    let today = creating.call.clone();
                    self.request(log, &mut creating, &today, intent.as_ref()).await?
                }
            };
            if let Some(posted_record) = posted_record {
                return Ok(posted_record);
            }
        }
    }

    /// Whether the record may be in Sage although this store has no intent of it. A merchant's catalogue was often there before Ledger;
    /// a document that is older than Sage's memory of idempotency ids may have been sent by a connection or a store that is no more.
    fn may_be_there(&self, call: &Call) -> bool {
        let is_item = matches!(call.adopt, Some(Adopt::Item { .. }));
        let oldest = (self.work.engine.environment.now() - REPEATABLE_FOR).date_naive();
        let is_old = document_day(&call.body).is_some_and(|day| day <= oldest);
        is_item || is_old && is_document(call)
    }

    /// The call that went out under an intent, word for word. Versions that did not keep it kept its digest.
    fn sent(&self, key: &IntentKey, intent: &Intent, today: &Call) -> Option<Call> {
        sealed_call::open(self.work.engine, key, intent).or_else(|| {
            let request = request_of(idempotency_id_of(&today.body)?, &today.body);
            let is_same = request.body_digest == intent.request.body_digest
                && request.idempotency_id == intent.request.idempotency_id;
            is_same.then(|| today.clone())
        })
    }

    fn next_id(&self, key: &IntentKey, generation: u32) -> String {
        idempotency_id(self.work.binding.id, &self.work.business.id, &key.xref, generation)
    }

    /// Sends a create. None when another step is to follow.
    async fn request(
        &self,
        log: &mut AttemptLog,
        creating: &mut Creating<'_>,
        call: &Call,
        intent: Option<&Intent>,
    ) -> Result<Option<PostedRecord>, AttemptError> {
        let key = creating.key;
        let request = self.requested(key, call)?;
        // What was sent before this and may still land.
        let earlier = intent.and_then(|intent| intent.unanswered_at);
        let outgoing =
            Outgoing { name: &call.name, method: call.method, path: &call.path, body: Some(&call.body) };
        let written = self.write(log, &outgoing, PreSendCheck::Create(key, &request)).await?;
        let error = match written.answered.and_then(with_id) {
            Ok((answer, base_total)) => {
                // A request of an earlier attempt may say something else than Magento tells today.
                let is_of_today = call.body == creating.call.body;
                let told = self.told(&key.xref).filter(|_| is_of_today);
                self.answered(log, key, &answer, told.as_ref()).await?;
                let origin = match earlier {
                    None => Origin::Fresh,
                    // Sage repeats its first answer, also of a record that somebody has voided or deleted since.
                    Some(_) if is_document(call) => return Ok(None),
                    Some(_) if is_of_today => Origin::Repeated,
                    Some(_) => Origin::Adopted,
                };
                return Ok(Some(PostedRecord { base_total, ..PostedRecord::of(answer, origin) }));
            }
            Err(error) => error,
        };
        if !written.is_sent || error.may_have_committed() {
            return Err(error.into());
        }
        self.settle(log, key, earlier).await?;
        if !matches!(error.code(), Code::SageValidation | Code::SageNotFound) {
            return Err(error.into());
        }
        self.after_refusal(log, creating, call, earlier, error).await
    }

    /// Sage has refused this request for good; one before it may still land.
    async fn after_refusal(
        &self,
        log: &mut AttemptLog,
        creating: &mut Creating<'_>,
        call: &Call,
        earlier: Option<DateTime<Utc>>,
        error: sage::Error,
    ) -> Result<Option<PostedRecord>, AttemptError> {
        let (key, request) = (creating.key, self.requested(creating.key, call)?);
        let refusal = match self.look_after_refusal(log, (key, call), &request, &error).await? {
            RefusedCreate::Stands if earlier.is_some() => {
                let posted_record = self.made_before(log, key, &[(call, &request)]).await?;
                posted_record.map_or(RefusedCreate::Stands, RefusedCreate::Adopt)
            }
            refusal => refusal,
        };
        if let RefusedCreate::Adopt(answer) = refusal {
            self.answered(log, key, &answer, None).await?;
            return Ok(Some(PostedRecord::of(answer, Origin::Adopted)));
        }
        if let Some(until) = create_rules::may_land_until(earlier, self.work.engine.environment.now()) {
            return Err(under_way(until));
        }
        let gone = self.gone_contact(log, call).await?;
        self.refuse(log, key).await?;
        if let Some(contact) = gone {
            let (store, now) = (&self.work.engine.store, self.work.engine.environment.now());
            store.forget_record(self.work.fence(), &contact, &log.steps, now).await?;
            log.steps.clear();
            return Err(AttemptError { disposition: Disposition::PlanAgain, ..error.into() });
        }
        match refusal {
            RefusedCreate::Step(alternatives) if creating.stepped < alternatives.len() => {
                creating.call.body["contact"]["reference"] =
                    Value::from(alternatives[creating.stepped].clone());
                creating.stepped += 1;
                creating.known.is_searched = false;
                Ok(None)
            }
            // An earlier attempt's request was refused; what is to be sent today says something else.
            _ if call.body != creating.call.body => {
                creating.known.is_searched = false;
                Ok(None)
            }
            _ => Err(error.into()),
        }
    }

    /// Looks in Sage for what was sent under the intent, and for what would be sent today: settings may have changed the reference and
    /// the contact since. None when it is not there.
    async fn search(
        &self,
        log: &mut AttemptLog,
        creating: &mut Creating<'_>,
        intent: Option<&Intent>,
        sent: Option<&Call>,
    ) -> Result<Option<PostedRecord>, AttemptError> {
        let (key, today) = (creating.key, self.requested(creating.key, &creating.call)?);
        let before = intent.map(|intent| (sent.unwrap_or(&creating.call), &intent.request));
        let before = before.filter(|(_, request)| !is_found_alike(request, &today));
        let looks: Vec<(&Call, &Request)> = before.into_iter().chain([(&creating.call, &today)]).collect();
        let Some(answer) = self.made_before(log, key, &looks).await? else {
            creating.known.is_searched = true;
            return Ok(None);
        };
        let (store, now) = (&self.work.engine.store, self.work.engine.environment.now());
        store.adopt_intent(self.work.fence(), key, &today, &answer, &log.steps, now).await?;
        log.steps.clear();
        Ok(Some(PostedRecord::of(answer, Origin::Adopted)))
    }

    /// What an earlier attempt made, as Sage shows it now: somebody may have corrected it there. None when it was deleted or voided,
    /// and then Sage is searched before it is made again; a young record that is not found may only not be shown yet, so it is looked
    /// for again. Records without sums are not looked at.
    async fn still_there(
        &self,
        log: &mut AttemptLog,
        creating: &mut Creating<'_>,
        intent: &Intent,
    ) -> Result<Option<PostedRecord>, AttemptError> {
        let (key, call) = (creating.key, &creating.call);
        let Some(answer) = intent.answer().cloned() else { return Ok(None) };
        let found = PostedRecord::of(answer.clone(), Origin::Answered);
        if !is_document(call) {
            return Ok(Some(found));
        }
        // Another document took it for its own before this one's answer was heard.
        let held = self.work.engine.store.held_by_others(key, std::slice::from_ref(&answer.sage_id)).await?;
        if !held.is_empty() {
            return self.make_again(log, creating).await;
        }
        let Some(record) = self.look_at(log, call, &answer.sage_id).await? else {
            let shown_by =
                create_rules::not_shown_until(intent.first_sent_at, self.work.engine.environment.now());
            if let Some(until) = shown_by.filter(|_| !intent.is_withdrawn) {
                return Err(not_shown(until));
            }
            return self.make_again(log, creating).await;
        };
        let status = record["status"]["id"].as_str();
        if status == Some("VOID") {
            return self.make_again(log, creating).await;
        }
        let is_draft = status == Some("DRAFT");
        if intent.is_withdrawn && is_draft {
            self.delete_draft(log, call, &answer.sage_id).await?;
            return self.make_again(log, creating).await;
        }
        let Some(answer) = sage_answers::answer_of(&record) else { return Ok(Some(found)) };
        self.answered(log, key, &answer, None).await?;
        let base_total = sage_answers::amount_of(&record["base_currency_total_amount"]);
        Ok(Some(PostedRecord {
            base_total,
            is_draft: Some(is_draft),
            ..PostedRecord::of(answer, Origin::Answered)
        }))
    }

    /// What the intent had made is not in Sage any more.
    async fn make_again(
        &self,
        log: &mut AttemptLog,
        creating: &mut Creating<'_>,
    ) -> Result<Option<PostedRecord>, AttemptError> {
        self.refuse(log, creating.key).await?;
        creating.known.is_searched = false;
        Ok(None)
    }

    /// What an intent keeps of a create, the call itself sealed.
    pub fn requested(&self, key: &IntentKey, call: &Call) -> Result<Request, AttemptError> {
        let id = idempotency_id_of(&call.body)
            .ok_or_else(|| AttemptError::new(Code::Internal, message!(run_detail.no_idempotency_id)))?;
        let sealed_call = Some(sealed_call::seal(self.work.engine, key, call)?);
        Ok(Request { sealed_call, ..request_of(id, &call.body) })
    }

    /// What is in Sage under the reference and for the contact of one of these requests. Another document under either stops the run.
    async fn made_before(
        &self,
        log: &mut AttemptLog,
        key: &IntentKey,
        looks: &[(&Call, &Request)],
    ) -> Result<Option<Answer>, AttemptError> {
        for (call, request) in looks {
            match self.look(log, (key, call), request).await? {
                Found::Same(answer) => return Ok(Some(answer)),
                Found::Another if !matches!(call.adopt, Some(Adopt::Contact { .. })) => {
                    return Err(AttemptError::plain(Code::SageConflict));
                }
                Found::Another | Found::Nothing => {}
            }
        }
        Ok(None)
    }

    async fn look(
        &self,
        log: &mut AttemptLog,
        (key, call): (&IntentKey, &Call),
        request: &Request,
    ) -> Result<Found, AttemptError> {
        match &call.adopt {
            Some(how) => search::find(self, log, how, (key, call), request).await,
            None => Ok(Found::Nothing),
        }
    }

    /// Sage refused a create. A contact's reference may be taken: by the customer's own contact (adopt it) or another's (step
    /// to the next reference). Everything else stands.
    async fn look_after_refusal(
        &self,
        log: &mut AttemptLog,
        (key, call): (&IntentKey, &Call),
        request: &Request,
        error: &sage::Error,
    ) -> Result<RefusedCreate, AttemptError> {
        let (Some(Adopt::Contact { alternatives, .. }), Code::SageValidation) = (&call.adopt, error.code())
        else {
            return Ok(RefusedCreate::Stands);
        };
        let speaks_of_reference = error.to_string().to_lowercase().contains("reference");
        Ok(match self.look(log, (key, call), request).await? {
            Found::Same(answer) => RefusedCreate::Adopt(answer),
            Found::Another => RefusedCreate::Step(alternatives.clone()),
            Found::Nothing if speaks_of_reference => RefusedCreate::Step(alternatives.clone()),
            Found::Nothing => RefusedCreate::Stands,
        })
    }

    /// The known contact of a refused document, where somebody has deleted it in Sage.
    async fn gone_contact(
        &self,
        log: &mut AttemptLog,
        call: &Call,
    ) -> Result<Option<IntentKey>, AttemptError> {
        let Some(id) = request_of("", &call.body).contact_id else { return Ok(None) };
        let Some(key) = self.known_contact(&id) else { return Ok(None) };
        let contact = self.read(log, "contact", &format!("/contacts/{id}"), &[]).await?;
        let is_gone = contact.is_none_or(|contact| !contact["deleted_at"].is_null());
        Ok(is_gone.then(|| self.key(&key)))
    }
}

/// Whether a call makes a document or a payment: what has sums, and may be voided.
const fn is_document(call: &Call) -> bool {
    matches!(call.adopt, Some(Adopt::Document { .. } | Adopt::Payment { .. }))
}

/// Sage has said that it made the record, and does not show it.
pub fn not_shown(until: DateTime<Utc>) -> AttemptError {
    let message = message!(run_detail.not_shown, time = until.format("%H:%M UTC"));
    AttemptError {
        disposition: Disposition::RestUntil(until),
        ..AttemptError::new(Code::SageInProgress, message)
    }
}

/// A request that went out before may still be carried out.
pub fn under_way(until: DateTime<Utc>) -> AttemptError {
    let message = message!(run_detail.under_way, time = until.format("%H:%M UTC"));
    AttemptError {
        disposition: Disposition::RestUntil(until),
        ..AttemptError::new(Code::SageInProgress, message)
    }
}
