//! What is too big to be computed with.

use domain::documents::Line;
use rust_decimal::Decimal;

use crate::sales_document::DocumentKind;

/// Ten thousand million, in the document's currency: two such figures multiplied stay within a decimal's 28 digits.
pub(crate) const LARGEST_AMOUNT: i64 = 10_000_000_000;

/// Whether every figure of a document is small enough to be multiplied without overflow.
pub(crate) fn are_computable(header: &[Decimal], lines: &[Line]) -> bool {
    let largest = Decimal::from(LARGEST_AMOUNT);
    let figures = |line: &Line| {
        let percent = line.tax_percent.unwrap_or_default();
        [line.qty, line.unit_price, line.line_subtotal, line.line_tax, line.line_total, percent]
    };
    header.iter().copied().chain(lines.iter().flat_map(figures)).all(|amount| amount.abs() <= largest)
}

/// The sentence of a document that is not.
pub(crate) fn not_computable(kind: DocumentKind) -> String {
    format!("The {} holds amounts of more than ten milliards.", kind.noun())
}
