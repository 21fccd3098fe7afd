//! What is too big to be computed with, and how much work is done at most for one document.

use domain::{documents::Line, money::Currency};
use messages::message;
use rust_decimal::Decimal;

use crate::document_kind::DocumentKind;

/// Ten thousand million, in the document's currency: two such figures multiplied stay within a decimal's 28 digits.
pub(crate) const LARGEST_AMOUNT: i64 = 10_000_000_000;

/// A million million, for currencies of small units (15,000,000,000 IDR are 700,000 GBP): two of these and a percentage stay within 28
/// digits too.
const LARGEST_AMOUNT_OF_SMALL_UNITS: i64 = 1_000_000_000_000;

/// A hundred thousand million, in the document's currency: a bound for the product taxes of one sale where nothing else bounds them.
pub(crate) const LARGEST_SALE: i64 = 100_000_000_000;

fn largest(currency: Currency) -> Decimal {
    let of_small_units = currency.is_small_unit();
    Decimal::from(if of_small_units { LARGEST_AMOUNT_OF_SMALL_UNITS } else { LARGEST_AMOUNT })
}

/// Whether every figure of a document is small enough to be multiplied without overflow.
pub(crate) fn are_computable(currency: Currency, header: &[Decimal], lines: &[Line]) -> bool {
    let amounts = |line: &Line| [line.unit_price, line.line_subtotal, line.line_tax, line.line_total];
    let factors = |line: &Line| [line.qty, line.tax_percent.unwrap_or_default()];
    let is_within = |largest: Decimal| move |figure: Decimal| figure.abs() <= largest;
    header.iter().copied().chain(lines.iter().flat_map(amounts)).all(is_within(largest(currency)))
        && lines.iter().flat_map(factors).all(is_within(Decimal::from(LARGEST_AMOUNT)))
}

/// The sentence of a document that is not.
pub(crate) fn not_computable(currency: Currency, kind: DocumentKind) -> String {
    let billions = largest(currency) / Decimal::from(1_000_000_000);
    message!(plan.too_large, document = kind.noun(), billions = billions.normalize(), currency = currency)
}

/// Hypotheses about a memo times its lines: about a second's work.
pub(crate) const MOST_ATTEMPTED_LINES: usize = 200_000;

/// Different whole quantities of one memo that product taxes are divided by; a shop sells in fewer.
pub(crate) const MOST_QUANTITIES: usize = 50;

/// Different percentages of one memo that product taxes are tried at; a shop taxes at fewer.
pub(crate) const MOST_PERCENTAGES: usize = 12;

/// Lines of an invoice with one article at one price that a memo's line is compared with; further ones are taken for the nearest.
pub(crate) const MOST_ALIKE: usize = 100;
