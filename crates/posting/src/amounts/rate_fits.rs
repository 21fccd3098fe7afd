//! How well percentages fit the tax of a row. Magento rounds the tax of a unit, of a row or of the whole document
//! (Tax/Model/Calculation/UnitBaseCalculator.php, RowBaseCalculator.php and TotalBaseCalculator.php), and no document says which.

use domain::money::round2;
use rust_decimal::Decimal;

use crate::{
    amounts::taxed_amount::{DiscountBasis, TaxedAmount, fraction},
    tolerances::{CARRIED_FIT, EXACT_FIT, PENNY},
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
pub(crate) fn fit(row: &TaxedAmount, basis: DiscountBasis, percent: Decimal) -> Option<RateFit> {
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

/// The percentages that fit a row, the best first.
pub(crate) fn fits(row: &TaxedAmount, basis: DiscountBasis, known: &[Decimal]) -> Vec<RateFit> {
    let candidates: &[Decimal] = row.percent.as_slice();
    let candidates = if candidates.is_empty() { known } else { candidates };
    let mut fits: Vec<_> = candidates.iter().filter_map(|percent| fit(row, basis, *percent)).collect();
    // A loose fit counts only where nothing better is there.
    if fits.iter().any(|fit| fit.level < FitLevel::Loose) {
        fits.retain(|fit| fit.level < FitLevel::Loose);
    }
    fits.sort_unstable();
    fits
}

/// Whether one of these percentages fits a row, whatever the discount's basis.
pub(crate) fn fits_any(row: &TaxedAmount, known: &[Decimal]) -> bool {
    [DiscountBasis::NetPrices, DiscountBasis::GrossPrices, DiscountBasis::AfterTax]
        .into_iter()
        .any(|basis| !fits(row, basis, known).is_empty())
}

/// The percentages that fit the lines of a document under each basis: they are the same whatever else is read into it.
#[derive(Debug)]
pub(crate) struct RateFits([Vec<Vec<RateFit>>; 3]);

impl RateFits {
    /// Tries the known percentages on every line.
    pub fn of(goods: &[TaxedAmount], known: &[Decimal]) -> Self {
        let under = |basis| goods.iter().map(|row| fits(row, basis, known)).collect();
        Self([
            under(DiscountBasis::NetPrices),
            under(DiscountBasis::GrossPrices),
            under(DiscountBasis::AfterTax),
        ])
    }

    /// The fits of each line under a basis.
    pub fn under(&self, basis: DiscountBasis) -> &[Vec<RateFit>] {
        let Self([excluding, including, after]) = self;
        match basis {
            DiscountBasis::NetPrices => excluding,
            DiscountBasis::GrossPrices => including,
            DiscountBasis::AfterTax => after,
        }
    }

    /// The percentages that fit a line under a basis.
    pub fn percentages(&self, line: usize, basis: DiscountBasis) -> impl Iterator<Item = Decimal> {
        self.under(basis)[line].iter().map(|fit| fit.percent)
    }

    /// Whether a line's tax speaks as well for one basis as for another.
    pub fn fits_as_well(&self, line: usize, basis: DiscountBasis, other: DiscountBasis) -> bool {
        let level = |basis| self.under(basis)[line].iter().map(|fit| fit.level).min();
        match (level(basis), level(other)) {
            (Some(level), Some(of_other)) => level <= of_other,
            (level, _) => level.is_some(),
        }
    }

    /// The percentages that a line may have been taxed at, whatever the basis.
    pub fn possible(&self, line: usize) -> impl Iterator<Item = Decimal> {
        self.0.iter().flat_map(move |lines| lines[line].iter().map(|fit| fit.percent))
    }
}
