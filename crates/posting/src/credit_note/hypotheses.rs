//! What a credit memo may hide: a discount on the shipping that it gives back, fixed product taxes with their tax, and a fault of
//! Magento's. No field shows them; each hypothesis is a set of figures that would close the memo's gap.

use domain::{
    documents::Line,
    money::{round, round2},
};
use rust_decimal::Decimal;

use crate::{
    costs,
    credit_note::{
        hypothesis::Hypothesis,
        memo_evidence::{MemoEvidence, Remainder},
        product_tax_hypotheses,
    },
    limits::{MOST_ATTEMPTED_LINES, MOST_PERCENTAGES, MOST_QUANTITIES},
    percentage::fraction,
    tolerances::{HALF_PENNY, LARGEST_EXCESS, PENNY, ROUND_SUM, SHIPPING_TAX},
};

/// What a memo itself makes likely.
pub(crate) struct LikelyHypotheses {
    /// The hypotheses.
    pub made: Vec<Hypothesis>,
    /// How many of them are tried: each costs as much as there are lines.
    pub most_tried: usize,
    /// Whether the lines are so different that not every product tax is among them.
    pub are_cut_short: bool,
}

/// Every hypothesis that the memo itself makes likely.
pub(crate) fn of_memo(evidence: &MemoEvidence<'_>) -> LikelyHypotheses {
    let mut made = Vec::new();
    for rest in &evidence.remainders {
        let mut builder = ShippingHypotheses { evidence, made: Vec::new() };
        builder.fill(rest);
        for (plain, beyond) in builder.made {
            if beyond <= evidence.sums.tolerance {
                made.push(plain);
            } else {
                made.extend(product_tax_hypotheses::beside(&plain, round2(beyond), rest, evidence));
            }
        }
    }
    let has_many_percents = |rest: &Remainder| rest.percents.len() > MOST_PERCENTAGES;
    LikelyHypotheses {
        made,
        most_tried: MOST_ATTEMPTED_LINES / evidence.sums.lines.len().max(1),
        are_cut_short: evidence.quantities.len() > MOST_QUANTITIES
            || evidence.remainders.iter().any(has_many_percents),
    }
}

/// What the memo may hide of shipping, each with the money beyond it, tax included, that product taxes would have to come to.
struct ShippingHypotheses<'a> {
    evidence: &'a MemoEvidence<'a>,
    made: Vec<(Hypothesis, Decimal)>,
}

impl ShippingHypotheses<'_> {
    fn fill(&mut self, rest: &Remainder) {
        let memo = self.evidence.memo;
        if let Some(stated) = memo.shipping_discount {
            self.beside_stated_discount(stated.abs(), rest);
        } else if memo.shipping_amount > Decimal::ZERO {
            self.made.push((Hypothesis::default(), rest.amount));
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
            self.made.push((plain.clone(), rest.amount + without_tax));
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
                    let plain = Hypothesis { shipping_discount, cost, ..Hypothesis::default() };
                    self.made.push((plain, Decimal::ZERO));
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
                self.made.push((plain, beyond));
            }
        }
    }

    /// A memo of goods alone. Where the order's shipping was discounted Magento takes the tax on it for a shipping refund, and credits
    /// the discount's share of that (Sales/Model/Order/Creditmemo/Total/Discount.php::getBaseShippingAmount; golden case
    /// creditmemo-of-goods-alone-credited-too-much).
    fn without_shipping(&mut self, rest: &Remainder) {
        let has_excess = rest.amount > HALF_PENNY && has_four_places(self.evidence);
        if has_excess && rest.amount > LARGEST_EXCESS {
            // A product tax beside the excess: how much of it is which?
            let plain = Hypothesis { doubtful: rest.amount, ..Hypothesis::default() };
            self.made.push((plain, Decimal::ZERO));
        } else if has_excess {
            let excess = round2(rest.amount);
            let plain = Hypothesis { excess, cost: costs::EXCESS, ..Hypothesis::default() };
            self.made.push((plain, rest.amount - excess));
        } else {
            self.made.push((Hypothesis::default(), rest.amount));
        }
    }
}

/// Amounts near `about` that are round with tax or without it.
fn round_amounts(about: Decimal, slack: Decimal, percent: Decimal) -> Vec<Decimal> {
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

/// Whether the total has more than two places although every line has two: a share that Magento did not round, as it does not
/// round that of the discount on shipping (Sales/Model/Order/Creditmemo/Total/Discount.php).
fn has_four_places(evidence: &MemoEvidence<'_>) -> bool {
    let line =
        |line: &&Line| is_whole(line.line_subtotal) && is_whole(line.line_tax) && is_whole(line.line_total);
    !is_whole(evidence.memo.grand_total) && evidence.sums.lines.iter().all(line)
}

fn is_whole(amount: Decimal) -> bool {
    round2(amount) == amount
}
