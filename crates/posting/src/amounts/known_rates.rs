//! The percentages that a document's rows are compared with: of those that the business has, the fewest that explain every row.

use domain::money::round2;
use rust_decimal::Decimal;

use crate::amounts::{rate_fits::RateFits, tax_rates::AvailableRates, taxed_amount::TaxedAmount};

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

/// What a document of so much tax is compared with, and how that fits the goods. Those percentages that the settings give a rate in the
/// customer's country where they fit every row, because a few pence fit many; else all that are known.
pub(crate) fn of(
    goods: &[TaxedAmount],
    shipping: Option<&TaxedAmount>,
    tax: Decimal,
    rates: &AvailableRates<'_>,
) -> (KnownRates, RateFits) {
    let is_untaxed_abroad = rates.place.is_abroad && round2(tax).is_zero();
    let usual = if is_untaxed_abroad { Some(Decimal::ZERO) } else { rates.usual };
    let fitting = |percentages: &[Decimal]| RateFits::of(goods, percentages);
    let fits = fitting(&rates.settled);
    let explains_shipping = || RateFits::of(shipping.cloned().as_slice(), &rates.settled).are_complete();
    if fits.are_complete() && explains_shipping() {
        return (KnownRates { percentages: rates.settled.clone(), usual, is_untaxed_abroad }, fits);
    }
    let fits = fitting(&rates.known);
    (KnownRates { percentages: rates.known.clone(), usual, is_untaxed_abroad }, fits)
}
