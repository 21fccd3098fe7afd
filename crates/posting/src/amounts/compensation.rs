//! Discount tax compensation (Magento's `discount_tax_compensation_amount`): where prices hold tax, so do discounts, and Magento gives the tax within a discount back in a sum
//! that no field of the invoice shows. It is the row's full tax less its tax; the full tax follows from the price with tax, which is
//! known from the price without only to the penny.

use domain::money::round2;
use rust_decimal::Decimal;

use crate::{
    amounts::{
        recovered_rates::RecoveredRates,
        sums::DocumentSums,
        taxed_amount::{DiscountBasis, TaxedAmount},
    },
    percentage::fraction,
    tolerances::{CARRIED_FIT, EXACT_FIT, HALF_PENNY, PENNY},
};

/// What a row's compensation is, and may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Compensation {
    /// The likeliest.
    pub likely: Decimal,
    /// The least of what rounding allows.
    pub least: Decimal,
    /// The most of it.
    pub most: Decimal,
}

/// The compensation of a row: nothing unless its discount holds tax.
fn of(row: &TaxedAmount, basis: DiscountBasis, percent: Decimal) -> Compensation {
    if basis != DiscountBasis::GrossPrices || row.discount.is_zero() || percent.is_zero() {
        return Compensation::default();
    }
    let rate = fraction(percent);
    let by = |full_tax: Decimal| (full_tax - row.tax).max(Decimal::ZERO);
    let Some(price) = row.subtotal.checked_div(row.quantity) else {
        let likely = by(rate * row.subtotal);
        return Compensation { likely, least: likely, most: likely };
    };
    let likeliest = round2(price * (Decimal::ONE + rate));
    // To the half penny first; with a rounding carried over from another line where nothing else fits.
    let possible = |allowed: Decimal| -> Vec<Decimal> {
        let prices = [likeliest, likeliest - PENNY, likeliest + PENNY];
        let prices = prices.into_iter().filter(|price| makes(row, *price, rate, allowed));
        prices.map(|price| by(price * row.quantity - row.subtotal)).collect()
    };
    let mut possible_exactly = possible(EXACT_FIT);
    if possible_exactly.is_empty() {
        possible_exactly = possible(CARRIED_FIT);
    }
    let possible = possible_exactly;
    let likely = possible.first().copied().unwrap_or_else(|| by(rate * row.subtotal));
    let least = possible.iter().min().copied().unwrap_or(likely);
    let most = possible.iter().max().copied().unwrap_or(likely);
    Compensation { likely, least, most }
}

/// The compensations of the lines, then of shipping.
pub(crate) fn of_rows(sums: &DocumentSums<'_>, rates: &RecoveredRates) -> Vec<Compensation> {
    let goods = sums.goods.iter().zip(&rates.goods);
    let goods = goods.map(|(row, percent)| of(row, rates.goods_basis, *percent));
    let shipping = sums.shipping.as_ref().zip(rates.shipping);
    let shipping = shipping.map(|(row, percent)| of(row, rates.shipping_basis, percent));
    goods.chain(shipping).collect()
}

/// Whether a price with tax makes the row's subtotal, by the unit's rounding (UnitBaseCalculator.php::calculateWithTaxInPrice) or by the
/// row's (AbstractAggregateCalculator.php, the method of the same name).
fn makes(row: &TaxedAmount, price: Decimal, rate: Decimal, allowed: Decimal) -> bool {
    let tax = |amount: Decimal| amount * rate / (Decimal::ONE + rate);
    let by_unit = (price - round2(tax(price))) * row.quantity;
    let with_tax = price * row.quantity;
    (by_unit - row.subtotal).abs() < HALF_PENNY || (with_tax - tax(with_tax) - row.subtotal).abs() <= allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn row(quantity: &str, subtotal: &str, discount: &str, tax: &str) -> TaxedAmount {
        TaxedAmount {
            quantity: amount(quantity),
            subtotal: amount(subtotal),
            discount: amount(discount),
            tax: amount(tax),
            percent: None,
        }
    }

    #[test]
    fn magentos_own_figures_are_found_again() {
        let twenty = amount("20");
        for (row, expected) in
            [(row("3", "31.23", "2.45", "5.85"), "0.39"), (row("1", "20", "1.57", "3.74"), "0.26")]
        {
            let found = of(&row, DiscountBasis::GrossPrices, twenty);
            assert_eq!(
                (found.likely, found.least, found.most),
                (amount(expected), amount(expected), amount(expected))
            );
        }
    }

    #[test]
    fn where_two_prices_make_one_net_both_are_possible() {
        // 4.94 and 4.95 with tax are both 4.12 without.
        let shipping = of(&row("1", "4.12", "0.32", "0.77"), DiscountBasis::GrossPrices, amount("20"));
        assert_eq!((shipping.least, shipping.most), (amount("0.05"), amount("0.06")));
    }

    #[test]
    fn a_discount_without_tax_gives_nothing_back() {
        assert_eq!(
            of(&row("1", "10", "1", "1.80"), DiscountBasis::NetPrices, amount("20")),
            Compensation::default()
        );
    }
}
