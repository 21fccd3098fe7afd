//! What a credit memo may hide: a discount on the shipping that it gives back, fixed product taxes with their tax, and a fault of
//! Magento's. No field shows them; each guess is a set of figures that would close the memo's gap.

use domain::{
    documents::{CreditMemo, Line},
    money::{round, round2},
};
use rust_decimal::Decimal;

use crate::{
    amounts::{
        compensation,
        recovered_rates::{self, DiscountBasis, KnownRates, RateFits, TaxedAmount, fraction},
        sums::{DocumentSums, NOTHING, PENNY},
    },
    credit_note::{from_invoice::InvoiceEvidence, hypothesis::Hypothesis},
    sales_document::SalesDocument,
};

/// Five pence: shops choose round sums.
const ROUND: Decimal = Decimal::from_parts(5, 0, 0, false, 2);
/// What the fault comes to at most where nothing but the memo tells of it.
const FAULT: Decimal = Decimal::from_parts(5, 0, 0, false, 1);

/// How far-fetched a product tax is at least.
pub(crate) const PRODUCT_TAX: u32 = 5;

/// Guesses times lines: about a second's work.
const MOST_STEPS: usize = 200_000;
/// A shop sells in fewer quantities, and taxes at fewer percentages, on one document.
const MOST_QUANTITIES: usize = 50;
const MOST_PERCENTS: usize = 12;

/// Makes guesses about a memo.
pub(crate) struct HypothesisBuilder<'a> {
    memo: &'a CreditMemo,
    known: KnownRates<'a>,
    lines: Vec<&'a Line>,
    sums: DocumentSums,
    fits: RateFits,
    /// What the total holds beyond lines and shipping.
    gap: Decimal,
    /// The whole quantities above one of the lines.
    quantities: Vec<Decimal>,
}

/// What is left of the gap under one way of taxing discounts.
struct Remainder {
    amount: Decimal,
    case: DiscountBasis,
    /// The percentages above 0 of the lines, the main one first.
    percents: Vec<Decimal>,
}

impl<'a> HypothesisBuilder<'a> {
    /// Looks at a memo and at the sale that its fields tell.
    pub fn new(memo: &'a CreditMemo, sale: &'a SalesDocument<'_>, known: KnownRates<'a>) -> Self {
        let lines = sale.counting_lines();
        let sums = DocumentSums::of(&sale.totals, &lines);
        let shown: Decimal = lines.iter().map(|line| line.line_total).sum();
        let gap = sale.totals.grand_total - shown - memo.shipping_amount - memo.shipping_tax_amount;
        let fits = RateFits::of(&sums.goods, known.percentages);
        let mut quantities: Vec<Decimal> = Vec::new();
        let several = |quantity: &Decimal| *quantity > Decimal::ONE && quantity.fract().is_zero();
        for quantity in lines.iter().map(|line| line.qty).filter(several) {
            if quantities.len() <= MOST_QUANTITIES && !quantities.contains(&quantity) {
                quantities.push(quantity);
            }
        }
        Self { memo, known, lines, sums, fits, gap, quantities }
    }

    /// Whether the lines are so different that not every product tax is guessed at.
    pub fn is_cut_short(&self) -> bool {
        let percents = |rest: &Remainder| rest.percents.len() > MOST_PERCENTS;
        self.quantities.len() > MOST_QUANTITIES || self.rests().iter().any(percents)
    }

    /// How many guesses are tried: each costs as much as there are lines.
    pub fn most_hypotheses(&self) -> usize {
        MOST_STEPS / self.lines.len().max(1)
    }

    /// What the memo's invoice tells.
    pub fn from_invoice(&self, evidence: &InvoiceEvidence<'_>) -> Vec<Hypothesis> {
        // The decimals that Magento left tell which way of taking discounts is the right one.
        let left = self.memo.grand_total - round2(self.memo.grand_total);
        evidence.hypotheses(self.memo, &self.lines, self.gap + left)
    }

    /// The percentages that fit the memo's lines.
    pub fn fits(&self) -> &RateFits {
        &self.fits
    }

    /// Whether the memo shows that nothing was taxed: no line is there that may have been.
    pub fn is_untaxed(&self) -> bool {
        let is_untaxed = |(index, row): (usize, &TaxedAmount)| {
            row.tax.is_zero() && self.fits.possible(index).all(|percent| percent.is_zero())
        };
        self.memo.shipping_tax_amount.is_zero() && self.sums.goods.iter().enumerate().all(is_untaxed)
    }

    /// Whether a discount on shipping, or what is missing from the total, is in proportion to the lines' discounts: a product tax
    /// would make it look smaller.
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
        // Discounts are taken of prices with tax or without it, of all alike.
        let with_tax = |index| {
            fraction(self.fits.percentages(index, DiscountBasis::ExcludingTax).last().unwrap_or_default())
                + Decimal::ONE
        };
        let parts = |is_gross: bool| {
            let part = move |(index, row): (usize, &TaxedAmount)| {
                let base = if is_gross { row.subtotal * with_tax(index) } else { row.subtotal };
                Some((base, row.discount.checked_div(base)?))
            };
            // A part of next to nothing is beyond any number: it says nothing.
            let parts = goods.iter().enumerate().map(part).collect::<Option<Vec<_>>>()?;
            let (most, likely) = parts.iter().copied().max()?;
            let slack = |base: Decimal| (PENNY * Decimal::TWO).checked_div(base);
            let agrees = |(base, part): &(Decimal, Decimal)| {
                let apart = part.checked_sub(likely).map(|apart| apart.abs());
                apart.zip(slack(*base)).is_some_and(|(apart, slack)| apart <= slack)
            };
            if parts.iter().all(agrees) { Some((likely, slack(most)?)) } else { None }
        };
        let is_taxed = !self.memo.shipping_tax_amount.is_zero();
        let near = |(part, slack): (Decimal, Decimal), factor: Decimal| {
            let expected = shipping.checked_mul(part)?.checked_mul(factor)?;
            let allowed = shipping.checked_mul(slack)?.checked_add(PENNY * Decimal::TWO)?;
            Some(expected.checked_sub(off)?.abs() <= allowed)
        };
        let taxing = self.known.percentages.iter().filter(|percent| percent.is_zero() != is_taxed);
        // What was found may be meant with tax or without it, whichever way the lines' discounts are.
        let factors =
            || taxing.clone().map(|percent| fraction(*percent) + Decimal::ONE).chain([Decimal::ONE]);
        [false, true]
            .into_iter()
            .filter_map(parts)
            .any(|part| factors().any(|factor| near(part, factor) == Some(true)))
    }

    /// Whether what was taken for tax within discounts may be a product tax: the lines could have been discounted without tax as well.
    pub fn may_be_compensation(&self, given_back: Decimal) -> bool {
        let fits_net =
            |index| self.fits.fits_as_well(index, DiscountBasis::ExcludingTax, DiscountBasis::IncludingTax);
        given_back > PENNY * Decimal::from(3) && (0..self.sums.goods.len()).all(fits_net)
    }

    /// Every guess that the memo itself makes likely.
    pub fn hypotheses(&self) -> Vec<Hypothesis> {
        let mut hypotheses = Vec::new();
        for rest in self.rests() {
            if let Some(stated) = self.memo.shipping_discount {
                self.stated_shipping_discount(stated, &rest, &mut hypotheses);
                continue;
            }
            if self.memo.shipping_amount > Decimal::ZERO {
                self.product_tax(Decimal::ZERO, rest.amount, 0, &rest, &mut hypotheses);
                self.shipping_discounts(&rest, &mut hypotheses);
            } else {
                self.without_shipping(&rest, &mut hypotheses);
            }
        }
        hypotheses
    }

    /// What is left of the gap after the lines' compensation, for discounts without tax and with it.
    fn rests(&self) -> Vec<Remainder> {
        let goods = &self.sums.goods;
        [DiscountBasis::ExcludingTax, DiscountBasis::IncludingTax]
            .into_iter()
            .map(|case| {
                let reading = recovered_rates::recover(goods, &self.fits, None, (case, case), self.known);
                let of =
                    |(row, percent): (&TaxedAmount, &Decimal)| compensation::of(row, case, *percent).likely;
                let given_back: Decimal = goods.iter().zip(&reading.goods).map(of).sum();
                let mut percents: Vec<Decimal> = Vec::new();
                // Where nothing was taxed no product tax was either.
                let taxed = goods.iter().zip(&reading.goods).filter(|(row, _)| !row.tax.is_zero());
                for percent in
                    taxed.clone().filter_map(|_| reading.main).chain(taxed.clone().map(|(_, one)| *one))
                {
                    if percents.len() <= MOST_PERCENTS
                        && percent > Decimal::ZERO
                        && !percents.contains(&percent)
                    {
                        percents.push(percent);
                    }
                }
                Remainder { amount: self.gap - given_back, case, percents }
            })
            .collect()
    }

    /// Our own module says what was taken off shipping.
    fn stated_shipping_discount(&self, stated: Decimal, rest: &Remainder, hypotheses: &mut Vec<Hypothesis>) {
        let stated = stated.abs();
        for percent in [Decimal::ZERO].into_iter().chain(self.known.percentages.iter().copied()) {
            let without_tax = stated / (Decimal::ONE + fraction(percent));
            self.product_tax(stated, rest.amount + without_tax, 0, rest, hypotheses);
        }
    }

    /// Discounts on shipping: told by the tax on it, by what is missing from the total, or by both beside product taxes.
    fn shipping_discounts(&self, rest: &Remainder, hypotheses: &mut Vec<Hypothesis>) {
        let (net, tax) = (self.memo.shipping_amount, self.memo.shipping_tax_amount);
        for percent in self.known.percentages {
            let rate = fraction(*percent);
            let with_and_without_tax = [Decimal::ONE, Decimal::ONE + rate];
            if rest.amount < -NOTHING && -rest.amount <= net + PENNY {
                for factor in with_and_without_tax {
                    let discount = round(-rest.amount * factor, 4);
                    hypotheses.push(Hypothesis {
                        shipping_discount: discount,
                        cost: 3,
                        ..Hypothesis::default()
                    });
                }
            }
            let Some(taxed) = tax.checked_div(rate) else { continue };
            let (expected, slack) = (net - taxed, Decimal::new(6, 3) / rate + PENNY);
            if expected <= PENNY || expected > net {
                continue;
            }
            // The tax tells the discount to a few pence; a round product tax tells the rest.
            let about = rest.amount + expected;
            for beyond in round_amounts(about, slack, *percent) {
                let off = beyond - rest.amount;
                if off <= Decimal::ZERO || beyond <= self.sums.tolerance() {
                    continue;
                }
                let cost = 4 + pennies(beyond - about);
                for factor in with_and_without_tax {
                    self.product_tax(round(off * factor, 4), beyond, cost, rest, hypotheses);
                }
            }
        }
    }

    /// Product taxes of `beyond`, tax included, beside a discount on shipping.
    fn product_tax(
        &self,
        shipping_discount: Decimal,
        beyond: Decimal,
        cost: u32,
        rest: &Remainder,
        hypotheses: &mut Vec<Hypothesis>,
    ) {
        let plain = Hypothesis { shipping_discount, cost, ..Hypothesis::default() };
        if beyond <= self.sums.tolerance() {
            hypotheses.push(plain);
        } else {
            self.by_roundness(round2(beyond), &plain, rest, hypotheses);
        }
    }

    /// Product taxes of which only the memo tells: shops choose round sums, with tax or without it as they keep their prices, and
    /// the rounder of the two is the likelier. A sum that is round in neither way could as well be a fee without tax.
    fn by_roundness(
        &self,
        beyond: Decimal,
        plain: &Hypothesis,
        rest: &Remainder,
        hypotheses: &mut Vec<Hypothesis>,
    ) {
        let as_it_stands = roundness(beyond);
        let with_tax = self.prices_hold_tax(rest) && as_it_stands > 0;
        let mut is_taxed = false;
        for (place, percent) in rest.percents.iter().enumerate() {
            for (order, net) in self.nets(beyond, *percent).into_iter().enumerate() {
                if with_tax || (roundness(net) > 0 && roundness(net) >= as_it_stands) {
                    is_taxed = true;
                    let far = if place == 0 { PRODUCT_TAX } else { 13 };
                    let cost = plain.cost + far + u32::from(order > 0);
                    hypotheses.push(Hypothesis { tax: beyond - net, cost, ..plain.clone() });
                }
            }
        }
        let is_clear = is_taxed || as_it_stands > 0 || rest.percents.is_empty();
        let doubtful = if is_clear { Decimal::ZERO } else { beyond };
        hypotheses.push(Hypothesis { doubtful, ..plain.clone() });
    }

    /// The net of product taxes that come to so much with tax: rounded as the whole, or unit by unit, the shop's way first.
    fn nets(&self, with_tax: Decimal, percent: Decimal) -> Vec<Decimal> {
        let factor = Decimal::ONE + fraction(percent);
        let whole = round2(with_tax / factor);
        let mut nets = vec![whole];
        for quantity in self.quantities.iter().copied() {
            let unit = with_tax / quantity;
            if round2(unit) == unit && !nets.contains(&(round2(unit / factor) * quantity)) {
                nets.push(round2(unit / factor) * quantity);
            }
        }
        if nets.len() > 1 && self.rounds_by_unit() {
            nets.rotate_left(1);
        }
        nets
    }

    /// Whether the lines show taxes that only rounding unit by unit makes.
    fn rounds_by_unit(&self) -> bool {
        let whole = |amount: Decimal| round2(amount) == amount;
        let by_unit = |line: &&&Line| {
            let each = line.line_tax.checked_div(line.qty);
            let price = line.unit_price * line.qty == line.line_subtotal;
            line.qty > Decimal::ONE && each.is_some_and(whole) && price
        };
        let several = |line: &&&Line| line.qty > Decimal::ONE && !line.line_tax.is_zero();
        let count = self.lines.iter().filter(several).count();
        count > 0 && self.lines.iter().filter(several).filter(by_unit).count() == count
    }

    /// Whether the shop keeps its prices with tax: its discounts hold tax, or its prices are odd without it and usual with it.
    fn prices_hold_tax(&self, rest: &Remainder) -> bool {
        if rest.case == DiscountBasis::IncludingTax
            && self.sums.goods.iter().any(|row| !row.discount.is_zero())
        {
            return true;
        }
        let Some(percent) = rest.percents.first() else { return false };
        let usual = |price: Decimal| {
            let last = (round2(price) * Decimal::ONE_HUNDRED) % Decimal::TEN;
            [0, 5, 9].into_iter().any(|digit| last == Decimal::from(digit))
        };
        let taxed = || self.lines.iter().filter(|line| !line.line_tax.is_zero());
        let with_tax = |line: &Line| line.unit_price * (Decimal::ONE + fraction(*percent));
        taxed().any(|line| !usual(line.unit_price)) && taxed().all(|line| usual(with_tax(line)))
    }

    /// A memo of goods alone. Where the order's shipping was discounted Magento takes the tax on it for a shipping refund, and credits
    /// the discount's share of that.
    fn without_shipping(&self, rest: &Remainder, hypotheses: &mut Vec<Hypothesis>) {
        let beside = |excess: Decimal, hypotheses: &mut Vec<Hypothesis>| {
            let mut others = Vec::new();
            self.product_tax(Decimal::ZERO, rest.amount - excess, 1, rest, &mut others);
            hypotheses.extend(others.into_iter().map(|hypothesis| Hypothesis { excess, ..hypothesis }));
        };
        let has_fault = rest.amount > NOTHING && self.has_four_places();
        if has_fault && rest.amount > FAULT {
            // A product tax beside the fault: how much of it is which?
            hypotheses.push(Hypothesis { doubtful: rest.amount, ..Hypothesis::default() });
        } else if has_fault {
            beside(round2(rest.amount), hypotheses);
        } else {
            self.product_tax(Decimal::ZERO, rest.amount, 0, rest, hypotheses);
        }
    }

    /// Whether the total has more than two places although every line has two: a share that Magento did not round.
    fn has_four_places(&self) -> bool {
        let whole = |amount: Decimal| round2(amount) == amount;
        let line = |line: &&Line| whole(line.line_subtotal) && whole(line.line_tax) && whole(line.line_total);
        !whole(self.memo.grand_total) && self.lines.iter().all(line)
    }
}

/// How round an amount is: pounds, halves, quarters, tens, fives of pence; 0 = not at all.
fn roundness(amount: Decimal) -> usize {
    let steps = [100, 50, 25, 10, 5].map(|pence| Decimal::new(pence, 2));
    steps.iter().rev().filter(|step| (amount / **step).fract().is_zero()).count()
}

/// Amounts near `about` that are round with tax or without it.
fn round_amounts(about: Decimal, slack: Decimal, percent: Decimal) -> Vec<Decimal> {
    let factor = Decimal::ONE + fraction(percent);
    let near = (about / ROUND).round() * ROUND;
    let near_without = (about / factor / ROUND).round() * ROUND;
    let mut amounts = vec![near, near - ROUND, near + ROUND, round2(near_without * factor)];
    amounts.retain(|amount| (*amount - about).abs() <= slack && *amount > Decimal::ZERO);
    amounts.sort_unstable_by_key(|amount| (*amount - about).abs());
    amounts.push(round2(about));
    amounts.dedup();
    amounts
}

fn pennies(amount: Decimal) -> u32 {
    use rust_decimal::prelude::ToPrimitive;
    (amount.abs() * Decimal::ONE_HUNDRED).round().to_u32().unwrap_or(20).min(20)
}
