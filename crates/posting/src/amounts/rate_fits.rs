//! How well percentages fit the tax of a row. Magento rounds the tax of a unit, of a row or of the whole document
//! (Tax/Model/Calculation/UnitBaseCalculator.php, RowBaseCalculator.php and TotalBaseCalculator.php), and no document says which.

use domain::money::round2;
use rust_decimal::Decimal;

use crate::{
    amounts::taxed_amount::{DiscountBasis, TaxedAmount},
    percentage::fraction,
    tolerances::{CARRIED_FIT, EXACT_FIT, HIGHEST_RATE, PENNY},
};

/// How well a percentage fits a row's tax, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FitLevel {
    /// To the rounding of the row or of the unit.
    Exact,
    /// With a rounding carried over from another line, or from the other part of a partial invoice.
    Carried,
    /// Within a penny per unit.
    Loose,
}

/// A percentage that fits a row; the best is the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RateFit {
    /// How well.
    pub level: FitLevel,
    /// How far the tax is off.
    error: Decimal,
    /// The percentage.
    pub percent: Decimal,
}

/// The tax of an amount, unrounded; `discount` as Magento shows it.
fn tax_of(subtotal: Decimal, discount: Decimal, basis: DiscountBasis, rate: Decimal) -> Decimal {
    match basis {
        DiscountBasis::NetPrices => rate * (subtotal - discount).max(Decimal::ZERO),
        DiscountBasis::GrossPrices => rate * subtotal - rate * discount / (Decimal::ONE + rate),
        DiscountBasis::AfterTax => rate * subtotal,
    }
}

/// The taxes that Magento's unit algorithm may have come to: the unit's tax, rounded, times the quantity
/// (UnitBaseCalculator.php). With tax in the price the unit's price is not quite known from the row, so its neighbours are tried.
fn taxes_by_unit(row: &TaxedAmount, basis: DiscountBasis, rate: Decimal) -> Vec<Decimal> {
    if row.quantity <= Decimal::ZERO {
        return Vec::new();
    }
    let (price, discount) = (row.subtotal / row.quantity, row.discount / row.quantity);
    if basis != DiscountBasis::GrossPrices {
        return vec![row.quantity * round2(tax_of(price, discount, basis, rate))];
    }
    let price_with_tax = round2(price * (Decimal::ONE + rate));
    [price_with_tax, price_with_tax - PENNY, price_with_tax + PENNY]
        .into_iter()
        .map(|price| row.quantity * round2((price - discount) * rate / (Decimal::ONE + rate)))
        .collect()
}

/// How well a percentage fits a row, if it does: by the row's own rounding, by the unit's, else within a penny a unit, because a
/// partial invoice divides what the order rounded (Sales/Model/Order/Invoice/Total/Tax.php).
fn fit(row: &TaxedAmount, basis: DiscountBasis, percent: Decimal) -> Option<RateFit> {
    let rate = fraction(percent);
    let by_row = (row.tax - tax_of(row.subtotal, row.discount, basis, rate)).abs();
    if by_row <= EXACT_FIT {
        return Some(RateFit { level: FitLevel::Exact, error: by_row, percent });
    }
    let by_unit = taxes_by_unit(row, basis, rate).into_iter().map(|tax| (row.tax - tax).abs()).min();
    let nearest = by_unit.map_or(by_row, |by_unit| by_unit.min(by_row));
    let (level, error) = match nearest {
        nearest if nearest <= EXACT_FIT => (FitLevel::Exact, nearest),
        nearest if nearest <= CARRIED_FIT => (FitLevel::Carried, nearest),
        _ if by_row <= PENNY * row.quantity.max(Decimal::ONE) => (FitLevel::Loose, by_row),
        _ => return None,
    };
    Some(RateFit { level, error, percent })
}

/// The percentages that fit a row under one basis.
#[derive(Debug)]
pub(crate) struct RowFits {
    /// The best first.
    pub fitting: Vec<RateFit>,
    /// Where none fits: the percentage that the document names, else what the tax itself shows (which Sage may have no rate for).
    pub misfit: Option<Decimal>,
}

fn fits(row: &TaxedAmount, basis: DiscountBasis, known: &[Decimal]) -> RowFits {
    let candidates: &[Decimal] = row.percent.as_slice();
    let candidates = if candidates.is_empty() { known } else { candidates };
    let mut fitting: Vec<_> = candidates.iter().filter_map(|percent| fit(row, basis, *percent)).collect();
    // A loose fit counts only where nothing better is there.
    if fitting.iter().any(|fit| fit.level < FitLevel::Loose) {
        fitting.retain(|fit| fit.level < FitLevel::Loose);
    }
    fitting.sort_unstable();
    let by_tax = || row.percent.unwrap_or_else(|| percentage_from_tax(row, basis));
    let misfit = fitting.is_empty().then(by_tax);
    RowFits { fitting, misfit }
}

/// A percentage that nobody knows, from the tax itself: the roundest one that fits, else tax / base. Rates of the world are whole, half,
/// quarter or twentieth percentages (8.25 % in Texas, 14.975 % in Quebec is the exception that stays as it is).
fn percentage_from_tax(row: &TaxedAmount, basis: DiscountBasis) -> Decimal {
    let mut rate = Decimal::ZERO;
    // The base depends on the rate where discounts hold tax; a few rounds settle it.
    for _ in 0..6 {
        let base = match basis {
            DiscountBasis::NetPrices => row.subtotal - row.discount,
            DiscountBasis::GrossPrices => row.subtotal - row.discount / (Decimal::ONE + rate),
            DiscountBasis::AfterTax => row.subtotal,
        };
        rate = row.tax.checked_div(base).unwrap_or_default();
        if rate <= Decimal::ZERO || rate > HIGHEST_RATE {
            return Decimal::ZERO;
        }
    }
    let percent = rate * Decimal::ONE_HUNDRED;
    [Decimal::new(5, 1), Decimal::new(25, 2), Decimal::new(5, 2)]
        .into_iter()
        .map(|step| round2((percent / step).round() * step))
        .find(|round| fit(row, basis, *round).is_some_and(|fit| fit.level == FitLevel::Exact))
        .unwrap_or_else(|| round2(percent))
}

/// The percentages that fit rows of a document under each basis: they are the same whatever else is read into it.
#[derive(Debug)]
pub(crate) struct RateFits([Vec<RowFits>; 3]);

impl RateFits {
    /// Tries the known percentages on every row.
    pub fn of(rows: &[TaxedAmount], known: &[Decimal]) -> Self {
        let under = |basis| rows.iter().map(|row| fits(row, basis, known)).collect();
        Self([
            under(DiscountBasis::NetPrices),
            under(DiscountBasis::GrossPrices),
            under(DiscountBasis::AfterTax),
        ])
    }

    /// The fits of each row under a basis.
    pub fn under(&self, basis: DiscountBasis) -> &[RowFits] {
        let Self([excluding, including, after]) = self;
        match basis {
            DiscountBasis::NetPrices => excluding,
            DiscountBasis::GrossPrices => including,
            DiscountBasis::AfterTax => after,
        }
    }

    /// The percentages that a row may have been taxed at, whatever the basis.
    pub fn possible(&self, row: usize) -> impl Iterator<Item = Decimal> {
        self.0.iter().flat_map(move |rows| rows[row].fitting.iter().map(|fit| fit.percent))
    }

    /// Whether every row may have been taxed at one of the percentages.
    fn are_complete(&self) -> bool {
        let Self([rows, ..]) = self;
        (0..rows.len()).all(|row| self.possible(row).next().is_some())
    }
}

/// The percentages that fit the rows of a document.
#[derive(Debug)]
pub(crate) struct DocumentFits {
    /// Of its lines.
    pub goods: RateFits,
    /// Of shipping, where there is any.
    pub shipping: RateFits,
}

impl DocumentFits {
    /// Tries the known percentages on the lines, and on shipping where it is looked at.
    pub fn of(goods: &[TaxedAmount], shipping: Option<&TaxedAmount>, known: &[Decimal]) -> Self {
        let shipping = shipping.map_or(&[][..], std::slice::from_ref);
        Self { goods: RateFits::of(goods, known), shipping: RateFits::of(shipping, known) }
    }

    /// Whether every row may have been taxed at one of the percentages.
    pub fn are_complete(&self) -> bool {
        self.goods.are_complete() && self.shipping.are_complete()
    }
}
