//! The calls that make a sales document in Sage and release its draft.

use domain::{
    plan::{Adopt, Call, Expect, Method, Predicted},
    xref::XrefKey,
};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::{
    context::Context,
    document_kind::{ApiNames, DocumentKind},
};

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
    let ApiNames { call, path, wrapper, .. } = kind.api_names();
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
    let ApiNames { call, path, .. } = kind.api_names();
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
