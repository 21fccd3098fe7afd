//! The calls that make a sales document in Sage and release its draft.

use domain::{
    plan::{Adopt, Call, Expect, Method, Predicted},
    xref::XrefKey,
};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::{context::Context, sales_document::DocumentKind};

/// How Sage's API names one kind of document.
struct ApiNames {
    /// The call, whose answer's id later calls use.
    call: &'static str,
    /// The list.
    path: &'static str,
    /// The wrapper of the body.
    wrapper: &'static str,
}

fn names(kind: DocumentKind) -> ApiNames {
    match kind {
        DocumentKind::Invoice => {
            ApiNames { call: "invoice", path: "/sales_invoices", wrapper: "sales_invoice" }
        }
        DocumentKind::CreditNote => {
            ApiNames { call: "creditmemo", path: "/sales_credit_notes", wrapper: "sales_credit_note" }
        }
    }
}

/// The call that makes the document, and in safe mode the one that releases its draft.
pub(crate) fn calls(
    kind: DocumentKind,
    key: XrefKey,
    fields: Map<String, Value>,
    predicted: &Predicted,
    base_total: Option<Decimal>,
    context: &Context<'_>,
) -> Vec<Call> {
    let mut calls = vec![create(kind, key, fields, predicted, base_total, context)];
    if context.safe_mode {
        calls.push(release(kind));
    }
    calls
}

fn create(
    kind: DocumentKind,
    key: XrefKey,
    fields: Map<String, Value>,
    predicted: &Predicted,
    base_total: Option<Decimal>,
    context: &Context<'_>,
) -> Call {
    let ApiNames { call, path, wrapper } = names(kind);
    let reference = fields.get("reference").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut body = context.identified(&key);
    body.extend(fields);
    Call {
        name: call.to_owned(),
        method: Method::Post,
        path: path.to_owned(),
        body: json!({ wrapper: body }),
        xref: Some(key),
        adopt: Some(Adopt::Document { path: path.to_owned(), reference }),
        expect: Some(Expect { total: predicted.total, tax: Some(predicted.tax), base_total }),
        releases_draft: false,
    }
}

fn release(kind: DocumentKind) -> Call {
    let ApiNames { call, path, .. } = names(kind);
    Call {
        name: "release".to_owned(),
        method: Method::Post,
        path: format!("{path}/{{{call}}}/release"),
        body: Value::Null,
        xref: None,
        adopt: None,
        expect: None,
        releases_draft: true,
    }
}
