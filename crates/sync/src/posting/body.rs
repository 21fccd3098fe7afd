//! Bodies of a plan's calls: ids of earlier answers filled in, digests, idempotency ids.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::Value;
use sha2::{Digest, Sha256};
use store::Request;

/// Ids of the answers so far, by the calls' names.
#[derive(Default)]
pub struct AnsweredIds(BTreeMap<String, String>);

impl AnsweredIds {
    /// Notes the id that a call's answer brought.
    pub fn note(&mut self, name: &str, id: &str) {
        self.0.insert(name.to_owned(), id.to_owned());
    }

    /// A body with the ids in place of `{name}`.
    pub fn fill(&self, body: &Value) -> Value {
        match body {
            Value::String(text) => Value::String(self.fill_text(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.fill(item)).collect()),
            Value::Object(fields) => {
                Value::Object(fields.iter().map(|(name, value)| (name.clone(), self.fill(value))).collect())
            }
            other => other.clone(),
        }
    }

    /// Only a whole `{name}`, or one between slashes: a customer's own braces stay as they are.
    pub fn fill_text(&self, text: &str) -> String {
        let replace = |part: &str| {
            let name = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            name.and_then(|name| self.0.get(name)).map_or_else(|| part.to_owned(), Clone::clone)
        };
        if text.starts_with('/') {
            text.split('/').map(replace).collect::<Vec<_>>().join("/")
        } else {
            replace(text)
        }
    }
}

/// What an intent keeps of a body in the open: by what a repeat is known, and by what its record is found.
pub fn request_of(idempotency_id: &str, body: &Value) -> Request {
    let text = |name: &str| fields(body)?.get(name)?.as_str().map(str::to_owned);
    Request {
        idempotency_id: idempotency_id.to_owned(),
        body_digest: digest(body),
        reference: text("reference"),
        contact_id: text("contact_id"),
        sealed_call: None,
    }
}

/// The day that a document's body bears.
pub fn document_day(body: &Value) -> Option<NaiveDate> {
    fields(body)?.get("date")?.as_str()?.parse().ok()
}

/// SHA-256 of a body, in hex.
fn digest(body: &Value) -> String {
    hex::encode(Sha256::digest(body.to_string().as_bytes()))
}

/// What the wrapper holds.
fn fields(body: &Value) -> Option<&Value> {
    body.as_object()?.values().next()
}

/// The idempotency id inside the wrapper.
pub fn idempotency_id_of(body: &Value) -> Option<&str> {
    fields(body)?.get("idempotency_id")?.as_str()
}

/// Puts another idempotency id into the wrapper.
pub fn set_idempotency_id(body: &mut Value, id: &str) {
    if let Some(fields) = body.as_object_mut().and_then(|body| body.values_mut().next()) {
        fields["idempotency_id"] = Value::from(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_go_where_the_plan_says_and_nowhere_else() {
        let mut ids = AnsweredIds::default();
        ids.note("contact", "c1");
        let body =
            json!({ "contact_id": "{contact}", "notes": "a {contact} in a sentence", "other": "{unknown}" });
        let filled =
            json!({ "contact_id": "c1", "notes": "a {contact} in a sentence", "other": "{unknown}" });
        assert_eq!(ids.fill(&body), filled);
        assert_eq!(ids.fill_text("/contacts/{contact}/x"), "/contacts/c1/x");
    }
}
