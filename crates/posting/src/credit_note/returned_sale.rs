//! The sale that a credit memo takes back, as far as the memo's own fields show it.

use std::borrow::Cow;

use domain::{
    documents::{CreditMemo, Invoice, Line},
    money::{round, round2, text},
    plan::{RefusedSums, SumSource},
};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    buyer::Buyer,
    limits,
    sales_document::{DocumentKind, DocumentTotals, SalesDocument},
};

/// Who a memo is for. It has no addresses of its own: the invoice's show where the goods went, the profile's stand in.
pub(crate) fn buyer<'a>(memo: &'a CreditMemo, invoice: Option<&'a Invoice>) -> Buyer<'a> {
    let of_profile = Buyer::of_profile(&memo.customer, memo.currency);
    let (billing_address, shipping_address) = match invoice {
        Some(invoice) => (invoice.billing_address.as_ref(), invoice.shipping_address.as_ref()),
        None => (of_profile.billing_address, of_profile.shipping_address),
    };
    Buyer {
        billing_address,
        shipping_address,
        total: round2(memo.grand_total),
        // A guest without an e-mail address is named by the invoice; a memo without one must not be taken for an invoice.
        document_id: memo.invoice_id.unwrap_or(-memo.magento_id),
        ..of_profile
    }
}

/// The sale as the memo's fields show it, without adjustments.
pub(crate) fn shown<'a>(memo: &'a CreditMemo, invoice: Option<&'a Invoice>) -> SalesDocument<'a> {
    let sum = |value: fn(&Line) -> Decimal| memo.lines.iter().map(value).sum::<Decimal>();
    SalesDocument {
        kind: DocumentKind::CreditNote,
        buyer: buyer(memo, invoice),
        base_to_order_rate: memo.base_to_order_rate,
        lines: Cow::Borrowed(&memo.lines),
        totals: DocumentTotals {
            subtotal: sum(|line| line.line_subtotal),
            discount: -sum(Line::discount),
            shipping: memo.shipping_amount,
            shipping_tax: memo.shipping_tax_amount,
            tax: sum(|line| line.line_tax) + memo.shipping_tax_amount,
            grand_total: total_of_goods(memo),
        },
    }
}

/// The memo's total to the penny, less its adjustments: what lines and shipping come to. (Magento leaves four places.)
pub(crate) fn total_of_goods(memo: &CreditMemo) -> Decimal {
    round2(memo.grand_total) - round2(memo.adjustment_positive) + round2(memo.adjustment_negative)
}

/// What makes a memo contradict itself before any sum is looked at.
pub(crate) fn contradiction(memo: &CreditMemo) -> Option<String> {
    let header = [
        memo.adjustment_positive,
        memo.adjustment_negative,
        memo.grand_total,
        memo.shipping_amount,
        memo.shipping_tax_amount,
        memo.shipping_discount.unwrap_or_default(),
    ];
    if !limits::are_computable(&header, &memo.lines) {
        return Some(limits::not_computable(DocumentKind::CreditNote));
    }
    if round2(memo.grand_total) < Decimal::ZERO {
        return Some(message!(plan.negative_memo, amount = round(memo.grand_total, 4)));
    }
    let parts = [
        (message!(memo_parts.adjustment_positive), memo.adjustment_positive),
        (message!(memo_parts.adjustment_negative), memo.adjustment_negative),
        (message!(memo_parts.shipping), memo.shipping_amount),
        (message!(memo_parts.shipping_tax), memo.shipping_tax_amount),
    ];
    let (what, amount) = parts.into_iter().find(|(_, amount)| *amount < Decimal::ZERO)?;
    Some(message!(plan.negative_memo_part, part = what, amount = text(amount)))
}

/// Magento's sum of a memo, and that of its parts.
pub(crate) fn both_sums(memo: &CreditMemo) -> RefusedSums {
    let other_total: Decimal = memo.lines.iter().map(|line| line.line_total).sum::<Decimal>()
        + memo.shipping_amount
        + memo.shipping_tax_amount
        + memo.adjustment_positive
        - memo.adjustment_negative;
    RefusedSums {
        total: memo.grand_total,
        // Magento gives a memo's tax by line alone.
        tax: None,
        other_total,
        other_tax: shown(memo, None).totals.tax,
        source: SumSource::Lines,
    }
}

/// Both sums of a memo, and why no posting exists.
pub(crate) fn mismatch(both: &RefusedSums, reason: &str) -> String {
    message!(
        plan.memo_mismatch,
        total = text(both.total),
        shown = text(both.other_total),
        shown_tax = text(both.other_tax),
        reason = reason
    )
}
