//! A request that changes something in Sage: token and turn first, then the last look, then the bytes.

use domain::plan::Method;
use serde_json::Value;
use store::{IntentKey, Request};

use crate::{
    attempt::{
        audit_trail::{recorded, step},
        disposition::AttemptError,
        log::AttemptLog,
    },
    posting::{body, execution::PlanExecution},
};

/// What is looked at when nothing is left to wait for: whether this attempt may still write to the business.
pub enum PreSendCheck<'a> {
    /// For what does no harm when it is repeated: nobody else holds the run or writes to the business.
    Fence,
    /// For a create: the same, and its intent is open with this request.
    Create(&'a IntentKey, &'a Request),
    /// For an update: the same, and the intent of its record knows of a body with this digest.
    Update(&'a IntentKey, &'a str),
}

/// One request.
pub struct Outgoing<'a> {
    /// Its name in the audit trail.
    pub name: &'a str,
    /// HTTP method.
    pub method: Method,
    /// Path below the API's base.
    pub path: &'a str,
    /// The body.
    pub body: Option<&'a Value>,
}

/// What came of a request.
pub struct Written {
    /// Sage's answer.
    pub answered: Result<sage::Answer, sage::Error>,
    /// Whether it came as far as the last look, so that a create's intent is open.
    pub is_sent: bool,
}

impl PlanExecution<'_> {
    /// Sends a request once, and once more where Sage refuses the token. Fails when the last look does, and then nothing was sent.
    pub async fn write(
        &self,
        log: &mut AttemptLog,
        outgoing: &Outgoing<'_>,
        look: PreSendCheck<'_>,
    ) -> Result<Written, AttemptError> {
        let Outgoing { name, method, path, body } = *outgoing;
        let begun = self.work.engine.environment.now();
        let (answered, is_sent) = match self.sage.ready().await {
            Ok(ready) => (self.send_ready(ready, outgoing, &look).await?, true),
            Err(error) => (Err(error), false),
        };
        let mut step = step(name, method_name(method), path.split('?').next().unwrap_or(path), begun);
        if let Some(body) = body {
            step.idempotency_id = body::idempotency_id_of(body).map(str::to_owned);
            step.request = log.redactor.kept(body);
        }
        Ok(Written { answered: recorded(log, step, answered), is_sent })
    }

    async fn send_ready(
        &self,
        ready: sage::Ready<'_>,
        Outgoing { method, path, body, .. }: &Outgoing<'_>,
        look: &PreSendCheck<'_>,
    ) -> Result<Result<sage::Answer, sage::Error>, AttemptError> {
        self.check_before_send(look).await?;
        match ready.send(*method, path, *body).await {
            Err(sage::Error::Unauthorised(_)) => {}
            answered => return Ok(answered),
        }
        // Another token may have to be waited for, so everything is looked at once more.
        let ready = match ready.refreshed().await {
            Ok(ready) => ready,
            Err(error) => return Ok(Err(error)),
        };
        self.check_before_send(look).await?;
        Ok(ready.send(*method, path, *body).await)
    }

    async fn check_before_send(&self, look: &PreSendCheck<'_>) -> Result<(), AttemptError> {
        let (store, fence) = (&self.work.engine.store, self.work.fence());
        match look {
            PreSendCheck::Fence => store.may_write(fence).await?,
            PreSendCheck::Create(key, request) => {
                store.open_intent(fence, key, request, self.work.engine.environment.now()).await?;
            }
            PreSendCheck::Update(key, body_digest) => {
                store.open_update(fence, key, body_digest, self.work.engine.environment.now()).await?;
            }
        }
        // The store may have been waited for, too. This waits for nothing.
        self.work.lease.ensure_held()
    }
}

/// The method's word on the wire.
pub const fn method_name(method: Method) -> &'static str {
    match method {
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
    }
}
