//! The fields of a sales credit note.

use chrono::NaiveDate;
use domain::documents::CreditMemo;
use messages::message;
use serde_json::{Map, Value};

use crate::{
    amounts::breakdown::TaxedRow,
    context::Context,
    credit_note::settlement::OriginalInvoice,
    documents::{body, reference},
    findings::{Findings, NotPosted},
    sales_document::SalesDocument,
    terms::{Terms, dates::DocumentDay},
    text::{cut, stated},
};

/// Sage's limit, in characters.
const NOTES: usize = 2000;

/// A credit note that is ready to be written down.
pub(crate) struct CreditNote<'a> {
    /// The memo.
    pub memo: &'a CreditMemo,
    /// The sale that it takes back.
    pub sale: &'a SalesDocument<'a>,
    /// Its invoice as Sage holds it.
    pub original: Option<&'a OriginalInvoice>,
    /// The contact's id, or `{contact}`.
    pub contact: &'a str,
    /// Its day.
    pub day: &'a DocumentDay,
}

impl CreditNote<'_> {
    /// The fields of the credit note, without the idempotency id.
    pub fn fields(
        &self,
        terms: &Terms,
        rows: &[TaxedRow],
        context: &Context<'_>,
        findings: &mut Findings,
    ) -> Result<Map<String, Value>, NotPosted> {
        let mut heading = Map::new();
        let mut put = |field: &str, value: String| heading.insert(field.to_owned(), Value::String(value));
        put("contact_id", self.contact.to_owned());
        put("date", self.day.day.to_string());
        put("reference", reference::of(&self.memo.increment_id, context.settings, findings));
        let mut fields = body::fields(self.sale, heading, terms, rows, context, findings)?;
        fields.insert("notes".to_owned(), Value::String(self.notes(findings)));
        // Of a memo's addresses only the profile's are known, and the contact has those; the invoice's are the document's own.
        if self.original.is_none_or(|original| original.document.is_none()) {
            fields.remove("main_address");
            fields.remove("delivery_address");
        }
        if let Some(date) = self.original_date() {
            fields.insert("original_invoice_date".to_owned(), Value::String(date.to_string()));
        }
        Ok(fields)
    }

    /// The day of the invoice that it takes back: Sage's, else Magento's.
    fn original_date(&self) -> Option<NaiveDate> {
        let of_memo = self.memo.invoice_created_at.map(|at| at.with_timezone(&self.day.zone).date_naive());
        self.original.and_then(|original| original.date).or(of_memo)
    }

    /// Which invoice and order it takes back, and why.
    fn notes(&self, findings: &mut Findings) -> String {
        let (memo, original) = (self.memo, self.original);
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
        let reason = memo.reason.as_deref();
        if let Some(reason) = stated(reason, message!(field_names.reason), findings) {
            notes.push_str("\nReason: ");
            notes.push_str(&reason);
        }
        cut(&notes, NOTES, message!(field_names.notes), findings)
    }
}
