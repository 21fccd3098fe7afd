//! What a credit memo shows by itself: the gap in its total, and how sure one can be of what fills it.

use domain::{
    documents::{CreditMemo, Line},
    money::round2,
};
use rust_decimal::Decimal;

use crate::{
    amounts::{
        known_rates::KnownRates,
        rate_fits::RateFits,
        sums::DocumentSums,
        taxed_amount::{DiscountBasis, TaxedAmount},
    },
    limits::MOST_QUANTITIES,
    percentage::fraction,
    sales_document::SalesDocument,
    tolerances::{COMPENSATION, PENNY, PROPORTION},
};

/// A memo and the sale that its fields show.
pub(crate) struct MemoEvidence<'a> {
    /// The memo.
    pub memo: &'a CreditMemo,
    /// The percentages to compare with.
    pub known: &'a KnownRates,
    /// All its lines.
    pub shown_lines: &'a [Line],
    /// The sums of those that count.
    pub sums: DocumentSums<'a>,
    /// The percentages that fit the lines.
    pub fits: RateFits,
    /// What the total holds beyond lines and shipping.
    pub gap: Decimal,
    /// The whole quantities above one of the lines.
    pub quantities: Vec<Decimal>,
}

impl<'a> MemoEvidence<'a> {
    /// Looks at a memo and at the sale that its fields show.
    pub fn new(memo: &'a CreditMemo, sale: &'a SalesDocument<'_>, known: &'a KnownRates) -> Self {
        let sums = DocumentSums::of(&sale.totals, &sale.lines);
        let shown: Decimal = sums.lines.iter().map(|line| line.line_total).sum();
        let gap = sale.totals.grand_total - shown - memo.shipping_amount - memo.shipping_tax_amount;
        let fits = RateFits::of(&sums.goods, &known.percentages);
        let mut quantities: Vec<Decimal> = Vec::new();
        let several = |quantity: &Decimal| *quantity > Decimal::ONE && quantity.fract().is_zero();
        for quantity in sums.lines.iter().map(|line| line.qty).filter(several) {
            if quantities.len() <= MOST_QUANTITIES && !quantities.contains(&quantity) {
                quantities.push(quantity);
            }
        }
        Self { memo, known, shown_lines: &sale.lines, sums, fits, gap, quantities }
    }

    /// Whether the memo shows that nothing was taxed: no line is there that may have been.
    pub fn is_untaxed(&self) -> bool {
        let is_untaxed = |(index, row): (usize, &TaxedAmount)| {
            row.tax.is_zero() && self.fits.possible(index).all(|percent| percent.is_zero())
        };
        self.memo.shipping_tax_amount.is_zero() && self.sums.goods.iter().enumerate().all(is_untaxed)
    }

    /// Whether what was taken for tax within discounts may be a product tax: the lines could have been discounted without tax as well.
    pub fn may_be_compensation(&self, given_back: Decimal) -> bool {
        let level =
            |index: usize, basis| self.fits.under(basis)[index].fitting.iter().map(|fit| fit.level).min();
        let fits_excluding = |index| {
            let (excluding, including) =
                (level(index, DiscountBasis::NetPrices), level(index, DiscountBasis::GrossPrices));
            excluding.is_some() && including.is_none_or(|including| excluding <= Some(including))
        };
        given_back > COMPENSATION && (0..self.sums.goods.len()).all(fits_excluding)
    }

    /// Whether the total has more than two places although every line has two: a share that Magento did not round, as it does not
    /// round that of the discount on shipping (Sales/Model/Order/Creditmemo/Total/Discount.php).
    pub fn has_four_places(&self) -> bool {
        let line = |line: &&Line| {
            is_whole(line.line_subtotal) && is_whole(line.line_tax) && is_whole(line.line_total)
        };
        !is_whole(self.memo.grand_total) && self.sums.lines.iter().all(line)
    }

    /// Whether the lines show taxes that only rounding unit by unit makes (Tax/Model/Calculation/UnitBaseCalculator.php).
    pub fn rounds_by_unit(&self) -> bool {
        let by_unit = |line: &&&Line| {
            let each = line.line_tax.checked_div(line.qty);
            let price = line.unit_price * line.qty == line.line_subtotal;
            line.qty > Decimal::ONE && each.is_some_and(is_whole) && price
        };
        let several = |line: &&&Line| line.qty > Decimal::ONE && !line.line_tax.is_zero();
        let count = self.sums.lines.iter().filter(several).count();
        count > 0 && self.sums.lines.iter().filter(several).filter(by_unit).count() == count
    }

    /// Whether a discount on shipping, or what is missing from the total, is in proportion to the lines' discounts: a sales rule takes
    /// one percentage of all (SalesRule/Model/Rule/Action/Discount/ByPercent.php), and a product tax would make shipping's look smaller
    /// (test a_product_tax_that_looks_like_a_smaller_discount_on_shipping_waits).
    pub fn is_usual_discount(&self, discount: Decimal, missing: Decimal) -> bool {
        let (shipping, goods) = (self.memo.shipping_amount, &self.sums.goods);
        let off = discount + missing.max(Decimal::ZERO);
        let is_discounted = goods.iter().any(|row| row.discount > PENNY);
        if off.is_zero() || self.memo.shipping_discount.is_some() || !(is_discounted || discount > PENNY) {
            return true;
        }
        // Of a price given away nothing is left that would show its tax.
        if goods.iter().any(|row| row.discount >= row.subtotal) || shipping.is_zero() {
            return false;
        }
        // Discounts are taken of prices with tax or without it, of all alike; what was found may be meant in either way too.
        let proportions = [false, true].into_iter().filter_map(|with_tax| self.proportion(with_tax));
        proportions.into_iter().any(|proportion| {
            self.shipping_factors().any(|factor| self.is_near(off, proportion, factor) == Some(true))
        })
    }

    /// The one proportion of the lines' discounts to their prices, and how far it may be off; none where they differ.
    fn proportion(&self, with_tax: bool) -> Option<(Decimal, Decimal)> {
        let fits = self.fits.under(DiscountBasis::NetPrices);
        let percent = |index: usize| fits[index].fitting.last().map_or(Decimal::ZERO, |fit| fit.percent);
        let part = |(index, row): (usize, &TaxedAmount)| {
            let factor = if with_tax { fraction(percent(index)) + Decimal::ONE } else { Decimal::ONE };
            let base = row.subtotal * factor;
            Some((base, row.discount.checked_div(base)?))
        };
        // A part of next to nothing is beyond any number: it says nothing.
        let parts = self.sums.goods.iter().enumerate().map(part).collect::<Option<Vec<_>>>()?;
        let (largest, likely) = parts.iter().copied().max()?;
        let slack = |base: Decimal| PROPORTION.checked_div(base);
        let agrees = |(base, part): &(Decimal, Decimal)| {
            let apart = part.checked_sub(likely).map(|apart| apart.abs());
            apart.zip(slack(*base)).is_some_and(|(apart, slack)| apart <= slack)
        };
        if parts.iter().all(agrees) { Some((likely, slack(largest)?)) } else { None }
    }

    /// Shipping may be discounted with its tax or without it.
    fn shipping_factors(&self) -> impl Iterator<Item = Decimal> {
        let is_taxed = !self.memo.shipping_tax_amount.is_zero();
        let taxing = self.known.percentages.iter().filter(move |percent| percent.is_zero() != is_taxed);
        taxing.map(|percent| fraction(*percent) + Decimal::ONE).chain([Decimal::ONE])
    }

    /// Whether `off` is shipping's share of the proportion; none beyond what a number holds.
    fn is_near(&self, off: Decimal, (part, slack): (Decimal, Decimal), factor: Decimal) -> Option<bool> {
        let shipping = self.memo.shipping_amount;
        let expected = shipping.checked_mul(part)?.checked_mul(factor)?;
        let allowed = shipping.checked_mul(slack)?.checked_add(PROPORTION)?;
        Some(expected.checked_sub(off)?.abs() <= allowed)
    }
}

fn is_whole(amount: Decimal) -> bool {
    round2(amount) == amount
}
