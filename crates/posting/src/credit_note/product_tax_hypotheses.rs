//! Which sums fixed product taxes may come to where only the memo shows of them: shops type them by hand, so they are round, with tax or
//! without it as the shop keeps its prices (sample invoice-2: 0.50 with tax).

use domain::{documents::Line, money::round2};
use rust_decimal::Decimal;

use crate::{
    amounts::taxed_amount::DiscountBasis,
    costs,
    credit_note::{
        hypothesis::Hypothesis,
        memo_evidence::{MemoEvidence, Remainder},
    },
    percentage::fraction,
};

/// Hypotheses of product taxes that come to `beyond` with their tax, beside what is known already: the rounder of the sums with tax and
/// without it is the likelier. A sum that is round in neither way could as well be a fee without tax (golden case
/// creditmemo-with-money-from-nowhere).
pub(crate) fn beside(
    plain: &Hypothesis,
    beyond: Decimal,
    rest: &Remainder,
    evidence: &MemoEvidence<'_>,
) -> Vec<Hypothesis> {
    let mut made = Vec::new();
    let as_it_stands = roundness(beyond);
    let with_tax = prices_hold_tax(evidence, rest) && as_it_stands > 0;
    let mut is_taxed = false;
    for (place, percent) in rest.percents.iter().enumerate() {
        for (order, net) in nets(evidence, beyond, *percent).into_iter().enumerate() {
            if with_tax || (roundness(net) > 0 && roundness(net) >= as_it_stands) {
                is_taxed = true;
                let of_rate =
                    if place == 0 { costs::MEMO_PRODUCT_TAX } else { costs::MEMO_PRODUCT_TAX_AT_OTHER_RATE };
                let of_rounding = if order > 0 { costs::UNUSUAL_ROUNDING } else { 0 };
                let cost = plain.cost + of_rate + of_rounding;
                made.push(Hypothesis { tax: beyond - net, cost, ..plain.clone() });
            }
        }
    }
    let is_clear = is_taxed || as_it_stands > 0 || rest.percents.is_empty();
    let doubtful = if is_clear { Decimal::ZERO } else { beyond };
    made.push(Hypothesis { doubtful, ..plain.clone() });
    made
}

/// How round an amount is: pounds, halves, quarters, tens, fives of pence; 0 = not at all.
fn roundness(amount: Decimal) -> usize {
    let steps = [100, 50, 25, 10, 5].map(|pence| Decimal::new(pence, 2));
    steps.iter().rev().filter(|step| (amount / **step).fract().is_zero()).count()
}

/// The net of product taxes that come to so much with tax: rounded as the whole, or unit by unit, the shop's way first.
fn nets(evidence: &MemoEvidence<'_>, with_tax: Decimal, percent: Decimal) -> Vec<Decimal> {
    let factor = Decimal::ONE + fraction(percent);
    let whole = round2(with_tax / factor);
    let mut nets = vec![whole];
    for quantity in evidence.quantities.iter().copied() {
        let unit = with_tax / quantity;
        if round2(unit) == unit && !nets.contains(&(round2(unit / factor) * quantity)) {
            nets.push(round2(unit / factor) * quantity);
        }
    }
    if nets.len() > 1 && rounds_by_unit(evidence) {
        nets.rotate_left(1);
    }
    nets
}

/// Whether the lines show taxes that only rounding unit by unit makes (Tax/Model/Calculation/UnitBaseCalculator.php).
fn rounds_by_unit(evidence: &MemoEvidence<'_>) -> bool {
    let by_unit = |line: &&&Line| {
        let each = line.line_tax.checked_div(line.qty);
        let price = line.unit_price * line.qty == line.line_subtotal;
        line.qty > Decimal::ONE && each.is_some_and(|tax| round2(tax) == tax) && price
    };
    let several = |line: &&&Line| line.qty > Decimal::ONE && !line.line_tax.is_zero();
    let count = evidence.sums.lines.iter().filter(several).count();
    count > 0 && evidence.sums.lines.iter().filter(several).filter(by_unit).count() == count
}

/// Whether the shop keeps its prices with tax: its discounts hold tax, or its prices are odd without it and usual with it. Prices end in
/// 0, 5 or 9 (the sample shop's 12.49 with tax is 10.41 without).
fn prices_hold_tax(evidence: &MemoEvidence<'_>, rest: &Remainder) -> bool {
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
