//! An invoice becomes a contact and a sales invoice.

use domain::{
    code::Code,
    documents::Invoice,
    money::{round2, text},
    plan::{Call, Plan, Predicted},
};
use messages::message;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::{
    amounts::{breakdown, foreign_tax, tax_rates::AvailableRates},
    contact::{choice, identity},
    context::Context,
    document_kind::DocumentKind,
    documents::{
        body, document_calls,
        reconcile::{ExpectedTotals, reconciled},
        reference, skip, sold,
    },
    findings::{self, Findings, NotPosted},
    keys, limits,
    sales_document::SalesDocument,
    tax_return,
    terms::{Terms, dates},
    text::{cut, stated},
};

/// Sage's limit, in characters.
const NOTES: usize = 2000;

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
        return findings::already(&message!(plan_notes.invoice, number = invoice.increment_id), known);
    }
    if let Some(code) = skip::reason(invoice, context.settings) {
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
    if round2(invoice.grand_total).is_zero() && sold::of_invoice(invoice) > Decimal::ZERO {
        if !sold::is_paid_by_stored_value(invoice) {
            return Err(sold::unpaid(sold::of_invoice(invoice), findings));
        }
        findings.rule(
            "payment",
            "stored value",
            "payment_method",
            invoice.payment_method.clone().unwrap_or_default(),
        );
    }
    let document = SalesDocument::of_invoice(invoice);
    let assigned = identity::assign(&document.buyer, context);
    let terms = Terms::of(&document, &assigned, false, context, findings)?;
    let rates = AvailableRates::new(context.settings, context.reference, &terms.place);
    let rows = breakdown::rows(&document, &rates, context, findings)?;
    let contact = choice::choose(assigned, &document.buyer, terms.place.treatment, context, findings);
    let heading = heading(invoice, &contact.id, context, findings)?;
    let fields = body::fields(&document, heading, &terms, &rows, context, findings)?;
    let tax = invoice.tax_amount - foreign_tax::of(rows.iter().map(|taxed| &taxed.row));
    let expected = ExpectedTotals { total: invoice.grand_total, tax, currency: invoice.currency };
    let predicted = reconciled(document.kind, &fields, &expected, context.reference, findings)?;
    let boxes = tax_return::proven(&document, &fields, Decimal::ZERO, &terms, context, findings)?;
    let predicted = Predicted { boxes, ..predicted };
    let base_total = terms.exchange.and_then(|rate| rate.in_base(predicted.total));
    let mut calls: Vec<Call> = contact.call.into_iter().collect();
    let key = keys::invoice(invoice);
    calls.extend(document_calls::calls(document.kind, key, fields, &predicted, base_total, context));
    Ok(InvoicePosting { calls, predicted, contact: contact.id })
}

/// Refuses figures that cannot be computed with, and a total below zero.
fn refuse_impossible(invoice: &Invoice, findings: &Findings) -> Result<(), NotPosted> {
    let header = [
        invoice.subtotal,
        invoice.tax_amount,
        invoice.shipping_amount,
        invoice.shipping_tax_amount,
        invoice.discount_amount,
        invoice.grand_total,
    ];
    if !limits::are_computable(invoice.currency, &header, &invoice.lines) {
        let message = limits::not_computable(invoice.currency, DocumentKind::Invoice);
        return Err(findings.fail(Code::InconsistentDocument, message));
    }
    if invoice.increment_id.is_empty() {
        let message = message!(plan.no_number, document = DocumentKind::Invoice.noun());
        return Err(findings.fail(Code::InconsistentDocument, message));
    }
    if round2(invoice.grand_total) < Decimal::ZERO {
        let message = message!(plan.negative_invoice, amount = text(invoice.grand_total));
        return Err(findings.fail(Code::InconsistentDocument, message));
    }
    Ok(())
}

/// The fields that name the invoice: contact, day, number and notes.
fn heading(
    invoice: &Invoice,
    contact: &str,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Map<String, Value>, NotPosted> {
    let settings = context.settings;
    let day = dates::document_day(invoice.created_at, "invoice", settings, context.reference, findings)?;
    let mut heading = Map::new();
    let mut put = |field: &str, value: String| heading.insert(field.to_owned(), Value::String(value));
    put("contact_id", contact.to_owned());
    put("date", day.to_string());
    put("reference", reference::of(&invoice.increment_id, settings, findings));
    put("notes", notes(invoice, findings));
    Ok(heading)
}

fn notes(invoice: &Invoice, findings: &mut Findings) -> String {
    let mut notes = match &invoice.order_increment_id {
        Some(order) => format!("Magento order {order}, invoice {}", invoice.increment_id),
        None => format!("Magento invoice {}", invoice.increment_id),
    };
    let number = invoice.po_number.as_deref();
    if let Some(number) = stated(number, message!(field_names.purchase_order), findings) {
        notes.push_str("\nPurchase Order: ");
        notes.push_str(&number);
    }
    cut(&notes, NOTES, message!(field_names.notes), findings)
}
