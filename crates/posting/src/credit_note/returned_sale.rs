//! The sale that a credit memo takes back, as far as the memo's own fields show it.

use std::borrow::Cow;

use domain::{
    documents::{CreditMemo, Invoice, Line},
    money::{round, round2, text},
};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    buyer::Buyer,
    document_kind::DocumentKind,
    limits,
    sales_document::{DocumentTotals, SalesDocument},
};

/// The sale as the memo's fields show it, without adjustments, or how they contradict themselves.
pub(crate) fn read<'a>(
    memo: &'a CreditMemo,
    invoice: Option<&'a Invoice>,
) -> Result<SalesDocument<'a>, String> {
    if let Some(reason) = contradiction(memo) {
        return Err(reason);
    }
    let sum = |value: fn(&Line) -> Decimal| memo.lines.iter().map(value).sum::<Decimal>();
    Ok(SalesDocument {
        kind: DocumentKind::CreditNote,
        buyer: Buyer::of_memo(memo, invoice),
        made_at: memo.created_at,
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
    })
}

/// The memo's total to the penny, less its adjustments: what lines and shipping come to. (Magento leaves four places.)
fn total_of_goods(memo: &CreditMemo) -> Decimal {
    round2(memo.grand_total) - round2(memo.adjustment_positive) + round2(memo.adjustment_negative)
}

/// What makes a memo contradict itself before any sum is looked at.
fn contradiction(memo: &CreditMemo) -> Option<String> {
    let header = [
        memo.adjustment_positive,
        memo.adjustment_negative,
        memo.grand_total,
        memo.shipping_amount,
        memo.shipping_tax_amount,
        memo.shipping_discount.unwrap_or_default(),
    ];
    if !limits::are_computable(memo.currency, &header, &memo.lines) {
        return Some(limits::not_computable(memo.currency, DocumentKind::CreditNote));
    }
    if memo.increment_id.is_empty() {
        return Some(message!(plan.no_number, document = DocumentKind::CreditNote.noun()));
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
