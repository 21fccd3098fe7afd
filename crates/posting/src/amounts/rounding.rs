//! The last penny: amounts of four decimals and carried roundings leave a penny or two when each row is rounded, and the sums
//! must still be Magento's exactly. It goes into one row, openly.

use domain::money::{round2, text};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    amounts::document_row::{DocumentRow, RowKind},
    findings::Findings,
    tolerances::PENNY,
};

/// What the rows must come to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoundingTarget {
    /// With tax.
    pub total: Decimal,
    /// The tax.
    pub tax: Decimal,
    /// The most that may be put into a row, without tax.
    pub tolerance: Decimal,
    /// The most tax that may be put into a row.
    pub tax_tolerance: Decimal,
}

/// Makes the rows come to the target, if only roundings are missing; otherwise they stay as they are and the sums will show.
pub(crate) fn settle(rows: &mut [DocumentRow], target: RoundingTarget, findings: &mut Findings) {
    // Rounding each row to the penny may leave one in each.
    let room = PENNY * Decimal::from(rows.len());
    let tax = target.tax - rows.iter().map(|row| row.tax).sum::<Decimal>();
    if !tax.is_zero() && tax.abs() <= target.tax_tolerance + room {
        settle_tax(rows, tax, findings);
    }
    let net = target.total - target.tax - rows.iter().map(DocumentRow::net).sum::<Decimal>();
    if !net.is_zero() && net.abs() <= target.tolerance + room {
        settle_net(rows, net, findings);
    }
}

/// The goods first, shipping where there are none.
fn order(row: &DocumentRow) -> u8 {
    match row.kind {
        RowKind::Goods => 2,
        RowKind::Shipping => 1,
        _ => 0,
    }
}

fn settle_tax(rows: &mut [DocumentRow], left: Decimal, findings: &mut Findings) {
    let taxed = rows.iter_mut().filter(|row| !row.percent.is_zero() && row.tax + left >= Decimal::ZERO);
    if let Some(row) = taxed.max_by_key(|row| (order(row), row.tax)) {
        row.tax += left;
        findings.rule("rounding of tax", text(left), message!(reasons.rounded_most_tax), &*row.description);
    }
}

fn settle_net(rows: &mut [DocumentRow], left: Decimal, findings: &mut Findings) {
    // A discount takes it without disturbing quantity times price.
    let takes = |row: &&mut DocumentRow| {
        row.discount > Decimal::ZERO
            && row.discount - left >= Decimal::ZERO
            && row.discount - left <= row.subtotal
    };
    if let Some(row) = rows.iter_mut().filter(takes).max_by_key(|row| (order(row), row.discount)) {
        row.discount = round2(row.discount - left);
        findings.rule(
            "rounding difference",
            text(left),
            message!(reasons.rounded_discount),
            &*row.description,
        );
        return;
    }
    let bears = |row: &&mut DocumentRow| row.subtotal > Decimal::ZERO && row.subtotal + left >= row.discount;
    let biggest = |row: &&mut DocumentRow| (order(row), !row.has_exact_price(), row.subtotal);
    if let Some(row) = rows.iter_mut().filter(bears).max_by_key(biggest) {
        row.subtotal = round2(row.subtotal + left);
        findings.rule("rounding difference", text(left), message!(reasons.rounded_line), &*row.description);
        findings.note(message!(plan_notes.rounding, line = row.description, amount = text(left)));
    }
}
