//! How Sage says no: an array of errors with its inner names, or an OAuth error.

use serde_json::{Value, json};

/// One error of a reply.
#[derive(Debug, Clone)]
pub(super) struct Item {
    code: &'static str,
    message: String,
    source: String,
}

impl Item {
    /// A field that breaks a rule: `RecordInvalid`.
    pub(super) fn invalid(source: &str, message: impl Into<String>) -> Self {
        Self { code: "RecordInvalid", message: message.into(), source: inner_name(source) }
    }
}

/// A request that Sage refuses.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: u16,
    items: Vec<Item>,
}

impl Refusal {
    /// Several fields at once.
    pub(super) fn all(items: Vec<Item>) -> Self {
        Self { status: 422, items }
    }

    /// 422 for one field, named as the API names it; the reply carries Sage's inner name.
    pub(super) fn invalid(source: &str, message: impl Into<String>) -> Self {
        Self::all(vec![Item::invalid(source, message)])
    }

    /// 422 for a field that must be there.
    pub(super) fn required(source: &str) -> Self {
        Self::invalid(source, "This field is required.")
    }

    /// The id is unknown, or (for ledger accounts) hidden where it was used. Sage does not say which.
    pub(super) fn not_found() -> Self {
        Self::one(404, "RecordNotFound", "Couldn't find record.", "")
    }

    /// The contact exists, but is no customer.
    pub(super) fn no_customer() -> Self {
        Self::one(404, "RecordNotFound", "Couldn't find Customer", "")
    }

    /// The path exists, the method does not.
    pub(super) fn method_not_allowed() -> Self {
        Self::one(405, "UnexpectedError", "Method not allowed.", "")
    }

    /// A token that is missing, unknown or past its time.
    pub(super) fn unauthorised() -> Self {
        Self::one(401, "AuthorizationFailure", "Invalid or expired access token.", "")
    }

    /// The plan of the business has not got this: a 401 that no refresh cures.
    pub(super) fn no_subscription() -> Self {
        Self::one(401, "AuthorizationFailure", "No active subscription (MSE)", "")
    }

    /// The user's rights do not reach this, or the app's access was withdrawn.
    pub(super) fn denied() -> Self {
        Self::one(403, "MultiUserAccessDenied", "Access denied.", "")
    }

    /// The idempotency id was used for another resource.
    pub(super) fn idempotency_mismatch() -> Self {
        Self::one(
            422,
            "IdempotencyResourceMismatch",
            "The idempotency id was used for another resource.",
            "idempotency_id",
        )
    }

    /// A failure of Sage itself.
    pub(super) fn unexpected(status: u16, message: &str) -> Self {
        Self::one(status, "UnexpectedError", message, "")
    }

    fn one(status: u16, code: &'static str, message: &str, source: &str) -> Self {
        Self { status, items: vec![Item { code, message: message.to_owned(), source: source.to_owned() }] }
    }

    /// The body, as the wire has it.
    pub(super) fn body(&self) -> Value {
        let entry = |item: &Item| {
            json!({
                "$severity": "error",
                "$dataCode": item.code,
                "$message": item.message,
                "$source": item.source,
            })
        };
        self.items.iter().map(entry).collect()
    }
}

/// Sage's inner name of a field: `line_items.currency_tax_amount` for `invoice_lines.tax_amount`.
///
/// Only the names met in the wild are translated; the rest go out under the name they came in with.
fn inner_name(outer: &str) -> String {
    let line = outer.strip_prefix("invoice_lines").or_else(|| outer.strip_prefix("credit_note_lines"));
    match line {
        Some(".tax_amount") => "line_items.currency_tax_amount".to_owned(),
        Some(rest) => format!("line_items{rest}"),
        None => outer.to_owned(),
    }
}
