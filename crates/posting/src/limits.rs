//! What is too big to be computed with, and how much work is done at most for one document.

use domain::documents::Line;
use messages::message;
use rust_decimal::Decimal;

use crate::document_kind::DocumentKind;

/// Ten thousand million, in the document's currency: two such figures multiplied stay within a decimal's 28 digits.
pub(crate) const LARGEST_AMOUNT: i64 = 10_000_000_000;

/// A thousand million, in the document's currency: a bound for the product taxes of one sale where nothing else bounds them.
pub(crate) const LARGEST_SALE: i64 = 1_000_000_000;

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
    message!(plan.too_large, document = kind.noun())
}

/// Hypotheses about a memo times its lines: about a second's work.
pub(crate) const MOST_ATTEMPTED_LINES: usize = 200_000;

/// Different whole quantities of one memo that product taxes are divided by; a shop sells in fewer.
pub(crate) const MOST_QUANTITIES: usize = 50;

/// Different percentages of one memo that product taxes are tried at; a shop taxes at fewer.
pub(crate) const MOST_PERCENTAGES: usize = 12;

/// Lines of an invoice with one article at one price that a memo's line is compared with; further ones are taken for the nearest.
pub(crate) const MOST_ALIKE: usize = 100;
