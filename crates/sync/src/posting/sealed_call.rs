//! The call of a create as it was sent, sealed: it holds names and addresses, and is sent again word for word after a lost answer.

use domain::{code::Code, plan::Call};
use secrecy::{ExposeSecret, SecretString};
use store::{Intent, IntentKey};

use crate::{Engine, attempt::disposition::AttemptError};

/// What the envelope of an intent's call is bound to: it opens nowhere else.
pub fn associated(key: &IntentKey) -> String {
    let IntentKey { binding_id, business_id, xref } = key;
    format!("{binding_id}/{business_id}/{}/{}", xref.kind, xref.magento_key)
}

/// Seals a call for the intent of this key.
pub fn seal(engine: &Engine, key: &IntentKey, call: &Call) -> Result<String, AttemptError> {
    let plain =
        serde_json::to_string(call).map_err(|error| AttemptError::new(Code::Internal, error.to_string()))?;
    let mut nonce = [0; 12];
    engine.environment.random(&mut nonce);
    engine
        .keys
        .seal(&SecretString::from(plain), &associated(key), nonce)
        .map_err(|error| AttemptError::new(Code::Internal, error.to_string()))
}

/// The call that an intent was opened with; none in intents of versions that did not keep it. What no key opens any more is none
/// either: the record is then searched for.
pub fn open(engine: &Engine, key: &IntentKey, intent: &Intent) -> Option<Call> {
    let envelope = intent.request.sealed_call.as_deref()?;
    let opened = engine.keys.open(envelope, &associated(key)).map_err(|error| error.to_string());
    let read = opened.and_then(|plain| {
        serde_json::from_str(plain.expose_secret()).map_err(|_| "it is not a call".to_owned())
    });
    read.inspect_err(|problem| {
        tracing::warn!(binding = %key.binding_id, kind = %key.xref.kind, problem, "a call that was sent cannot be opened");
    })
    .ok()
}
