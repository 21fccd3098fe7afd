//! The percentage that each row of a document was taxed at. Magento's documents name none, and tax / (subtotal - discount) is
//! right only where the discount was taken from prices without tax: with tax-inclusive prices a 20 % line less 7 % reads 20.33 %.
//! So the known percentages are tried under each way in which Magento taxes a discounted document, and one way holds for the
//! whole document.

use std::collections::BTreeMap;

use domain::money::round2;
use rust_decimal::Decimal;

/// What Magento does with a discount when it taxes a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiscountBasis {
    /// Prices without tax: tax = rate x (subtotal - discount).
    ExcludingTax,
    /// Prices with tax: tax = rate x subtotal - rate x discount / (1 + rate); the tax within the discount is given back as
    /// "discount tax compensation", which no field shows.
    IncludingTax,
    /// Taxed before the discount: tax = rate x subtotal.
    AfterTax,
}

impl DiscountBasis {
    /// What it is called in the rules.
    pub fn word(self) -> &'static str {
        match self {
            Self::ExcludingTax => "discount before tax",
            Self::IncludingTax => "discount from prices with tax",
            Self::AfterTax => "tax before discount",
        }
    }
}

/// The ways in which goods and shipping are taxed together. Prices of goods and of shipping may include tax or not each by
/// itself; taxing before the discount holds for both. In order of preference where several fit.
pub(crate) const DISCOUNT_BASES: [(DiscountBasis, DiscountBasis); 5] = [
    (DiscountBasis::ExcludingTax, DiscountBasis::ExcludingTax),
    (DiscountBasis::IncludingTax, DiscountBasis::IncludingTax),
    (DiscountBasis::AfterTax, DiscountBasis::AfterTax),
    (DiscountBasis::IncludingTax, DiscountBasis::ExcludingTax),
    (DiscountBasis::ExcludingTax, DiscountBasis::IncludingTax),
];

/// A row that was taxed: a line, or shipping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TaxedAmount {
    /// How many.
    pub quantity: Decimal,
    /// Without tax, before the discount.
    pub subtotal: Decimal,
    /// The discount as Magento shows it, with tax or without.
    pub discount: Decimal,
    /// The tax.
    pub tax: Decimal,
    /// The percentage, where the document says it.
    pub percent: Option<Decimal>,
}

/// The percentages of a document's rows under one pair of cases.
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

/// The percentages that rows are compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownRates<'a> {
    /// Those that the business, and the settings' map, have.
    pub percentages: &'a [Decimal],
    /// That of the default rate, for documents of which no row tells.
    pub usual: Option<Decimal>,
}

/// How well a percentage fits a row's tax, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum FitLevel {
    /// To the rounding of the row or of the unit.
    Exact,
    /// With a rounding carried over from another line, or from the other part of a partial invoice.
    Carried,
    /// Within a penny per unit.
    Loose,
}

/// Half a penny and a hair for the fourth decimal.
const EXACT: Decimal = Decimal::from_parts(51, 0, 0, false, 4);
const CARRIED: Decimal = Decimal::from_parts(151, 0, 0, false, 4);
const PENNY: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// What a row costs that no known percentage fits: more than any explanation of the gap, so that a contradiction is never
/// talked away by a percentage that nobody has.
const MISFIT: u32 = 100_000;

/// A percentage as a fraction of one.
pub(crate) fn fraction(percent: Decimal) -> Decimal {
    percent / Decimal::ONE_HUNDRED
}

/// The tax of an amount under a case, unrounded; `discount` as Magento shows it.
fn tax_of(subtotal: Decimal, discount: Decimal, basis: DiscountBasis, rate: Decimal) -> Decimal {
    match basis {
        DiscountBasis::ExcludingTax => rate * (subtotal - discount).max(Decimal::ZERO),
        DiscountBasis::IncludingTax => rate * subtotal - rate * discount / (Decimal::ONE + rate),
        DiscountBasis::AfterTax => rate * subtotal,
    }
}

/// The taxes that Magento's unit algorithm may have come to: the unit's tax, rounded, times the quantity. With tax in the
/// price the unit's price is not quite known from the row, so its neighbours are tried as well.
fn taxes_by_unit(row: &TaxedAmount, basis: DiscountBasis, rate: Decimal) -> Vec<Decimal> {
    if row.quantity <= Decimal::ZERO {
        return Vec::new();
    }
    let (price, discount) = (row.subtotal / row.quantity, row.discount / row.quantity);
    if basis != DiscountBasis::IncludingTax {
        return vec![row.quantity * round2(tax_of(price, discount, basis, rate))];
    }
    let price_with_tax = round2(price * (Decimal::ONE + rate));
    [price_with_tax, price_with_tax - PENNY, price_with_tax + PENNY]
        .into_iter()
        .map(|price| row.quantity * round2((price - discount) * rate / (Decimal::ONE + rate)))
        .collect()
}

fn fit(row: &TaxedAmount, basis: DiscountBasis, percent: Decimal) -> Option<(FitLevel, Decimal)> {
    let rate = fraction(percent);
    let by_row = (row.tax - tax_of(row.subtotal, row.discount, basis, rate)).abs();
    if by_row <= EXACT {
        return Some((FitLevel::Exact, by_row));
    }
    let by_unit = taxes_by_unit(row, basis, rate).into_iter().map(|tax| (row.tax - tax).abs()).min();
    let nearest = by_unit.map_or(by_row, |by_unit| by_unit.min(by_row));
    match nearest {
        nearest if nearest <= EXACT => Some((FitLevel::Exact, nearest)),
        nearest if nearest <= CARRIED => Some((FitLevel::Carried, nearest)),
        _ if by_row <= PENNY * row.quantity.max(Decimal::ONE) => Some((FitLevel::Loose, by_row)),
        _ => None,
    }
}

/// The percentages that fit a row, with how well.
fn fits(row: &TaxedAmount, basis: DiscountBasis, known: &[Decimal]) -> Vec<(FitLevel, Decimal, Decimal)> {
    let candidates: &[Decimal] = row.percent.as_slice();
    let candidates = if candidates.is_empty() { known } else { candidates };
    let mut fits: Vec<_> = candidates
        .iter()
        .filter_map(|percent| fit(row, basis, *percent).map(|(level, error)| (level, error, *percent)))
        .collect();
    // A loose fit counts only where nothing better is there.
    if fits.iter().any(|(level, ..)| *level < FitLevel::Loose) {
        fits.retain(|(level, ..)| *level < FitLevel::Loose);
    }
    fits.sort_unstable();
    fits
}

/// Whether one of these percentages fits a row under some case.
pub(crate) fn fits_any(row: &TaxedAmount, known: &[Decimal]) -> bool {
    [DiscountBasis::ExcludingTax, DiscountBasis::IncludingTax, DiscountBasis::AfterTax]
        .into_iter()
        .any(|basis| !fits(row, basis, known).is_empty())
}

/// The percentages that fit the lines of a document under each case: they are the same whatever else is read into it.
#[derive(Debug)]
pub(crate) struct RateFits([Vec<Vec<(FitLevel, Decimal, Decimal)>>; 3]);

impl RateFits {
    /// Tries the known percentages on every line.
    pub fn of(goods: &[TaxedAmount], known: &[Decimal]) -> Self {
        let under = |basis| goods.iter().map(|row| fits(row, basis, known)).collect();
        Self([
            under(DiscountBasis::ExcludingTax),
            under(DiscountBasis::IncludingTax),
            under(DiscountBasis::AfterTax),
        ])
    }

    fn under(&self, basis: DiscountBasis) -> &[Vec<(FitLevel, Decimal, Decimal)>] {
        let Self([net, gross, before]) = self;
        match basis {
            DiscountBasis::ExcludingTax => net,
            DiscountBasis::IncludingTax => gross,
            DiscountBasis::AfterTax => before,
        }
    }

    /// The percentages that fit a line under a case.
    pub fn percentages(&self, line: usize, basis: DiscountBasis) -> impl Iterator<Item = Decimal> {
        self.under(basis)[line].iter().map(|(.., percent)| *percent)
    }

    /// Whether a line's tax tells as little of a case as of another one.
    pub fn fits_as_well(&self, line: usize, basis: DiscountBasis, other: DiscountBasis) -> bool {
        let level = |basis| self.under(basis)[line].iter().map(|(level, ..)| *level).min();
        match (level(basis), level(other)) {
            (Some(level), Some(of_other)) => level <= of_other,
            (level, _) => level.is_some(),
        }
    }

    /// The percentages that a line may have been taxed at, whatever the case.
    pub fn possible(&self, line: usize) -> impl Iterator<Item = Decimal> {
        self.0.iter().flat_map(move |lines| lines[line].iter().map(|(.., percent)| *percent))
    }
}

/// Reads the rows under a pair of cases.
pub(crate) fn recover(
    goods: &[TaxedAmount],
    goods_fits: &RateFits,
    shipping: Option<&TaxedAmount>,
    bases: (DiscountBasis, DiscountBasis),
    known: KnownRates<'_>,
) -> RecoveredRates {
    let goods_fits = goods_fits.under(bases.0);
    let shipping_fits = shipping.map(|row| fits(row, bases.1, known.percentages));
    let main = main_percent(goods.iter().zip(goods_fits).chain(shipping.zip(shipping_fits.as_ref())));
    let mut cost = 0;
    let mut percent = |row: &TaxedAmount, basis, fits: &[_]| {
        let (chosen, row_cost) = choose(row, basis, fits, main.or(known.usual));
        cost += row_cost;
        chosen
    };
    let goods: Vec<_> = goods.iter().zip(goods_fits).map(|(row, fits)| percent(row, bases.0, fits)).collect();
    let shipping = shipping.zip(shipping_fits).map(|(row, fits)| percent(row, bases.1, &fits));
    RecoveredRates { goods_basis: bases.0, shipping_basis: bases.1, goods, shipping, main, cost }
}

/// The only percentage that fits.
fn only(fits: &[(FitLevel, Decimal, Decimal)]) -> Option<Decimal> {
    match fits {
        [(.., percent)] => Some(*percent),
        _ => None,
    }
}

/// The percentage of the most money among the rows that fit one only.
fn main_percent<'a>(
    rows: impl Iterator<Item = (&'a TaxedAmount, &'a Vec<(FitLevel, Decimal, Decimal)>)>,
) -> Option<Decimal> {
    let mut weights: BTreeMap<Decimal, Decimal> = BTreeMap::new();
    for (row, fits) in rows {
        if let Some(percent) = only(fits) {
            *weights.entry(percent).or_default() += row.subtotal.abs();
        }
    }
    weights.into_iter().map(|(percent, weight)| (weight, percent)).max().map(|(_, percent)| percent)
}

/// The percentage of a row and what it costs: the document's main one where it fits, else the nearest, else what the tax itself
/// tells (which Sage may have no rate for).
fn choose(
    row: &TaxedAmount,
    basis: DiscountBasis,
    fits: &[(FitLevel, Decimal, Decimal)],
    main: Option<Decimal>,
) -> (Decimal, u32) {
    let chosen = fits.iter().find(|(.., percent)| Some(*percent) == main).or_else(|| fits.first());
    match chosen {
        Some((FitLevel::Exact, _, percent)) => (*percent, 0),
        Some((FitLevel::Carried, _, percent)) => (*percent, 1),
        Some((FitLevel::Loose, _, percent)) => (*percent, 4),
        None => (row.percent.unwrap_or_else(|| percentage_from_tax(row, basis)), MISFIT),
    }
}

/// A percentage that nobody knows, from the tax itself: the roundest one that fits, else tax / base.
fn percentage_from_tax(row: &TaxedAmount, basis: DiscountBasis) -> Decimal {
    let mut rate = Decimal::ZERO;
    // The base depends on the rate where discounts hold tax; a few rounds settle it.
    for _ in 0..6 {
        let base = match basis {
            DiscountBasis::ExcludingTax => row.subtotal - row.discount,
            DiscountBasis::IncludingTax => row.subtotal - row.discount / (Decimal::ONE + rate),
            DiscountBasis::AfterTax => row.subtotal,
        };
        rate = row.tax.checked_div(base).unwrap_or_default();
        // No country taxes at more: such a tax belongs to something else, and the row is refused for it.
        if rate <= Decimal::ZERO || rate > Decimal::new(5, 1) {
            return Decimal::ZERO;
        }
    }
    let percent = rate * Decimal::ONE_HUNDRED;
    [Decimal::new(5, 1), Decimal::new(25, 2), Decimal::new(5, 2)]
        .into_iter()
        .map(|step| round2((percent / step).round() * step))
        .find(|round| matches!(fit(row, basis, *round), Some((FitLevel::Exact, _))))
        .unwrap_or_else(|| round2(percent))
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
        recover(
            rows,
            &fits,
            None,
            (basis, basis),
            KnownRates { percentages: &british(), usual: Some(amount("20")) },
        )
    }

    #[test]
    fn a_line_of_tax_inclusive_prices_less_a_discount_is_twenty_percent_not_twenty_point_three() {
        let rows = [
            row("3", "31.23", "2.45", "5.85"),
            row("1", "9.99", "0.66", "0"),
            row("1", "20", "1.57", "3.74"),
        ];
        let gross = read_goods(&rows, DiscountBasis::IncludingTax);
        assert_eq!(gross.goods, [amount("20"), amount("0"), amount("20")]);
        assert!(gross.cost < read_goods(&rows, DiscountBasis::ExcludingTax).cost);
    }

    #[test]
    fn a_line_discounted_to_nothing_takes_the_percentage_of_the_others() {
        let rows = [row("1", "3.33", "3.33", "0"), row("1", "10.00", "0", "0.50")];
        assert_eq!(read_goods(&rows, DiscountBasis::ExcludingTax).goods, [amount("5"), amount("5")]);
    }

    #[test]
    fn a_line_discounted_to_nothing_on_its_own_takes_the_usual_percentage() {
        assert_eq!(
            read_goods(&[row("1", "3.33", "3.33", "0")], DiscountBasis::ExcludingTax).goods,
            [amount("20")]
        );
    }

    #[test]
    fn a_line_of_a_few_pence_takes_the_percentage_of_the_others() {
        let rows = [row("1", "0.03", "0", "0.01"), row("1", "10.00", "0", "0.50")];
        assert_eq!(read_goods(&rows, DiscountBasis::ExcludingTax).goods[0], amount("5"));
    }

    #[test]
    fn many_cheap_untaxed_units_stay_untaxed() {
        let rows = [row("100", "10.00", "0", "0"), row("1", "100.00", "0", "5.00")];
        assert_eq!(read_goods(&rows, DiscountBasis::ExcludingTax).goods[0], amount("0"));
    }

    #[test]
    fn a_document_taxed_before_its_discount_is_recognised() {
        let rows = [row("3", "31.22", "37.47", "6.25"), row("1", "127.02", "133.37", "6.35")];
        let before = read_goods(&rows, DiscountBasis::AfterTax);
        assert_eq!(before.goods, [amount("20"), amount("5")]);
        assert!(
            before.cost
                < read_goods(&rows, DiscountBasis::ExcludingTax)
                    .cost
                    .min(read_goods(&rows, DiscountBasis::IncludingTax).cost)
        );
    }

    #[test]
    fn an_unknown_percentage_is_told_by_the_tax() {
        assert_eq!(
            read_goods(&[row("2", "100.00", "0", "12.50")], DiscountBasis::ExcludingTax).goods,
            [amount("12.5")]
        );
        assert_eq!(
            read_goods(&[row("1", "100.00", "0", "8.25")], DiscountBasis::ExcludingTax).goods,
            [amount("8.25")]
        );
    }
}
