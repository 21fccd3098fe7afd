//! The tax of an invoice's fixed product taxes, and how much of it a memo takes back. A memo that takes all of them back, or none, has
//! all of their tax or nothing. Of a part only bounds are known, because Magento rounds the share of the net and of the sum with tax,
//! each by itself (Weee/Model/Total/Creditmemo/Weee.php).

use domain::{documents::Line, money::round2};
use rust_decimal::Decimal;

use crate::{
    amounts::{
        rate_fits::RateFits, recovered_rates::RecoveredRates, sums::DocumentSums, unallocated::GapExplanation,
    },
    credit_note::{
        amount_range::AmountRange,
        invoice_lines::{InvoiceLines, ReturnedShare},
        unit_product_tax,
    },
    limits::LARGEST_SALE,
    percentage::fraction,
    tolerances::{HAIR, HALF_PENNY, LARGEST_UNTAXABLE, PENNY},
};

/// What an invoice holds beyond its lines and shipping.
pub(crate) struct InvoiceProductTaxes {
    /// The percentages that each line may have been taxed at.
    percents: Vec<AmountRange>,
    /// The most that all product taxes may come to without tax.
    most_net: Decimal,
    /// The tax of all product taxes, as exact as the invoice shows.
    exact_tax: Decimal,
    /// The tax of all product taxes.
    pub tax: Decimal,
    /// What the total holds beyond everything and without tax: a fee, a product tax that is not taxed.
    untaxed: Decimal,
    /// Whether every tax may be that of a unit times the quantity.
    by_unit: bool,
}

impl InvoiceProductTaxes {
    /// Reads an explained invoice.
    pub fn of(
        sums: &DocumentSums<'_>,
        rates: &RecoveredRates,
        fits: &RateFits,
        explanation: &GapExplanation,
    ) -> Self {
        let range = |index: usize| {
            let fitting = fits.possible(index).map(AmountRange::exactly);
            fitting.fold(AmountRange::exactly(rates.goods[index]), AmountRange::with)
        };
        let given_back: Decimal = explanation.compensation.iter().map(|one| one.least).sum();
        let on_shipping = (explanation.shipping_compensation - PENNY).max(Decimal::ZERO);
        Self {
            percents: (0..sums.goods.len()).map(range).collect(),
            most_net: sums.net_gap - given_back - on_shipping,
            exact_tax: sums.tax_gap,
            tax: round2(sums.tax_gap).max(Decimal::ZERO),
            untaxed: explanation.difference.max(Decimal::ZERO),
            by_unit: rounds_by_unit(&sums.lines),
        }
    }

    /// The memo's tax of product taxes where no sum is needed to know it: there is none, no line bears any, or all of it is taken.
    pub fn certain_tax(
        &self,
        invoice: &InvoiceLines<'_>,
        lines: &[&Line],
        shares: &[ReturnedShare],
    ) -> Option<Decimal> {
        let is_taxed = |index: usize| !self.percents[index].most.is_zero();
        if self.tax.is_zero() || !shares.iter().any(|share| is_taxed(share.index)) {
            return Some(Decimal::ZERO);
        }
        if !invoice.are_all_returned(lines, is_taxed) {
            return None;
        }
        // The memo may leave fractions of pennies on its lines where the invoice has rounded: what both show of tax is the same sum.
        let shown = |lines: &[&Line]| -> Decimal { lines.iter().map(|line| line.line_tax).sum() };
        Some((self.exact_tax + shown(invoice.all()) - shown(lines)).max(Decimal::ZERO))
    }

    /// Bounds of the memo's tax of product taxes, which come to `beyond` with their tax; none where they cannot.
    pub fn range(
        &self,
        invoice: &InvoiceLines<'_>,
        shares: &[ReturnedShare],
        beyond: AmountRange,
    ) -> Option<AmountRange> {
        if beyond.most < -HALF_PENNY || beyond.least > self.most_net + self.tax + PENNY {
            return None;
        }
        if beyond.most < LARGEST_UNTAXABLE {
            return Some(AmountRange::exactly(Decimal::ZERO));
        }
        let percents = shares.iter().map(|share| self.percents[share.index]);
        let percents = percents.reduce(AmountRange::with)?;
        let slack: Decimal = shares.iter().map(|share| self.rounding(invoice, *share)).sum();
        let at = |percent: Decimal, beyond: Decimal, slack: Decimal| {
            let rate = fraction(percent);
            (rate * beyond.max(Decimal::ZERO) + slack) / (Decimal::ONE + rate)
        };
        // What the invoice held without tax may be all that comes back.
        let least_taxed = beyond.least - self.untaxed;
        let at_lowest = at(percents.least, least_taxed, -slack);
        let at_highest = at(percents.most, least_taxed - self.most_below(invoice, percents.most), -slack);
        let most = at(percents.most, beyond.most, slack);
        let least = ((at_lowest.max(at_highest) - HAIR) * Decimal::ONE_HUNDRED).ceil() / Decimal::ONE_HUNDRED;
        let most = ((most + HAIR) * Decimal::ONE_HUNDRED).floor() / Decimal::ONE_HUNDRED;
        let range = AmountRange { least: least.max(Decimal::ZERO), most: most.min(self.tax) };
        let range =
            self.by_units(invoice, shares, percents, beyond).map_or(range, |taxes| range.within(taxes));
        (range.least <= range.most).then_some(range)
    }

    /// Bounds of the tax where one line alone bears it, by the product taxes of a unit that come to the sum to the penny.
    fn by_units(
        &self,
        invoice: &InvoiceLines<'_>,
        shares: &[ReturnedShare],
        percents: AmountRange,
        beyond: AmountRange,
    ) -> Option<AmountRange> {
        let [returned] = shares else { return None };
        if !percents.is_exact() || !beyond.is_exact() || !self.untaxed.is_zero() {
            return None;
        }
        let quantity = invoice.all()[returned.index].qty;
        unit_product_tax::taxes(fraction(percents.least), quantity, returned.share, beyond.least)
    }

    /// The most that the invoice's product taxes of less than this percentage may come to, with tax: what its tax leaves room for.
    fn most_below(&self, invoice: &InvoiceLines<'_>, percent: Decimal) -> Decimal {
        let below = self.percents.iter().flat_map(|one| [one.least, one.most]);
        let is_highest = below.clone().all(|other| other <= percent);
        let next = below.filter(|other| *other < percent).max();
        let (true, Some(next)) = (is_highest, next) else {
            return if is_highest { Decimal::ZERO } else { Decimal::from(LARGEST_SALE) };
        };
        let whole = (0..self.percents.len()).map(|index| ReturnedShare { index, share: Decimal::ONE });
        let slack: Decimal = whole.map(|share| self.rounding(invoice, share)).sum();
        let missing = (fraction(percent) * self.most_net - self.tax + slack).max(Decimal::ZERO);
        missing / fraction(percent - next) * (Decimal::ONE + fraction(next))
    }

    /// How far the tax of a line's product tax may be from its percentage: the whole is rounded, or each unit is, and a share of it
    /// once more.
    fn rounding(&self, invoice: &InvoiceLines<'_>, returned: ReturnedShare) -> Decimal {
        let (line, rate) = (invoice.all()[returned.index], fraction(self.percents[returned.index].most));
        if rate.is_zero() {
            return Decimal::ZERO;
        }
        let units = if self.by_unit { line.qty.max(Decimal::ONE) } else { Decimal::ONE };
        let shared = returned.share != Decimal::ONE || !line.qty.fract().is_zero();
        let again = if shared { HALF_PENNY * (Decimal::ONE + rate) } else { Decimal::ZERO };
        HALF_PENNY * units * returned.share + again
    }

    /// The likeliest tax within the bounds: of the percentage of the line that is taxed most.
    pub fn likely_tax(
        rates: &RecoveredRates,
        shares: &[ReturnedShare],
        beyond: Decimal,
        range: AmountRange,
    ) -> Decimal {
        let percent = shares.iter().map(|share| rates.goods[share.index]).max().unwrap_or_default();
        let rate = fraction(percent);
        round2(beyond * rate / (Decimal::ONE + rate)).clamp(range.least, range.most)
    }
}

/// Whether every tax may be that of a unit times the quantity (Tax/Model/Calculation/UnitBaseCalculator.php).
fn rounds_by_unit(lines: &[&Line]) -> bool {
    let each = |line: &&Line| line.line_tax.checked_div(line.qty).unwrap_or_default();
    lines.iter().map(each).all(|tax| (tax - round2(tax)).abs() <= HAIR)
}
