//! What a document sells, whatever paid for it. A gift card that pays everything leaves a total of nothing, but a sale and its tax.

use domain::{
    code::Code,
    documents::{CreditMemo, Invoice, Line},
    money::{round2, text},
};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    findings::{Findings, NotPosted},
    tolerances::CASH_ROUNDING,
};

/// Magento's method of an order that needs no payment (OfflinePayments/Model/Free.php), and parts of the codes of methods that are
/// stored value (Adobe Commerce's gift cards, customer balance and reward points, and the extensions').
const STORED_VALUE: [&str; 7] =
    ["giftcard", "giftcert", "voucher", "storecredit", "customerbalance", "rewardpoint", "wallet"];

/// What an invoice sells, with tax and after discounts; nothing where that is below nothing or a rounding.
pub(crate) fn of_invoice(invoice: &Invoice) -> Decimal {
    of(&invoice.lines, invoice.shipping_amount + invoice.shipping_tax_amount, invoice.discount_amount)
}

/// The same of what a credit memo takes back, without adjustments.
pub(crate) fn of_memo(memo: &CreditMemo) -> Decimal {
    let discount =
        memo.lines.iter().map(Line::discount).sum::<Decimal>() + memo.shipping_discount.unwrap_or_default();
    of(&memo.lines, memo.shipping_amount + memo.shipping_tax_amount, -discount)
}

/// Lines and shipping, less the header's discount (below zero), which is all of the lines' and shipping's; no more than the lines
/// themselves come to.
fn of(lines: &[Line], shipping: Decimal, discount: Decimal) -> Decimal {
    let before_discount: Decimal = lines.iter().map(|line| line.line_subtotal + line.line_tax).sum();
    let after_discount: Decimal = lines.iter().map(|line| line.line_total).sum();
    let sold = round2((before_discount + discount).min(after_discount) + shipping);
    if sold > CASH_ROUNDING { sold } else { Decimal::ZERO }
}

/// Whether the payment method says that stored value paid for all of it.
pub(crate) fn is_paid_by_stored_value(invoice: &Invoice) -> bool {
    let method = invoice.payment_method.as_deref().unwrap_or_default().to_ascii_lowercase();
    let letters: String = method.chars().filter(char::is_ascii_alphanumeric).collect();
    letters == "free" || STORED_VALUE.iter().any(|part| letters.contains(part))
}

/// Held: a total of nothing over a sale, and nothing says what paid for it.
pub(crate) fn unpaid(sold: Decimal, findings: &Findings) -> NotPosted {
    let message = message!(plan.total_below_lines, total = text(Decimal::ZERO), sold = text(sold));
    findings.hold(Code::TotalBelowLines, message)
}
