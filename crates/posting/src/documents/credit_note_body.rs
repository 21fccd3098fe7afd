//! The fields of a sales credit note.

use serde_json::{Map, Value};

use domain::{documents::CreditMemo, money::round2, text::clean_optional};

use crate::{
    Context, OriginalInvoice,
    amounts::{breakdown::Reckoned, rows::Row, tax_rates::Rates},
    credit_note::reconstruct::TakenBack,
    documents::{
        body,
        credit_memo::{adjustments, rows_of_sale},
    },
    findings::{Ended, Findings},
    terms::{Terms, dates},
    text::cut,
};

/// Sage's limit, in characters.
const NOTES: usize = 2000;

/// The fields of the credit note, without the idempotency id: those of an invoice of the same sale, with a memo's own in place of
/// an invoice's.
pub(crate) fn fields(
    memo: &CreditMemo,
    taken: &TakenBack,
    contact: &str,
    original: Option<&OriginalInvoice>,
    terms: &Terms,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Map<String, Value>, Ended> {
    let adjustments = adjustments(memo, taken.excess, findings);
    let mut rows = rows_of_sale(taken, !adjustments.is_empty(), terms, context, findings)?;
    for row in adjustments {
        rows.push(untaxed(row, terms, context, findings)?);
    }
    let mut sale = taken.sale.clone();
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

/// An untaxed row with the rate of 0 % that the merchant chose.
fn untaxed(
    row: Row,
    terms: &Terms,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Reckoned, Ended> {
    if !context.reference.registered_for_tax {
        return Ok(Reckoned { row, rate: None });
    }
    match Rates::new(context.policy, context.reference, &terms.border).choose(row.percent, None) {
        Ok(choice) => {
            findings.rule("adjustment tax rate", &*choice.id, choice.rule, &*choice.input);
            Ok(Reckoned { row, rate: Some(choice) })
        }
        Err(missing) => Err(findings.hold_for(&[missing])),
    }
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
