//! Drafts: released when their sums are right, deleted when they are not.

use domain::{
    code::Code,
    plan::{Call, Method},
};
use store::{Answer, IntentKey};

use super::{
    execution::PlanExecution,
    posted_record::{Origin, PostedRecord},
    write::{Outgoing, PreSendCheck},
};
use crate::attempt::{disposition::AttemptError, log::AttemptLog, sage_answers};

impl PlanExecution<'_> {
    /// A draft whose sums differ never reaches the books: it is deleted, and the next attempt makes another. That the deletion was begun
    /// is known before it is asked for, so that a draft which is not found afterwards is no riddle.
    pub async fn take_back_draft(
        &self,
        log: &mut AttemptLog,
        call: &Call,
        key: &IntentKey,
        answer: &Answer,
    ) -> Result<(), AttemptError> {
        let (store, now) = (&self.work.engine.store, self.work.engine.environment.now());
        store.withdraw_intent(self.work.fence(), key, &log.steps, now).await?;
        log.steps.clear();
        self.delete_draft(log, call, &answer.sage_id).await?;
        self.refuse(log, key).await
    }

    /// Deletes a draft. Without a reason for voiding Sage deletes nothing but drafts (its swagger), so a request that is carried out late
    /// cannot void what somebody has released meanwhile.
    pub async fn delete_draft(
        &self,
        log: &mut AttemptLog,
        call: &Call,
        sage_id: &str,
    ) -> Result<(), AttemptError> {
        let path = format!("{}/{sage_id}", call.path);
        let outgoing = Outgoing { name: "delete draft", method: Method::Delete, path: &path, body: None };
        match self.write(log, &outgoing, PreSendCheck::Fence).await?.answered {
            Ok(_) | Err(sage::Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Releases a draft. Unless it was made by this very attempt it is looked at first: an earlier release may have succeeded.
    pub async fn release(
        &self,
        log: &mut AttemptLog,
        call: &Call,
        path: &str,
        key: &IntentKey,
        posted_record: &PostedRecord,
    ) -> Result<Answer, AttemptError> {
        if posted_record.origin != Origin::Fresh
            && let Some(released) = self.released_already(log, call, posted_record).await?
        {
            self.answered(log, key, &released, None).await?;
            return Ok(released);
        }
        let outgoing = Outgoing { name: "release", method: Method::Post, path, body: None };
        let answered = self.write(log, &outgoing, PreSendCheck::Fence).await?.answered?;
        let answer = sage_answers::answer_of(&answered.body).unwrap_or_else(|| posted_record.answer.clone());
        self.answered(log, key, &answer, None).await?;
        Ok(answer)
    }

    /// What was made, where it has left its draft state.
    pub async fn released_already(
        &self,
        log: &mut AttemptLog,
        call: &Call,
        posted_record: &PostedRecord,
    ) -> Result<Option<Answer>, AttemptError> {
        if let Some(is_draft) = posted_record.is_draft {
            return Ok((!is_draft).then(|| posted_record.answer.clone()));
        }
        let Some(record) = self.look_at(log, call, &posted_record.answer.sage_id).await? else {
            return Err(AttemptError::plain(Code::SageNotFound));
        };
        let is_draft = record["status"]["id"].as_str() == Some("DRAFT");
        Ok(if is_draft { None } else { sage_answers::answer_of(&record) })
    }
}
