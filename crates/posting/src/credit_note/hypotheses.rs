//! What a credit memo may hide: a discount on the shipping that it gives back, fixed product taxes with their tax, and a fault of
//! Magento's. No field shows them; each hypothesis is a set of figures that would close the memo's gap.

use domain::money::{round, round2};
use rust_decimal::Decimal;

use crate::{
    amounts::{compensation, recovered_rates, taxed_amount::DiscountBasis},
    costs,
    credit_note::{
        hypothesis::Hypothesis,
        memo_evidence::MemoEvidence,
        product_tax_sums::{self, Remainder, nets, round_amounts, roundness},
    },
    limits::{MOST_ATTEMPTED_LINES, MOST_PERCENTAGES, MOST_QUANTITIES},
    percentage::fraction,
    tolerances::{HALF_PENNY, LARGEST_EXCESS, PENNY, SHIPPING_TAX},
};

/// Makes the hypotheses that a memo itself makes likely.
pub(crate) struct HypothesisBuilder<'a> {
    evidence: &'a MemoEvidence<'a>,
    made: Vec<Hypothesis>,
}

/// Every hypothesis that the memo itself makes likely.
pub(crate) fn of_memo(evidence: &MemoEvidence<'_>) -> Vec<Hypothesis> {
    let mut builder = HypothesisBuilder { evidence, made: Vec::new() };
    for rest in remainders(evidence) {
        builder.fill(&rest);
    }
    builder.made
}

/// Whether the lines are so different that not every product tax is tried.
pub(crate) fn are_cut_short(evidence: &MemoEvidence<'_>) -> bool {
    let percents = |rest: &Remainder| rest.percents.len() > MOST_PERCENTAGES;
    evidence.quantities.len() > MOST_QUANTITIES || remainders(evidence).iter().any(percents)
}

/// How many hypotheses are tried: each costs as much as there are lines.
pub(crate) fn most_tried(evidence: &MemoEvidence<'_>) -> usize {
    MOST_ATTEMPTED_LINES / evidence.sums.lines.len().max(1)
}

/// What is left of the gap after the lines' compensation, for discounts without tax and with it.
fn remainders(evidence: &MemoEvidence<'_>) -> Vec<Remainder> {
    let goods = &evidence.sums.goods;
    let under = |basis| {
        let rates =
            recovered_rates::recover((goods, &evidence.fits), None, (basis, basis), evidence.known.usual);
        let compensations = compensation::of_rows(&evidence.sums, &rates);
        let given_back: Decimal = compensations.iter().map(|one| one.likely).sum();
        let mut percents: Vec<Decimal> = Vec::new();
        // Where nothing was taxed no product tax was either.
        let taxed = goods.iter().zip(&rates.goods).filter(|(row, _)| !row.tax.is_zero());
        for percent in taxed.clone().filter_map(|_| rates.main).chain(taxed.clone().map(|(_, one)| *one)) {
            let is_room = percents.len() <= MOST_PERCENTAGES;
            if is_room && percent > Decimal::ZERO && !percents.contains(&percent) {
                percents.push(percent);
            }
        }
        Remainder { amount: evidence.gap - given_back, basis, percents }
    };
    vec![under(DiscountBasis::NetPrices), under(DiscountBasis::GrossPrices)]
}

impl HypothesisBuilder<'_> {
    fn fill(&mut self, rest: &Remainder) {
        let memo = self.evidence.memo;
        if let Some(stated) = memo.shipping_discount {
            self.beside_stated_discount(stated.abs(), rest);
        } else if memo.shipping_amount > Decimal::ZERO {
            self.product_tax(&Hypothesis::default(), rest.amount, rest);
            self.shipping_discounts(rest);
        } else {
            self.without_shipping(rest);
        }
    }

    /// Our own module says what was taken off shipping, with tax or without it.
    fn beside_stated_discount(&mut self, stated: Decimal, rest: &Remainder) {
        let plain = Hypothesis { shipping_discount: stated, ..Hypothesis::default() };
        for percent in [Decimal::ZERO].into_iter().chain(self.evidence.known.percentages.iter().copied()) {
            let without_tax = stated / (Decimal::ONE + fraction(percent));
            self.product_tax(&plain, rest.amount + without_tax, rest);
        }
    }

    /// Discounts on shipping: shown by the tax on it, by what is missing from the total, or by both beside product taxes. (Shipping is
    /// given back before its discount, the tax on it after: Sales/Model/Order/Creditmemo/Total/Shipping.php and Tax.php.)
    fn shipping_discounts(&mut self, rest: &Remainder) {
        let net = self.evidence.memo.shipping_amount;
        for percent in &self.evidence.known.percentages {
            if rest.amount < -HALF_PENNY && -rest.amount <= net + PENNY {
                for factor in [Decimal::ONE, Decimal::ONE + fraction(*percent)] {
                    let shipping_discount = round(-rest.amount * factor, 4);
                    let cost = costs::SHIPPING_DISCOUNT;
                    self.made.push(Hypothesis { shipping_discount, cost, ..Hypothesis::default() });
                }
            }
            self.shipping_discount_by_its_tax(*percent, rest);
        }
    }

    /// The tax on shipping shows the discount to a few pence; a round product tax shows the rest.
    fn shipping_discount_by_its_tax(&mut self, percent: Decimal, rest: &Remainder) {
        let (net, tax) = (self.evidence.memo.shipping_amount, self.evidence.memo.shipping_tax_amount);
        let rate = fraction(percent);
        let Some(taxed) = tax.checked_div(rate) else { return };
        let (discount, slack) = (net - taxed, SHIPPING_TAX / rate + PENNY);
        if discount <= PENNY || discount > net {
            return;
        }
        let about = rest.amount + discount;
        for beyond in round_amounts(about, slack, percent) {
            let off = beyond - rest.amount;
            if off <= Decimal::ZERO || beyond <= self.evidence.sums.tolerance {
                continue;
            }
            let cost = costs::SHIPPING_DISCOUNT_BY_ITS_TAX + costs::pennies_apart(beyond - about);
            for factor in [Decimal::ONE, Decimal::ONE + rate] {
                let shipping_discount = round(off * factor, 4);
                let plain = Hypothesis { shipping_discount, cost, ..Hypothesis::default() };
                self.product_tax(&plain, beyond, rest);
            }
        }
    }

    /// Product taxes of `beyond`, tax included, beside what is known already.
    fn product_tax(&mut self, plain: &Hypothesis, beyond: Decimal, rest: &Remainder) {
        if beyond <= self.evidence.sums.tolerance {
            self.made.push(plain.clone());
        } else {
            self.by_roundness(plain, round2(beyond), rest);
        }
    }

    /// Product taxes of which only the memo shows: the rounder of the sums with tax and without it is the likelier. A sum that is round
    /// in neither way could as well be a fee without tax (golden case creditmemo-with-money-from-nowhere).
    fn by_roundness(&mut self, plain: &Hypothesis, beyond: Decimal, rest: &Remainder) {
        let as_it_stands = roundness(beyond);
        let with_tax = product_tax_sums::prices_hold_tax(self.evidence, rest) && as_it_stands > 0;
        let mut is_taxed = false;
        for (place, percent) in rest.percents.iter().enumerate() {
            for (order, net) in nets(self.evidence, beyond, *percent).into_iter().enumerate() {
                if with_tax || (roundness(net) > 0 && roundness(net) >= as_it_stands) {
                    is_taxed = true;
                    let of_rate = if place == 0 {
                        costs::MEMO_PRODUCT_TAX
                    } else {
                        costs::MEMO_PRODUCT_TAX_AT_OTHER_RATE
                    };
                    let of_rounding = if order > 0 { costs::UNUSUAL_ROUNDING } else { 0 };
                    let cost = plain.cost + of_rate + of_rounding;
                    self.made.push(Hypothesis { tax: beyond - net, cost, ..plain.clone() });
                }
            }
        }
        let is_clear = is_taxed || as_it_stands > 0 || rest.percents.is_empty();
        let doubtful = if is_clear { Decimal::ZERO } else { beyond };
        self.made.push(Hypothesis { doubtful, ..plain.clone() });
    }

    /// A memo of goods alone. Where the order's shipping was discounted Magento takes the tax on it for a shipping refund, and credits
    /// the discount's share of that (Sales/Model/Order/Creditmemo/Total/Discount.php::getBaseShippingAmount; golden case
    /// creditmemo-of-goods-alone-credited-too-much).
    fn without_shipping(&mut self, rest: &Remainder) {
        let has_excess = rest.amount > HALF_PENNY && self.evidence.has_four_places();
        if has_excess && rest.amount > LARGEST_EXCESS {
            // A product tax beside the excess: how much of it is which?
            self.made.push(Hypothesis { doubtful: rest.amount, ..Hypothesis::default() });
        } else if has_excess {
            let excess = round2(rest.amount);
            let plain = Hypothesis { excess, cost: costs::EXCESS, ..Hypothesis::default() };
            self.product_tax(&plain, rest.amount - excess, rest);
        } else {
            self.product_tax(&Hypothesis::default(), rest.amount, rest);
        }
    }
}
