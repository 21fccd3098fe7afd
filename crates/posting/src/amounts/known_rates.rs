//! The percentages that a document's rows are compared with: of those that the business has, the fewest that explain every row.

use domain::money::round2;
use rust_decimal::Decimal;

use crate::amounts::{rate_fits::DocumentFits, tax_rates::AvailableRates, taxed_amount::TaxedAmount};

/// The percentages that rows are compared with.
#[derive(Clone, Debug)]
pub(crate) struct KnownRates {
    /// Those that the business, and the settings' map, have.
    pub percentages: Vec<Decimal>,
    /// That of the default rate, for documents of which no row shows.
    pub usual: Option<Decimal>,
    /// Whether nothing was taxed because the sale goes abroad: then no line was, not even one that is free.
    pub is_untaxed_abroad: bool,
}

/// What a document of so much tax is compared with, and how that fits its rows. Those percentages that the settings give a rate in the
/// customer's country where they fit every row, because a few pence fit many; else all that are known.
pub(crate) fn of(
    goods: &[TaxedAmount],
    shipping: Option<&TaxedAmount>,
    tax: Decimal,
    rates: &AvailableRates<'_>,
) -> (KnownRates, DocumentFits) {
    let settled = DocumentFits::of(goods, shipping, &rates.settled);
    let (percentages, fits) = if settled.are_complete() {
        (rates.settled.clone(), settled)
    } else {
        (rates.known.clone(), DocumentFits::of(goods, shipping, &rates.known))
    };
    let is_untaxed_abroad = rates.place.is_abroad && round2(tax).is_zero();
    let usual = if is_untaxed_abroad { Some(Decimal::ZERO) } else { rates.usual };
    (KnownRates { percentages, usual, is_untaxed_abroad }, fits)
}
