//! What makes an explanation of a document's amounts implausible, so that the document is refused.

use domain::money::text;
use messages::message;
use rust_decimal::Decimal;

use crate::{
    amounts::{product_tax::ProductTax, recovered_rates::RecoveredRates, sums::DocumentSums},
    tolerances::{LARGEST_TAX_AT_ZERO, SMALL, UNSHOWN_SHARE},
};

/// The first contradiction, in a sentence without the sums.
pub(crate) fn find(
    sums: &DocumentSums<'_>,
    rates: &RecoveredRates,
    product_taxes: &[ProductTax],
    difference: Decimal,
) -> Option<String> {
    tax_without_percentage(sums, rates)
        .or_else(|| too_much_discount(sums))
        .or_else(|| missing_line(sums, product_taxes, difference))
        .or_else(|| money_from_nowhere(sums, product_taxes, difference))
}

/// A line at 0 % bears no tax.
fn tax_without_percentage(sums: &DocumentSums<'_>, rates: &RecoveredRates) -> Option<String> {
    let rows = sums.goods.iter().chain(&sums.shipping).zip(rates.goods.iter().chain(&rates.shipping));
    let mut rows = rows.filter(|(row, percent)| percent.is_zero() && row.tax.abs() > LARGEST_TAX_AT_ZERO);
    let (row, _) = rows.next()?;
    Some(message!(figures.no_percentage, tax = text(row.tax), net = text(row.subtotal)))
}

/// The header's discount is that of the lines and of shipping, never less.
fn too_much_discount(sums: &DocumentSums<'_>) -> Option<String> {
    (sums.excess_discount > sums.tolerance)
        .then(|| message!(figures.too_much_discount, amount = text(sums.excess_discount)))
}

/// The header's subtotal may hold product taxes; anything else in it is a line that is missing.
fn missing_line(
    sums: &DocumentSums<'_>,
    product_taxes: &[ProductTax],
    difference: Decimal,
) -> Option<String> {
    let tolerance = sums.tolerance;
    let is_stated = (sums.subtotal_gap - total(product_taxes)).abs() <= tolerance;
    let is_explained = difference.is_zero() && product_taxes.is_empty();
    (sums.subtotal_gap.abs() > tolerance && !is_stated && !is_explained)
        .then(|| message!(figures.lines_below_subtotal, amount = text(sums.subtotal_gap)))
}

/// Product taxes and fees are a part of what is bought, or small.
fn money_from_nowhere(
    sums: &DocumentSums<'_>,
    product_taxes: &[ProductTax],
    difference: Decimal,
) -> Option<String> {
    let most = (sums.size * UNSHOWN_SHARE).max(SMALL);
    let amount = [total(product_taxes), difference].into_iter().find(|amount| *amount > most)?;
    Some(message!(figures.unexplained, amount = text(amount)))
}

fn total(product_taxes: &[ProductTax]) -> Decimal {
    product_taxes.iter().map(|one| one.net).sum()
}
