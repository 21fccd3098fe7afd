//! What a memo's invoice tells of the tax that the memo does not show. The invoice holds the tax of all its product taxes; a memo that
//! takes all of them back, or none, has all of it or nothing. Of a part only bounds are known, within which Magento rounds.

use std::collections::BTreeMap;

use domain::{
    documents::{CreditMemo, Invoice, Line},
    money::round2,
};
use rust_decimal::Decimal;

use crate::{
    amounts::{
        compensation::{self, Compensation},
        recovered_rates::{KnownRates, RateFits, RecoveredRates, fraction},
        sums::{DocumentSums, NOTHING, PENNY},
        unallocated,
    },
    credit_note::hypothesis::Hypothesis,
    sales_document::{DocumentTotals, SalesDocument, counting_lines},
};

/// A hair for the fourth decimal.
const HAIR: Decimal = Decimal::from_parts(15, 0, 0, false, 5);

/// An invoice as its memos need it.
pub(crate) struct InvoiceEvidence<'a> {
    lines: Vec<&'a Line>,
    /// Where the lines of an article at a price are.
    alike: BTreeMap<Article<'a>, Vec<usize>>,
    sums: DocumentSums,
    reading: RecoveredRates,
    /// The tax within the discounts that Magento gave back, of each line.
    compensations: Vec<Compensation>,
    shipping_compensation: Decimal,
    /// The percentages that each line may have been taxed at.
    percents: Vec<AmountRange>,
    /// The most that all product taxes may come to without tax.
    most_net: Decimal,
    /// The tax of all product taxes.
    tax: Decimal,
    /// What the total holds beyond everything and without tax: a fee, a product tax that is not taxed.
    untaxed: Decimal,
}

/// Lines are of the same article at the same price where these are alike.
type Article<'a> = (&'a str, &'a str, Decimal);

fn article(line: &Line) -> Article<'_> {
    (&line.sku, &line.name, line.unit_price)
}

/// So many lines of one article at one price are compared; further ones are taken for the nearest of them.
const MOST_ALIKE: usize = 100;

/// A line of the memo: which of the invoice's it takes back, and how much of it.
#[derive(Clone, Copy)]
struct ReturnedShare {
    index: usize,
    share: Decimal,
}

/// What lies between the least and the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AmountRange {
    least: Decimal,
    most: Decimal,
}

impl AmountRange {
    fn exactly(amount: Decimal) -> Self {
        Self { least: amount, most: amount }
    }

    fn is_exact(self) -> bool {
        self.least == self.most
    }

    fn with(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }
}

impl<'a> InvoiceEvidence<'a> {
    /// Reads an invoice; none where its sums cannot be told.
    pub fn read(invoice: &'a Invoice, known: KnownRates<'_>) -> Option<Self> {
        let lines = counting_lines(&invoice.lines, invoice.shipping_amount);
        let sums = DocumentSums::of(&DocumentTotals::of_invoice(invoice), &lines);
        let fits = RateFits::of(&sums.goods, known.percentages);
        let (reading, explanation) = unallocated::best(&sums, &fits, known);
        if explanation.refusal.is_some() {
            return None;
        }
        let (mut compensations, mut percents) = (Vec::new(), Vec::new());
        let rows = sums.goods.iter().zip(&reading.goods).zip(&explanation.compensation);
        for (index, ((row, percent), likely)) in rows.enumerate() {
            let found = compensation::of(row, reading.goods_basis, *percent);
            let (least, most) = (found.least.min(*likely), found.most.max(*likely));
            compensations.push(Compensation { likely: *likely, least, most });
            let fitting = fits.possible(index).map(AmountRange::exactly);
            percents.push(fitting.fold(AmountRange::exactly(*percent), AmountRange::with));
        }
        let given_back: Decimal = compensations.iter().map(|one| one.least).sum();
        let most_net =
            sums.net_gap - given_back - (explanation.shipping_compensation - PENNY).max(Decimal::ZERO);
        let mut alike: BTreeMap<Article<'_>, Vec<usize>> = BTreeMap::new();
        for (index, line) in lines.iter().enumerate() {
            alike.entry(article(line)).or_default().push(index);
        }
        Some(Self {
            alike,
            shipping_compensation: explanation.shipping_compensation,
            tax: round2(sums.tax_gap).max(Decimal::ZERO),
            untaxed: explanation.difference.max(Decimal::ZERO),
            lines,
            sums,
            reading,
            compensations,
            percents,
            most_net,
        })
    }

    /// Whether the invoice holds tax that its lines and shipping do not show.
    pub fn has_hidden_tax(&self) -> bool {
        !self.tax.is_zero()
    }

    /// The sale with the percentages of the invoice.
    pub fn with_percents<'s>(&self, mut sale: SalesDocument<'s>) -> SalesDocument<'s> {
        for line in sale.lines.to_mut() {
            let percent = self.returned(line).map(|returned| self.reading.goods[returned.index]);
            line.tax_percent = line.tax_percent.or(percent);
        }
        sale
    }

    /// The guesses about a memo of this invoice whose total holds `gap` beyond its lines and shipping.
    pub fn hypotheses(&self, memo: &CreditMemo, lines: &[&Line], gap: Decimal) -> Vec<Hypothesis> {
        let returned_shares: Option<Vec<ReturnedShare>> =
            lines.iter().map(|line| self.returned(line)).collect();
        let Some(returned_shares) = returned_shares else { return Vec::new() };
        let back = self.compensation_of(&returned_shares);
        let certain = self.certain_tax(lines, &returned_shares);
        let (mut hypotheses, mut tax_range): (Vec<Hypothesis>, Option<AmountRange>) = (Vec::new(), None);
        for (shipping_discount, excess, given_back) in self.on_shipping(memo) {
            let rest = gap + shipping_discount - given_back - excess;
            let (likely, beyond) =
                (rest - back.likely, AmountRange { least: rest - back.most, most: rest - back.least });
            let taxes =
                certain.map(AmountRange::exactly).or_else(|| self.tax_range(&returned_shares, beyond));
            let (tax, far) = match taxes {
                Some(taxes) => (self.likely_tax(&returned_shares, likely, taxes), 0),
                None => (Decimal::ZERO, 40),
            };
            let is_whole = (likely - round2(likely)).abs() <= HAIR;
            let cost = far + if is_whole { 0 } else { 20 };
            let stated =
                if tax.is_zero() { Decimal::ZERO } else { (round2(likely) - tax).max(Decimal::ZERO) };
            let least = hypotheses.iter().map(|hypothesis| hypothesis.cost).min().unwrap_or(u32::MAX);
            tax_range = match (taxes, tax_range) {
                (Some(taxes), Some(tax_range)) if cost == least => Some(tax_range.with(taxes)),
                (taxes, _) if cost < least => taxes,
                (_, tax_range) => tax_range,
            };
            let excess = round2(excess);
            hypotheses.push(Hypothesis {
                shipping_discount,
                tax,
                stated,
                excess,
                cost,
                ..Hypothesis::default()
            });
        }
        // Every way that fits as well must come to the same tax.
        let is_exact = tax_range.is_some_and(AmountRange::is_exact);
        let least = hypotheses.iter().map(|hypothesis| hypothesis.cost).min();
        for hypothesis in &mut hypotheses {
            hypothesis.is_certain = certain.is_some() || (is_exact && Some(hypothesis.cost) == least);
        }
        hypotheses
    }

    /// Which line of the invoice a memo's line takes back: of several alike the one whose sums are the nearest.
    fn returned(&self, line: &Line) -> Option<ReturnedShare> {
        let returned = |index: usize| {
            let one = self.lines[index];
            let share = line.qty / one.qty;
            let off = |of: fn(&Line) -> Decimal| (of(one) * share - of(line)).abs();
            let distance = off(|line| line.line_subtotal) + off(|line| line.line_tax) + off(Line::discount);
            (distance, ReturnedShare { index, share })
        };
        let is_enough = |index: &usize| {
            let quantity = self.lines[*index].qty;
            quantity >= line.qty && quantity > Decimal::ZERO
        };
        let alike = self.alike.get(&article(line)).into_iter().flatten().copied();
        let returned_shares = alike.filter(is_enough).take(MOST_ALIKE).map(returned);
        returned_shares.min_by_key(|(distance, _)| *distance).map(|(_, returned)| returned)
    }

    /// The tax within the lines' discounts that the memo gives back.
    fn compensation_of(&self, returned_shares: &[ReturnedShare]) -> Compensation {
        let mut sum = Compensation::default();
        for ReturnedShare { index, share } in returned_shares {
            let share_of =
                |amount: Decimal| if *share == Decimal::ONE { amount } else { round2(amount * share) };
            let one = self.compensations[*index];
            sum.likely += share_of(one.likely);
            sum.least += share_of(one.least);
            sum.most += share_of(one.most);
        }
        sum
    }

    /// What the memo may hold of shipping beyond its fields: discount, what is credited too much, tax given back. Magento takes the
    /// invoice's proportion of the discount; of all shipping refunded it may take it of the amount with the tax given back, and of
    /// none refunded it credits the proportion of the tax on it.
    fn on_shipping(&self, memo: &CreditMemo) -> Vec<(Decimal, Decimal, Decimal)> {
        let Some(shipping) = &self.sums.shipping else { return vec![Default::default()] };
        let Some(proportion) = shipping.discount.checked_div(shipping.subtotal) else {
            return vec![Default::default()];
        };
        if memo.shipping_amount.is_zero() {
            let fault = proportion * shipping.tax;
            let mut ways = vec![Default::default()];
            if !fault.is_zero() {
                ways.push((Decimal::ZERO, fault, Decimal::ZERO));
            }
            return ways;
        }
        let share = memo.shipping_amount / shipping.subtotal;
        let given_back = round2(self.shipping_compensation * share);
        if let Some(stated) = memo.shipping_discount {
            return vec![(stated.abs(), Decimal::ZERO, given_back)];
        }
        let mut ways = vec![(memo.shipping_amount * proportion, Decimal::ZERO, given_back)];
        if memo.shipping_amount == shipping.subtotal && !given_back.is_zero() {
            ways.push(((memo.shipping_amount + given_back) * proportion, Decimal::ZERO, given_back));
        }
        ways
    }

    /// The memo's tax of product taxes where no sum is needed to tell it: there is none, no line bears any, or all of it is taken.
    fn certain_tax(&self, lines: &[&Line], returned_shares: &[ReturnedShare]) -> Option<Decimal> {
        if self.tax.is_zero()
            || returned_shares.iter().all(|returned| self.percents[returned.index].most.is_zero())
        {
            return Some(Decimal::ZERO);
        }
        let mut left: BTreeMap<Article<'_>, Decimal> = BTreeMap::new();
        for line in &self.lines {
            *left.entry(article(line)).or_default() += line.qty;
        }
        for line in lines {
            *left.entry(article(line)).or_default() -= line.qty;
        }
        let mut taxed =
            self.lines.iter().zip(&self.percents).filter(|(_, percents)| !percents.most.is_zero());
        if !taxed.all(|(line, _)| left[&article(line)].is_zero()) {
            return None;
        }
        // The memo may leave fractions of pennies on its lines where the invoice has rounded: what both show of tax is the same sum.
        let shown = |lines: &[&Line]| -> Decimal { lines.iter().map(|line| line.line_tax).sum() };
        Some((self.sums.tax_gap + shown(&self.lines) - shown(lines)).max(Decimal::ZERO))
    }

    /// Bounds of the memo's tax of product taxes, which come to `beyond` with their tax; none where they cannot.
    fn tax_range(&self, returned_shares: &[ReturnedShare], beyond: AmountRange) -> Option<AmountRange> {
        if beyond.most < -NOTHING || beyond.least > self.most_net + self.tax + PENNY {
            return None;
        }
        // Less bears no penny of tax.
        if beyond.most < PENNY * Decimal::TWO + NOTHING {
            return Some(AmountRange::exactly(Decimal::ZERO));
        }
        let percents = returned_shares.iter().map(|returned| self.percents[returned.index]);
        let percents = percents.reduce(AmountRange::with)?;
        let slack: Decimal = returned_shares.iter().map(|returned| self.rounding(*returned)).sum();
        let at = |percent: Decimal, beyond: Decimal, slack: Decimal| {
            let rate = fraction(percent);
            (rate * beyond.max(Decimal::ZERO) + slack) / (Decimal::ONE + rate)
        };
        // What the invoice held without tax may be all that comes back.
        let least_taxed = beyond.least - self.untaxed;
        let at_lowest = at(percents.least, least_taxed, -slack);
        let at_highest = at(percents.most, least_taxed - self.most_below(percents.most), -slack);
        let most = at(percents.most, beyond.most, slack);
        let least = ((at_lowest.max(at_highest) - HAIR) * Decimal::ONE_HUNDRED).ceil() / Decimal::ONE_HUNDRED;
        let most = ((most + HAIR) * Decimal::ONE_HUNDRED).floor() / Decimal::ONE_HUNDRED;
        let tax_range = AmountRange { least: least.max(Decimal::ZERO), most: most.min(self.tax) };
        (tax_range.least <= tax_range.most).then_some(tax_range)
    }

    /// The most that the invoice's product taxes of less than this percentage may come to, with tax: what its tax leaves room for.
    fn most_below(&self, percent: Decimal) -> Decimal {
        let below = self.percents.iter().flat_map(|one| [one.least, one.most]);
        let is_highest = below.clone().all(|other| other <= percent);
        let next = below.filter(|other| *other < percent).max();
        let (true, Some(next)) = (is_highest, next) else {
            return if is_highest { Decimal::ZERO } else { Decimal::from(1_000_000_000_i64) };
        };
        let whole = (0..self.lines.len()).map(|index| ReturnedShare { index, share: Decimal::ONE });
        let slack: Decimal = whole.map(|returned| self.rounding(returned)).sum();
        let missing = (fraction(percent) * self.most_net - self.tax + slack).max(Decimal::ZERO);
        missing / fraction(percent - next) * (Decimal::ONE + fraction(next))
    }

    /// How far the tax of a line's product tax may be from its percentage: the whole is rounded, or each unit is, and a share of it
    /// once more.
    fn rounding(&self, returned: ReturnedShare) -> Decimal {
        let (line, rate) = (self.lines[returned.index], fraction(self.percents[returned.index].most));
        if rate.is_zero() {
            return Decimal::ZERO;
        }
        let units = if self.rounds_by_unit() { line.qty.max(Decimal::ONE) } else { Decimal::ONE };
        let shared = returned.share != Decimal::ONE || !line.qty.fract().is_zero();
        let again = if shared { NOTHING * (Decimal::ONE + rate) } else { Decimal::ZERO };
        NOTHING * units * returned.share + again
    }

    /// Whether every tax may be that of a unit times the quantity.
    fn rounds_by_unit(&self) -> bool {
        let each = |line: &&Line| line.line_tax.checked_div(line.qty).unwrap_or_default();
        self.lines.iter().map(each).all(|tax| (tax - round2(tax)).abs() <= HAIR)
    }

    /// The likeliest tax within the bounds: of the percentage of the line that is taxed most.
    fn likely_tax(
        &self,
        returned_shares: &[ReturnedShare],
        beyond: Decimal,
        tax_range: AmountRange,
    ) -> Decimal {
        let percent = returned_shares
            .iter()
            .map(|returned| self.reading.goods[returned.index])
            .max()
            .unwrap_or_default();
        let rate = fraction(percent);
        round2(beyond * rate / (Decimal::ONE + rate)).clamp(tax_range.least, tax_range.most)
    }
}
