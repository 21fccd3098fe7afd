//! An update of a record that is there. A repeat does no harm; what does harm is an earlier update that lands after a later one, because
//! Sage keeps what comes last. So an update rests while one that says something else may still land ([`create_rules`]).

use chrono::{DateTime, Utc};
use domain::{code::Code, plan::Call, xref::XrefKey};
use messages::message;
use sage::Class;
use serde_json::Value;
use store::{Answer, Intent, IntentKey};

use crate::{
    attempt::{
        disposition::{AttemptError, Disposition},
        log::AttemptLog,
    },
    posting::{
        body,
        create::under_way,
        create_rules,
        execution::{PlanExecution, is_of_run},
        posted_record::with_id,
        write::{Outgoing, PreSendCheck},
    },
};

impl PlanExecution<'_> {
    /// Changes a record. What Sage refuses for good, or cannot be sent yet, stops the run only where the record is what the run is
    /// about: an invoice does not wait for its customer's new telephone number, and the next document tells it again.
    pub async fn change(&mut self, log: &mut AttemptLog, call: &Call) -> Result<(), AttemptError> {
        let Some(xref) = &call.xref else {
            return Err(AttemptError::new(
                Code::Internal,
                message!(run_detail.call_changes_nothing, call = call.name),
            ));
        };
        let (key, body, path) = (self.key(xref), self.ids.fill(&call.body), self.ids.fill_text(&call.path));
        let is_incidental = !is_of_run(self.work.claimed.run.event, xref.kind);
        let (intent, now) = (self.known_intent(log, &key, &body).await?, self.work.engine.environment.now());
        let digest = body::request_of("", &body).body_digest;
        if let Some(until) = create_rules::update_rests_until(&intent, &digest, now) {
            return if is_incidental { Ok(()) } else { Err(under_way(until)) };
        }
        // The same was sent before, and may still land after this.
        let earlier = create_rules::may_land_until(intent.unanswered_at, now).and(intent.unanswered_at);
        let outgoing = Outgoing { name: &call.name, method: call.method, path: &path, body: Some(&body) };
        let written = self.write(log, &outgoing, PreSendCheck::Update(&key, &digest)).await?;
        let error = match written.answered.and_then(with_id) {
            Ok((answer, _)) => {
                self.answered(log, &key, &answer, self.told(xref).as_ref()).await?;
                if earlier.is_some() {
                    self.settle(log, &key, earlier).await?;
                }
                self.ids.note(&call.name, &answer.sage_id);
                self.note(log, xref, &answer);
                return Ok(());
            }
            Err(error) => error,
        };
        if written.is_sent && !error.may_have_committed() {
            self.settle(log, &key, earlier).await?;
        }
        if self.is_gone(log, &error, xref).await? {
            return Err(AttemptError { disposition: Disposition::PlanAgain, ..error.into() });
        }
        if error.class() == Class::Rejected && is_incidental { Ok(()) } else { Err(error.into()) }
    }

    /// The answered intent of a record that is there; one that was never made by an intent gets one.
    async fn known_intent(
        &self,
        log: &mut AttemptLog,
        key: &IntentKey,
        body: &Value,
    ) -> Result<Intent, AttemptError> {
        let answered = |intent: &Intent| intent.answer().is_some();
        if let Some(intent) = self.intent(key).await?.filter(answered) {
            return Ok(intent);
        }
        let unknown = || AttemptError::new(Code::Internal, message!(run_detail.unknown_record));
        let record = self.known.xrefs.get(&key.xref).ok_or_else(unknown)?;
        let answer = Answer {
            sage_id: record.sage_id.clone(),
            displayed_as: record.displayed_as.clone(),
            total_minor: None,
            tax_minor: None,
        };
        let (store, now) = (&self.work.engine.store, self.work.engine.environment.now());
        let request = body::request_of("", body);
        store.adopt_intent(self.work.fence(), key, &request, &answer, &log.steps, now).await?;
        log.steps.clear();
        self.intent(key).await?.ok_or_else(unknown)
    }

    /// Notes that the request which went out last is settled; one before it may still land.
    pub async fn settle(
        &self,
        log: &mut AttemptLog,
        key: &IntentKey,
        earlier: Option<DateTime<Utc>>,
    ) -> Result<(), AttemptError> {
        let (store, now) = (&self.work.engine.store, self.work.engine.environment.now());
        store.settle_intent(self.work.fence(), key, earlier, &log.steps, now).await?;
        log.steps.clear();
        Ok(())
    }

    /// Whether Sage refused a change because somebody has deleted the record there. It is then forgotten, so that a new plan makes it.
    async fn is_gone(
        &self,
        log: &mut AttemptLog,
        error: &sage::Error,
        xref: &XrefKey,
    ) -> Result<bool, AttemptError> {
        if !matches!(error, sage::Error::NotFound(_)) || !self.known.xrefs.contains_key(xref) {
            return Ok(false);
        }
        let (store, now) = (&self.work.engine.store, self.work.engine.environment.now());
        store.forget_record(self.work.fence(), &self.key(xref), &log.steps, now).await?;
        log.steps.clear();
        Ok(true)
    }
}
