//! Discounts that are rows of their own.

use domain::money::{round2, text};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    amounts::{
        document_row::{DocumentRow, RowKind},
        recovered_rates::RecoveredRates,
        sums::DocumentSums,
        taxed_amount::DiscountBasis,
    },
    findings::Findings,
};

/// Adds the untaxed rows of discounts that no line may hold: those given after tax, where `apart` says that a rate of 0 % is there to
/// put them on, what goes beyond a line's price, and those that neither a line nor shipping explains.
pub(crate) fn untaxed(
    rows: &mut Vec<DocumentRow>,
    sums: &DocumentSums,
    rates: &RecoveredRates,
    apart: bool,
    findings: &mut Findings,
) {
    let outside = taken_out(rows, rates, apart);
    if outside > Decimal::ZERO {
        findings.rule("discount", text(outside), message!(reasons.discount_after_tax), text(outside));
        rows.push(untaxed_row("Discount (taxed on the full price)", outside));
    }
    let stray = round2(sums.stray_discount);
    if stray > Decimal::ZERO {
        findings.rule("discount", text(stray), message!(reasons.discount_of_document), text(stray));
        rows.push(untaxed_row("Discount of the whole invoice", stray));
    }
}

/// Takes discounts out of the lines that may not hold them, and says how much.
fn taken_out(rows: &mut [DocumentRow], rates: &RecoveredRates, apart: bool) -> Decimal {
    let mut outside = Decimal::ZERO;
    for row in rows.iter_mut().filter(|row| row.discount > Decimal::ZERO) {
        let basis = if row.kind == RowKind::Shipping { rates.shipping_basis } else { rates.goods_basis };
        let is_apart = basis == DiscountBasis::AfterTax && apart;
        let most = if is_apart { Decimal::ZERO } else { row.subtotal.max(Decimal::ZERO) };
        if row.discount > most {
            outside += row.discount - most;
            row.discount = most;
        }
    }
    for row in rows.iter_mut().filter(|row| row.discount < Decimal::ZERO) {
        row.subtotal -= row.discount;
        row.discount = Decimal::ZERO;
    }
    outside
}

fn untaxed_row(description: &str, discount: Decimal) -> DocumentRow {
    DocumentRow::extra(RowKind::Discount, description, -discount, Decimal::ZERO, Decimal::ZERO)
}

/// Takes the discounts out of the lines into one row for each percentage, for settings that have an account for discounts: a line
/// keeps its full tax and the discount's row takes the difference.
pub(crate) fn by_percentage(rows: &mut Vec<DocumentRow>) {
    let mut discounts: Vec<DocumentRow> = Vec::new();
    for row in rows.iter_mut().filter(|row| !row.discount.is_zero()) {
        let full_tax = round2(row.subtotal * row.percent / Decimal::ONE_HUNDRED);
        let (net, tax) = (-row.discount, row.tax - full_tax);
        match discounts.iter_mut().find(|other| other.percent == row.percent && other.class == row.class) {
            Some(other) => {
                other.subtotal += net;
                other.tax += tax;
            }
            None => discounts.push(DocumentRow {
                class: row.class.clone(),
                ..DocumentRow::extra(RowKind::Discount, "Discount", net, tax, row.percent)
            }),
        }
        row.discount = Decimal::ZERO;
        row.tax = full_tax;
    }
    for row in &mut discounts {
        row.unit_price = row.subtotal;
    }
    rows.extend(discounts);
}
