//! The sale that a memo takes back as the memo alone bears it out: its hypotheses are tried, the likeliest first, and the one that leaves
//! least open is taken.

use rust_decimal::Decimal;

use crate::{
    costs,
    credit_note::{
        certainty,
        explained_sale::{self, ExplainedSale},
        hypotheses,
        hypothesis::Hypothesis,
        memo_evidence::MemoEvidence,
        readings,
    },
    tolerances::PENNY,
};

/// The sale that the memo itself bears out best.
pub(crate) fn explain(evidence: &MemoEvidence<'_>) -> ExplainedSale {
    let mut search = HypothesisSearch::begin(evidence);
    if search.best.cost > 0 {
        let likely = hypotheses::of_memo(evidence);
        search.through(likely.made, likely.most_tried);
        // What was not tried may fit as well.
        search.is_cut_short |= search.best.cost >= costs::MEMO_PRODUCT_TAX && likely.are_cut_short;
    }
    let HypothesisSearch { mut best, doubtful, is_cut_short, taxes, .. } = search;
    let is_open = !doubtful.is_zero() || is_cut_short;
    best.is_certain = !is_open && certainty::is_certain(evidence, &best);
    best.is_likely = !is_open && certainty::is_likely(evidence, &best);
    // What was taken for a discount on shipping may be missing with its tax as well.
    let missing = best.difference.min(Decimal::ZERO) - best.shipping_discount;
    best.hidden_taxes = readings::of_memo(evidence, taxes, missing);
    best
}

fn explained(hypothesis: &Hypothesis, evidence: &MemoEvidence<'_>) -> ExplainedSale {
    explained_sale::explain(evidence.lines, &evidence.totals, hypothesis, &evidence.known, &evidence.fits)
}

/// Whether a sale is as its fields show it.
fn is_plain(sale: &ExplainedSale) -> bool {
    sale.excess.is_zero() && sale.hidden_tax.is_zero() && sale.shipping_discount.is_zero()
}

/// The search for the attempt of the least cost.
struct HypothesisSearch<'a> {
    evidence: &'a MemoEvidence<'a>,
    best: ExplainedSale,
    /// Money of the best attempt that may be taxed or not as well.
    doubtful: Decimal,
    /// Whether hypotheses that could be as good were not tried.
    is_cut_short: bool,
    /// The tax of product taxes of each attempt that contradicts nothing, with its cost.
    taxes: Vec<(u32, Decimal)>,
}

impl<'a> HypothesisSearch<'a> {
    /// Begins with the sale as the memo shows it.
    fn begin(evidence: &'a MemoEvidence<'a>) -> Self {
        let best = explained(&Hypothesis::default(), evidence);
        let taxes = readings::tax_of(&best).into_iter().collect();
        Self { evidence, best, doubtful: Decimal::ZERO, is_cut_short: false, taxes }
    }

    /// Tries the likeliest first, as long as one can still be better.
    fn through(&mut self, mut likely: Vec<Hypothesis>, most_tried: usize) {
        likely.sort_by_key(|hypothesis| hypothesis.cost);
        likely.dedup();
        for (tried, hypothesis) in likely.into_iter().enumerate() {
            self.is_cut_short = tried >= most_tried && hypothesis.cost <= self.best.cost;
            if self.is_cut_short || hypothesis.cost > self.best.cost {
                break;
            }
            self.weigh(&hypothesis);
        }
    }

    fn weigh(&mut self, hypothesis: &Hypothesis) {
        let other = explained(hypothesis, self.evidence);
        self.taxes.extend(readings::tax_of(&other));
        let is_doubted = (other.difference - hypothesis.doubtful).abs() <= PENNY;
        let doubt = if is_doubted { hypothesis.doubtful } else { Decimal::ZERO };
        if other.cost < self.best.cost {
            (self.best, self.doubtful) = (other, doubt);
        } else if other.cost == self.best.cost && hypothesis.is_plain() && is_plain(&self.best) {
            // The plain sale was tried first, without asking whether anything speaks for it.
            self.doubtful = self.doubtful.max(doubt);
        }
    }
}
