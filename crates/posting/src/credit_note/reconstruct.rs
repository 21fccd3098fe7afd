//! A credit memo's header shows neither discount nor tax, so the sale that it takes back is reconstructed: the discount on shipping,
//! product taxes with their tax, and what Magento credits too much. Each hypothesis makes a sale, the sale is explained as an
//! invoice is, and the one that leaves least open is taken; where none fits, the memo is refused.

use domain::{
    documents::{CreditMemo, Invoice, Line},
    money::{round2, text},
};
use messages::message;
use rust_decimal::Decimal;

use crate::{
    amounts::{known_rates::KnownRates, rate_fits::RateFits, sums::DocumentSums, unallocated},
    costs,
    credit_note::{
        from_invoice::InvoiceEvidence, hypotheses, hypothesis::Hypothesis, memo_evidence::MemoEvidence,
    },
    sales_document::{DocumentTotals, SalesDocument},
    tolerances::{LARGEST_UNTAXABLE, PENNY},
};

/// The sale that a credit memo takes back.
#[derive(Debug)]
pub(crate) struct ReconstructedSale<'a> {
    /// The sale, without adjustments and without what Magento credits too much.
    pub sale: SalesDocument<'a>,
    /// What Magento credits too much, without tax.
    pub excess: Decimal,
    /// Why no posting can be right, in a sentence without the sums.
    pub refusal: Option<String>,
    /// What was sought and found: the tax of product taxes that the memo does not show.
    pub hidden_tax: Decimal,
    /// Whether the tax is certain to the penny.
    pub is_certain: bool,
}

/// A sale under a hypothesis, explained.
#[derive(Debug)]
struct ExplainedSale {
    totals: DocumentTotals,
    /// The discount on shipping that was found.
    shipping_discount: Decimal,
    excess: Decimal,
    refusal: Option<String>,
    hidden_tax: Decimal,
    /// What is left of the total and carries no tax.
    difference: Decimal,
    /// What was passed over as rounding.
    unexplained: Decimal,
    /// The tax within the lines' discounts that was taken for given back.
    given_back: Decimal,
    is_certain: bool,
    /// How far-fetched it is.
    cost: u32,
}

impl ExplainedSale {
    /// Whether all that the memo's total holds is in its fields.
    fn hides_nothing(&self) -> bool {
        let is_much = |amount: Decimal| amount > LARGEST_UNTAXABLE;
        let is_unshown = is_much(self.excess) || is_much(self.unexplained);
        round2(self.hidden_tax).is_zero() && round2(self.difference) <= Decimal::ZERO && !is_unshown
    }

    fn is_plain(&self) -> bool {
        self.excess.is_zero() && self.hidden_tax.is_zero() && self.shipping_discount.is_zero()
    }

    fn of_sale(self, sale: SalesDocument<'_>) -> ReconstructedSale<'_> {
        ReconstructedSale {
            sale: SalesDocument { totals: self.totals, ..sale },
            excess: self.excess,
            refusal: self.refusal,
            hidden_tax: self.hidden_tax,
            is_certain: self.is_certain,
        }
    }
}

/// Reconstructs the sale that a memo takes back: by what its invoice shows, where that was fetched and can be read, else by what the
/// memo shows itself.
pub(crate) fn reconstruct<'a>(
    memo: &CreditMemo,
    shown: &SalesDocument<'a>,
    invoice: Option<&Invoice>,
    known: &KnownRates,
) -> ReconstructedSale<'a> {
    let shown_by_memo = MemoEvidence::new(memo, shown, known);
    let Some(evidence) = invoice.and_then(|invoice| InvoiceEvidence::read(invoice, known)) else {
        let attempt = from_memo(shown, &shown_by_memo);
        let is_certain = attempt.is_certain && invoice.is_none();
        return ExplainedSale { is_certain, ..attempt }.of_sale(shown.clone());
    };
    let sale = evidence.with_percents(shown.clone());
    let fits = RateFits::of(&DocumentSums::of(&sale.totals, &sale.lines).goods, &known.percentages);
    // The decimals that Magento left show which way of taking discounts is the right one.
    let decimals_left = memo.grand_total - round2(memo.grand_total);
    let hypotheses = evidence.hypotheses(memo, &shown_by_memo.sums.lines, shown_by_memo.gap + decimals_left);
    let attempts =
        hypotheses.iter().map(|hypothesis| attempt(&sale.lines, &sale.totals, hypothesis, known, &fits));
    let fitting = attempts.filter(|attempt| attempt.refusal.is_none()).min_by_key(|attempt| attempt.cost);
    if let Some(attempt) = fitting {
        return attempt.of_sale(sale.clone());
    }
    let attempt = from_memo(shown, &shown_by_memo);
    let is_certain = !evidence.has_hidden_tax() && attempt.hidden_tax.is_zero();
    ExplainedSale { is_certain, ..attempt }.of_sale(shown.clone())
}

/// The attempt that the memo itself bears out best.
fn from_memo(sale: &SalesDocument<'_>, evidence: &MemoEvidence<'_>) -> ExplainedSale {
    let mut search = HypothesisSearch::begin(sale.totals, evidence);
    if search.best.cost > 0 {
        search.through(hypotheses::of_memo(evidence));
    }
    let HypothesisSearch { mut best, doubtful, mut is_cut_short, .. } = search;
    if best.refusal.is_none() && !doubtful.is_zero() {
        best.refusal = Some(message!(figures.memo_doubtful, amount = text(doubtful)));
    }
    // What was not tried may fit as well.
    is_cut_short |= best.cost >= costs::MEMO_PRODUCT_TAX && hypotheses::are_cut_short(evidence);
    if best.refusal.is_none() && is_cut_short {
        best.refusal = Some(message!(figures.memo_too_many_lines).to_owned());
    }
    best.is_certain = evidence.is_untaxed()
        || (best.hides_nothing()
            && evidence.is_usual_discount(best.shipping_discount, -best.difference)
            && !evidence.may_be_compensation(best.given_back));
    best
}

/// The search for the attempt of the least cost.
struct HypothesisSearch<'a> {
    totals: DocumentTotals,
    evidence: &'a MemoEvidence<'a>,
    best: ExplainedSale,
    /// Money of the best attempt that may be taxed or not as well.
    doubtful: Decimal,
    /// Whether hypotheses that could be as good were not tried.
    is_cut_short: bool,
}

impl<'a> HypothesisSearch<'a> {
    /// Begins with the sale as the memo shows it.
    fn begin(totals: DocumentTotals, evidence: &'a MemoEvidence<'a>) -> Self {
        let best =
            attempt(evidence.shown_lines, &totals, &Hypothesis::default(), evidence.known, &evidence.fits);
        Self { totals, evidence, best, doubtful: Decimal::ZERO, is_cut_short: false }
    }

    /// Tries the likeliest first, as long as one can still be better.
    fn through(&mut self, mut likely: Vec<Hypothesis>) {
        likely.sort_by_key(|hypothesis| hypothesis.cost);
        likely.dedup();
        for (tried, hypothesis) in likely.into_iter().enumerate() {
            self.is_cut_short =
                tried >= hypotheses::most_tried(self.evidence) && hypothesis.cost <= self.best.cost;
            if self.is_cut_short || hypothesis.cost > self.best.cost {
                break;
            }
            self.weigh(&hypothesis);
        }
    }

    fn weigh(&mut self, hypothesis: &Hypothesis) {
        let evidence = self.evidence;
        let other = attempt(evidence.shown_lines, &self.totals, hypothesis, evidence.known, &evidence.fits);
        let is_doubted = (other.difference - hypothesis.doubtful).abs() <= PENNY;
        let doubt = if is_doubted { hypothesis.doubtful } else { Decimal::ZERO };
        if other.cost < self.best.cost {
            (self.best, self.doubtful) = (other, doubt);
        } else if other.cost == self.best.cost && hypothesis.is_plain() && self.best.is_plain() {
            // The plain sale was tried first, without asking whether anything speaks for it.
            self.doubtful = self.doubtful.max(doubt);
        }
    }
}

/// The sale under a hypothesis, and how far-fetched it is.
fn attempt(
    lines: &[Line],
    shown: &DocumentTotals,
    hypothesis: &Hypothesis,
    known: &KnownRates,
    fits: &RateFits,
) -> ExplainedSale {
    let totals = DocumentTotals {
        discount: shown.discount - hypothesis.shipping_discount,
        tax: shown.tax + hypothesis.tax,
        subtotal: shown.subtotal + hypothesis.stated,
        grand_total: shown.grand_total - hypothesis.excess,
        ..*shown
    };
    let sums = DocumentSums::of(&totals, lines);
    let (rates, explanation) = unallocated::best(&sums, fits, known);
    let product_taxes: Decimal = explanation.product_taxes.iter().map(|one| one.net).sum();
    let on_lines: Decimal = explanation.compensation.iter().map(|one| one.likely).sum();
    let given_back = on_lines + explanation.shipping_compensation;
    ExplainedSale {
        totals,
        shipping_discount: hypothesis.shipping_discount,
        excess: hypothesis.excess,
        hidden_tax: hypothesis.tax,
        difference: explanation.difference,
        unexplained: sums.net_gap - given_back - product_taxes - explanation.difference,
        given_back: on_lines,
        is_certain: hypothesis.is_certain,
        cost: rates.cost + explanation.cost + hypothesis.cost,
        refusal: explanation.refusal,
    }
}
