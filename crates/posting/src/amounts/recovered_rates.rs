//! The percentage that each row of a document was taxed at. Magento's documents name none, and tax / (subtotal - discount) is
//! right only where the discount was taken from prices without tax: with tax-inclusive prices a 20 % line less 7 % reads 20.33 %.
//! So the known percentages are tried under each way in which Magento taxes a discounted document, and one way holds for the
//! whole document.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::{
    amounts::{
        rate_fits::{FitLevel, RateFits, RowFits},
        taxed_amount::{DiscountBasis, TaxedAmount},
    },
    costs,
};

/// The percentages of a document's rows under one pair of bases.
#[derive(Clone, Debug)]
pub(crate) struct RecoveredRates {
    /// How goods were taxed.
    pub goods_basis: DiscountBasis,
    /// How shipping was taxed.
    pub shipping_basis: DiscountBasis,
    /// The percentage of each line.
    pub goods: Vec<Decimal>,
    /// The percentage of shipping.
    pub shipping: Option<Decimal>,
    /// The percentage that most of the document's money was taxed at.
    pub main: Option<Decimal>,
    /// How badly the taxes fit: 0 = to the half penny.
    pub cost: u32,
}

/// Recovers the percentages of lines, and of shipping where it is looked at, under a pair of bases.
pub(crate) fn recover(
    (goods, goods_fits): (&[TaxedAmount], &RateFits),
    shipping: Option<(&TaxedAmount, &RateFits)>,
    bases: (DiscountBasis, DiscountBasis),
    usual: Option<Decimal>,
) -> RecoveredRates {
    let goods = || goods.iter().zip(goods_fits.under(bases.0));
    let shipping = shipping.and_then(|(row, fits)| Some((row, fits.under(bases.1).first()?)));
    let main = main_percent(goods().chain(shipping));
    let mut cost = 0;
    let mut percent = |fits: &RowFits| {
        let (chosen, row_cost) = choose(fits, main.or(usual));
        cost += row_cost;
        chosen
    };
    let goods: Vec<_> = goods().map(|(_, fits)| percent(fits)).collect();
    let shipping = shipping.map(|(_, fits)| percent(fits));
    RecoveredRates { goods_basis: bases.0, shipping_basis: bases.1, goods, shipping, main, cost }
}

/// The percentage of the most money among the rows that only one fits: a shop sells most at one rate, and a line of pence, which
/// several rates fit, is mostly of that too.
fn main_percent<'a>(rows: impl Iterator<Item = (&'a TaxedAmount, &'a RowFits)>) -> Option<Decimal> {
    let mut weights: BTreeMap<Decimal, Decimal> = BTreeMap::new();
    for (row, fits) in rows {
        if let [only] = fits.fitting[..] {
            *weights.entry(only.percent).or_default() += row.subtotal.abs();
        }
    }
    weights.into_iter().map(|(percent, weight)| (weight, percent)).max().map(|(_, percent)| percent)
}

/// The percentage of a row and what it costs: the document's main one where it fits, else the nearest, else one that nobody knows.
fn choose(fits: &RowFits, main: Option<Decimal>) -> (Decimal, u32) {
    let of_main = fits.fitting.iter().find(|fit| Some(fit.percent) == main);
    let Some(fit) = of_main.or_else(|| fits.fitting.first()) else {
        return (fits.misfit.unwrap_or_default(), costs::MISFIT);
    };
    let cost = match fit.level {
        FitLevel::Exact => 0,
        FitLevel::Carried => costs::CARRIED_TAX,
        FitLevel::Loose => costs::LOOSE_TAX,
    };
    (fit.percent, cost)
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

    fn british() -> Vec<Decimal> {
        vec![amount("0"), amount("5"), amount("20")]
    }

    fn read_goods(rows: &[TaxedAmount], basis: DiscountBasis) -> RecoveredRates {
        let fits = RateFits::of(rows, &british());
        recover((rows, &fits), None, (basis, basis), Some(amount("20")))
    }

    #[test]
    fn a_line_of_tax_inclusive_prices_less_a_discount_is_twenty_percent_not_twenty_point_three() {
        let rows = [
            row("3", "31.23", "2.45", "5.85"),
            row("1", "9.99", "0.66", "0"),
            row("1", "20", "1.57", "3.74"),
        ];
        let gross = read_goods(&rows, DiscountBasis::GrossPrices);
        assert_eq!(gross.goods, [amount("20"), amount("0"), amount("20")]);
        assert!(gross.cost < read_goods(&rows, DiscountBasis::NetPrices).cost);
    }

    #[test]
    fn a_line_discounted_to_nothing_takes_the_percentage_of_the_others() {
        let rows = [row("1", "3.33", "3.33", "0"), row("1", "10.00", "0", "0.50")];
        assert_eq!(read_goods(&rows, DiscountBasis::NetPrices).goods, [amount("5"), amount("5")]);
    }

    #[test]
    fn a_line_discounted_to_nothing_on_its_own_takes_the_usual_percentage() {
        assert_eq!(
            read_goods(&[row("1", "3.33", "3.33", "0")], DiscountBasis::NetPrices).goods,
            [amount("20")]
        );
    }

    #[test]
    fn a_line_of_a_few_pence_takes_the_percentage_of_the_others() {
        let rows = [row("1", "0.03", "0", "0.01"), row("1", "10.00", "0", "0.50")];
        assert_eq!(read_goods(&rows, DiscountBasis::NetPrices).goods[0], amount("5"));
    }

    #[test]
    fn many_cheap_untaxed_units_stay_untaxed() {
        let rows = [row("100", "10.00", "0", "0"), row("1", "100.00", "0", "5.00")];
        assert_eq!(read_goods(&rows, DiscountBasis::NetPrices).goods[0], amount("0"));
    }

    #[test]
    fn a_document_taxed_before_its_discount_is_recognised() {
        let rows = [row("3", "31.22", "37.47", "6.25"), row("1", "127.02", "133.37", "6.35")];
        let before = read_goods(&rows, DiscountBasis::AfterTax);
        assert_eq!(before.goods, [amount("20"), amount("5")]);
        assert!(
            before.cost
                < read_goods(&rows, DiscountBasis::NetPrices)
                    .cost
                    .min(read_goods(&rows, DiscountBasis::GrossPrices).cost)
        );
    }

    #[test]
    fn an_unknown_percentage_is_told_by_the_tax() {
        assert_eq!(
            read_goods(&[row("2", "100.00", "0", "12.50")], DiscountBasis::NetPrices).goods,
            [amount("12.5")]
        );
        assert_eq!(
            read_goods(&[row("1", "100.00", "0", "8.25")], DiscountBasis::NetPrices).goods,
            [amount("8.25")]
        );
    }
}
