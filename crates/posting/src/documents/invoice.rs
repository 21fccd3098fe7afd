//! An invoice becomes a contact and a sales invoice.

use domain::{
    code::Code,
    documents::Invoice,
    money::{round2, text},
    plan::{Adopt, Call, Expect, Method, Plan, Predicted},
};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::{
    amounts::breakdown,
    contact::choice,
    context::Context,
    documents::{
        body,
        reconcile::{ExpectedTotals, reconciled},
        skip,
    },
    findings::{self, Findings, NotPosted},
    idempotency::idempotency_id,
    keys,
    terms::Terms,
};

/// The calls that bring an invoice into Sage, with what they come to.
pub(crate) struct InvoicePosting {
    /// Contact, invoice, release.
    pub calls: Vec<Call>,
    /// The sums that Sage will show.
    pub predicted: Predicted,
    /// The contact's id, or `{contact}`.
    pub contact: String,
}

/// Plans an invoice: contact, invoice, and in safe mode its release.
pub(crate) fn plan(invoice: &Invoice, context: &Context<'_>) -> Plan {
    if let Some(known) = context.xrefs.get(&keys::invoice(invoice)) {
        return findings::already(&format!("Invoice {}", invoice.increment_id), known);
    }
    if let Some(code) = skip::reason(invoice, context.policy) {
        return Plan::skip(code);
    }
    let mut findings = Findings::default();
    match posting(invoice, context, &mut findings) {
        Ok(posting) => findings::plan_of(posting.calls, Some(posting.predicted), findings),
        Err(ended) => *ended,
    }
}

/// The calls of an invoice that is not in Sage.
pub(crate) fn posting(
    invoice: &Invoice,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<InvoicePosting, NotPosted> {
    refuse_impossible(invoice, findings)?;
    let terms = Terms::of(invoice, context, findings)?;
    let rows = breakdown::rows(invoice, &terms, context, findings)?;
    let contact = choice::choose(invoice, context, findings);
    let fields = body::fields(invoice, context, &contact.id, &terms, &rows, findings)?;
    let expected =
        ExpectedTotals { total: invoice.grand_total, tax: invoice.tax_amount, currency: invoice.currency };
    let predicted = reconciled(&fields, "invoice_lines", &expected, context.reference, findings)?;
    let mut calls: Vec<Call> = contact.call.into_iter().collect();
    calls.push(invoice_call(fields, invoice, context, &predicted, terms.in_base(predicted.total)));
    if context.safe_mode {
        calls.push(release_call());
    }
    Ok(InvoicePosting { calls, predicted, contact: contact.id })
}

fn refuse_impossible(invoice: &Invoice, findings: &Findings) -> Result<(), NotPosted> {
    if !is_computable(invoice) {
        return Err(findings
            .fail(Code::DocumentMakesNoSense, "The invoice holds amounts of more than ten milliards."));
    }
    if round2(invoice.grand_total) < Decimal::ZERO {
        let message =
            format!("The invoice totals {}, which is less than nothing.", text(invoice.grand_total));
        return Err(findings.fail(Code::DocumentMakesNoSense, message));
    }
    Ok(())
}

/// Whether every figure is small enough to be multiplied without overflow.
fn is_computable(invoice: &Invoice) -> bool {
    let most = Decimal::from(10_000_000_000_i64);
    let header = [
        invoice.subtotal,
        invoice.tax_amount,
        invoice.shipping_amount,
        invoice.shipping_tax_amount,
        invoice.discount_amount,
        invoice.grand_total,
    ];
    let lines = invoice.lines.iter().flat_map(|line| {
        [
            line.qty,
            line.unit_price,
            line.line_subtotal,
            line.line_tax,
            line.line_total,
            line.tax_percent.unwrap_or_default(),
        ]
    });
    header.into_iter().chain(lines).all(|amount| amount.abs() <= most)
}

fn invoice_call(
    fields: Map<String, Value>,
    invoice: &Invoice,
    context: &Context<'_>,
    predicted: &Predicted,
    base_total: Option<Decimal>,
) -> Call {
    let key = keys::invoice(invoice);
    let generation = context.generations.get(&key).copied().unwrap_or(0);
    let reference = fields.get("reference").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut body = Map::new();
    let id = idempotency_id(context.binding, context.business, &key, generation);
    body.insert("idempotency_id".to_owned(), Value::String(id));
    body.extend(fields);
    Call {
        name: "invoice".to_owned(),
        method: Method::Post,
        path: "/sales_invoices".to_owned(),
        body: json!({ "sales_invoice": body }),
        xref: Some(key),
        adopt: Some(Adopt::Document { path: "/sales_invoices".to_owned(), reference }),
        expect: Some(Expect { total: predicted.total, tax: Some(predicted.tax), base_total }),
        releases_draft: false,
    }
}

fn release_call() -> Call {
    Call {
        name: "release".to_owned(),
        method: Method::Post,
        path: "/sales_invoices/{invoice}/release".to_owned(),
        body: Value::Null,
        xref: None,
        adopt: None,
        expect: None,
        releases_draft: true,
    }
}
