//! Discounts in rows of their own, for settings that have an account for them.

use domain::money::round2;
use rust_decimal::Decimal;

use crate::amounts::document_row::{DocumentRow, RowKind};

/// Takes the discounts out of the lines into one row for each percentage: a line keeps its full tax and the discount's row takes the
/// difference.
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
