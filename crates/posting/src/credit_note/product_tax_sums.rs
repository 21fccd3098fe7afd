//! Which sums fixed product taxes may come to where only the memo shows of them: shops type them by hand, so they are round, with tax or
//! without it as the shop keeps its prices (sample invoice-2: 0.50 with tax).

use domain::{documents::Line, money::round2};
use rust_decimal::Decimal;

use crate::{
    amounts::taxed_amount::DiscountBasis, credit_note::memo_evidence::MemoEvidence, percentage::fraction,
    tolerances::ROUND_SUM,
};

/// What is left of the gap under one way of taxing discounts.
pub(crate) struct Remainder {
    /// The amount.
    pub amount: Decimal,
    /// The way.
    pub basis: DiscountBasis,
    /// The percentages above 0 of the lines, the main one first.
    pub percents: Vec<Decimal>,
}

/// How round an amount is: pounds, halves, quarters, tens, fives of pence; 0 = not at all.
pub(crate) fn roundness(amount: Decimal) -> usize {
    let steps = [100, 50, 25, 10, 5].map(|pence| Decimal::new(pence, 2));
    steps.iter().rev().filter(|step| (amount / **step).fract().is_zero()).count()
}

/// Amounts near `about` that are round with tax or without it.
pub(crate) fn round_amounts(about: Decimal, slack: Decimal, percent: Decimal) -> Vec<Decimal> {
    let factor = Decimal::ONE + fraction(percent);
    let near = (about / ROUND_SUM).round() * ROUND_SUM;
    let near_without = (about / factor / ROUND_SUM).round() * ROUND_SUM;
    let mut amounts = vec![near, near - ROUND_SUM, near + ROUND_SUM, round2(near_without * factor)];
    amounts.retain(|amount| (*amount - about).abs() <= slack && *amount > Decimal::ZERO);
    amounts.sort_unstable_by_key(|amount| (*amount - about).abs());
    amounts.push(round2(about));
    amounts.dedup();
    amounts
}

/// The net of product taxes that come to so much with tax: rounded as the whole, or unit by unit, the shop's way first.
pub(crate) fn nets(evidence: &MemoEvidence<'_>, with_tax: Decimal, percent: Decimal) -> Vec<Decimal> {
    let factor = Decimal::ONE + fraction(percent);
    let whole = round2(with_tax / factor);
    let mut nets = vec![whole];
    for quantity in evidence.quantities.iter().copied() {
        let unit = with_tax / quantity;
        if round2(unit) == unit && !nets.contains(&(round2(unit / factor) * quantity)) {
            nets.push(round2(unit / factor) * quantity);
        }
    }
    if nets.len() > 1 && evidence.rounds_by_unit() {
        nets.rotate_left(1);
    }
    nets
}

/// Whether the shop keeps its prices with tax: its discounts hold tax, or its prices are odd without it and usual with it. Prices end in
/// 0, 5 or 9 (the sample shop's 12.49 with tax is 10.41 without).
pub(crate) fn prices_hold_tax(evidence: &MemoEvidence<'_>, rest: &Remainder) -> bool {
    let is_discounted = evidence.sums.goods.iter().any(|row| !row.discount.is_zero());
    if rest.basis == DiscountBasis::GrossPrices && is_discounted {
        return true;
    }
    let Some(percent) = rest.percents.first() else { return false };
    let usual = |price: Decimal| {
        let last = (round2(price) * Decimal::ONE_HUNDRED) % Decimal::TEN;
        [0, 5, 9].into_iter().any(|digit| last == Decimal::from(digit))
    };
    let taxed = || evidence.sums.lines.iter().filter(|line| !line.line_tax.is_zero());
    let with_tax = |line: &Line| line.unit_price * (Decimal::ONE + fraction(*percent));
    taxed().any(|line| !usual(line.unit_price)) && taxed().all(|line| usual(with_tax(line)))
}
