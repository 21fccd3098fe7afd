//! The fields of a sales credit note.

use domain::{documents::CreditMemo, money::round2, text::clean_optional};
use serde_json::{Map, Value};

use crate::{
    amounts::breakdown::{self, TaxedRow},
    context::Context,
    credit_note::{adjustments, reconstruct::ReconstructedSale, settlement::OriginalInvoice},
    documents::body,
    findings::{Findings, NotPosted},
    terms::{Terms, dates},
    text::cut,
};

/// Sage's limit, in characters.
const NOTES: usize = 2000;

/// The fields of the credit note, without the idempotency id: those of an invoice of the same sale, with a memo's own in place of
/// an invoice's.
pub(crate) fn fields(
    memo: &CreditMemo,
    reconstructed: &ReconstructedSale,
    contact: &str,
    original: Option<&OriginalInvoice>,
    terms: &Terms,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Map<String, Value>, NotPosted> {
    let adjustments = adjustments::adjustments(memo, reconstructed.excess, findings);
    let mut rows = rows_of_sale(reconstructed, !adjustments.is_empty(), terms, context, findings)?;
    for row in adjustments {
        rows.push(adjustments::untaxed(row, terms, context, findings)?);
    }
    let mut sale = reconstructed.sale.clone();
    sale.grand_total = round2(memo.grand_total);
    let mut fields = body::fields(&sale, context, contact, terms, &rows, findings)?;
    // The sale's day is the memo's, which has its own word.
    findings.rules.retain(|rule| rule.subject != "invoice date");
    if let Some(lines) = fields.remove("invoice_lines") {
        fields.insert("credit_note_lines".to_owned(), lines);
    }
    fields.insert("notes".to_owned(), Value::String(notes(memo, original, findings)));
    // Of a memo's addresses only the profile's are known, and the contact has those; the invoice's are the document's own.
    if original.is_none_or(|original| original.document.is_none()) {
        fields.remove("main_address");
        fields.remove("delivery_address");
    }
    let date = original.and_then(|original| original.date);
    let date = date.or_else(|| {
        memo.invoice_created_at.map(|at| dates::local_day(at, context.policy, context.reference))
    });
    if let Some(date) = date {
        fields.insert("original_invoice_date".to_owned(), Value::String(date.to_string()));
    }
    Ok(fields)
}

/// Which invoice and order it takes back, and why.
fn notes(memo: &CreditMemo, original: Option<&OriginalInvoice>, findings: &mut Findings) -> String {
    let number = &memo.increment_id;
    let order = original.and_then(|original| original.document.as_ref()?.order_increment_id.as_deref());
    let mut notes = match (&memo.invoice_increment_id, order) {
        (Some(invoice), Some(order)) => {
            format!("Magento credit memo {number} for invoice {invoice} of order {order}")
        }
        (Some(invoice), None) => format!("Magento credit memo {number} for invoice {invoice}"),
        (None, _) => format!("Magento credit memo {number}, made from the order: it names no invoice"),
    };
    if let Some(in_sage) = original.and_then(|original| original.displayed_as.as_deref()) {
        notes = format!("{notes} ({in_sage} in Sage)");
    }
    if let Some(reason) = clean_optional(memo.reason.as_deref()) {
        notes.push_str("\nReason: ");
        notes.push_str(&reason);
    }
    cut(&notes, NOTES, "notes", findings)
}

/// The rows of the sale, without lines of nothing where something else stands.
fn rows_of_sale(
    reconstructed: &ReconstructedSale,
    has_adjustments: bool,
    terms: &Terms,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Vec<TaxedRow>, NotPosted> {
    let sale = &reconstructed.sale;
    let is_nothing = sale.lines.iter().all(|line| line.line_total.is_zero() && line.line_subtotal.is_zero())
        && sale.shipping_amount.is_zero()
        && sale.grand_total.is_zero();
    if is_nothing && has_adjustments {
        Ok(Vec::new())
    } else {
        breakdown::rows(sale, terms, context, findings)
    }
}
