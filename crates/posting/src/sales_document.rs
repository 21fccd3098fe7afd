//! What an invoice and a credit note have in common: a buyer, lines, sums, a currency. Every step beneath the documents works on this,
//! so that no credit memo has to pass for an invoice.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use domain::documents::{Invoice, Line};
use rust_decimal::Decimal;

use crate::{buyer::Buyer, document_kind::DocumentKind};

/// The sums of a document's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DocumentTotals {
    /// Sum of the rows without tax, before discount.
    pub subtotal: Decimal,
    /// All discounts, shipping's included; negative.
    pub discount: Decimal,
    /// Shipping without tax, before discount.
    pub shipping: Decimal,
    /// Tax on shipping.
    pub shipping_tax: Decimal,
    /// All tax, shipping's and fixed product taxes' included.
    pub tax: Decimal,
    /// Total with tax.
    pub grand_total: Decimal,
}

/// An invoice, or the sale that a credit memo takes back.
#[derive(Clone, Debug)]
pub(crate) struct SalesDocument<'a> {
    /// What it becomes.
    pub kind: DocumentKind,
    /// Who it is for.
    pub buyer: Buyer<'a>,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// Order currency = base currency x this.
    pub base_to_order_rate: Option<Decimal>,
    /// Its lines.
    pub lines: Cow<'a, [Line]>,
    /// Its sums.
    pub totals: DocumentTotals,
}

impl<'a> SalesDocument<'a> {
    /// An invoice as Magento has it.
    pub fn of_invoice(invoice: &'a Invoice) -> Self {
        Self {
            kind: DocumentKind::Invoice,
            buyer: Buyer::of_invoice(invoice),
            made_at: invoice.created_at,
            base_to_order_rate: invoice.base_to_order_rate,
            lines: Cow::Borrowed(&invoice.lines),
            totals: DocumentTotals::of_invoice(invoice),
        }
    }
}

impl DocumentTotals {
    /// The sums of an invoice's header.
    pub fn of_invoice(invoice: &Invoice) -> Self {
        Self {
            subtotal: invoice.subtotal,
            discount: invoice.discount_amount,
            shipping: invoice.shipping_amount,
            shipping_tax: invoice.shipping_tax_amount,
            tax: invoice.tax_amount,
            grand_total: invoice.grand_total,
        }
    }
}
