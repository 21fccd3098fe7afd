//! The product tax of one unit: a shop types it in whole pence, so that few of them come to a sum to the penny. Magento rounds the tax of a
//! unit or of the row (Weee/Model/Total/Quote/WeeeTax.php), then a memo's share of the net and of the sum with tax, each by itself
//! (Weee/Model/Total/Creditmemo/Weee.php).

use domain::money::{round, round2};
use rust_decimal::Decimal;

use crate::{
    credit_note::amount_range::AmountRange,
    tolerances::{HALF_PENNY, PENNY},
};

/// Whole pence that are tried on both sides of the likely product tax of a unit.
const STEPS: i64 = 3;

/// A row's product taxes without tax and with it.
type Row = (Decimal, Decimal);

/// Bounds of the tax within `with_tax`, the product taxes of a share of a row of so many pieces; none where no unit's product tax makes that
/// sum, or the pieces are no whole number.
pub(crate) fn taxes(
    rate: Decimal,
    pieces: Decimal,
    share: Decimal,
    with_tax: Decimal,
) -> Option<AmountRange> {
    // A third of three is one.
    let returned = round(pieces * share, 4);
    let is_whole = |quantity: Decimal| quantity.fract().is_zero() && quantity > Decimal::ZERO;
    if !is_whole(pieces) || !is_whole(returned) || (with_tax - round2(with_tax)).abs() > HALF_PENNY {
        return None;
    }
    let gross = round2(with_tax);
    let unit = round2(gross / returned);
    let of_row = |(net, sum): Row| {
        let part = |amount: Decimal| if share == Decimal::ONE { amount } else { round2(amount * share) };
        (part(sum) == gross).then(|| gross - part(net))
    };
    let near = |about: Decimal| (-STEPS..=STEPS).map(move |step| round2(about) + PENNY * Decimal::from(step));
    let by_gross = near(unit).flat_map(|unit| typed_with_tax(unit, pieces, rate));
    let by_net = near(unit / (Decimal::ONE + rate)).flat_map(|unit| typed_without_tax(unit, pieces, rate));
    let taxes = by_gross.chain(by_net).filter_map(of_row);
    taxes.map(AmountRange::exactly).reduce(AmountRange::with)
}

/// The rows of a unit's product tax that was typed with its tax: the tax rounded for each unit, and for the row.
fn typed_with_tax(unit: Decimal, pieces: Decimal, rate: Decimal) -> [Row; 2] {
    let within = |amount: Decimal| round2(amount * rate / (Decimal::ONE + rate));
    let row = unit * pieces;
    [((unit - within(unit)) * pieces, row), (row - within(row), row)]
}

/// The same of one that was typed without.
fn typed_without_tax(unit: Decimal, pieces: Decimal, rate: Decimal) -> [Row; 2] {
    let row = unit * pieces;
    [(row, (unit + round2(unit * rate)) * pieces), (row, row + round2(row * rate))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn the_tax_of_a_lamp_of_three_is_what_a_running_magento_said() {
        let third = Decimal::ONE / amount("3");
        // 1.37 + 0.27 of three (memo 60), and 0.21 + 0.04 of three (memos 13 and 14).
        for (sum, tax) in [("1.64", "0.27"), ("0.25", "0.04")] {
            let found = taxes(amount("0.2"), amount("3"), third, amount(sum)).unwrap();
            assert_eq!(found, AmountRange::exactly(amount(tax)), "{sum}");
        }
    }

    #[test]
    fn a_sum_that_no_unit_makes_says_nothing() {
        assert_eq!(taxes(amount("0.2"), amount("0.25"), Decimal::ONE, amount("0.25")), None);
        assert_eq!(taxes(amount("0.2"), amount("7"), Decimal::ONE, amount("0.01")), None);
    }
}
