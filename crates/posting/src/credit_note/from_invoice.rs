//! What a memo's invoice shows of the tax that the memo does not: the percentages of its lines, the tax that Magento gave back within
//! discounts, and the tax of product taxes.

use domain::{
    documents::{CreditMemo, Invoice, Line},
    money::round2,
};
use rust_decimal::Decimal;

use crate::{
    amounts::{
        compensation::Compensation,
        known_rates::KnownRates,
        rate_fits::{DocumentFits, RateFits},
        recovered_rates::RecoveredRates,
        sums::DocumentSums,
        unallocated,
    },
    costs,
    credit_note::{
        amount_range::AmountRange,
        explained_sale::{self, ExplainedSale},
        hypothesis::Hypothesis,
        invoice_lines::{InvoiceLines, ReturnedShare},
        invoice_product_taxes::InvoiceProductTaxes,
        memo_evidence::MemoEvidence,
        readings,
    },
    percentage::fraction,
    sales_document::{DocumentTotals, SalesDocument},
    tolerances::HAIR,
};

/// The sale as far as the invoice shows it.
pub(crate) struct SaleByInvoice<'a> {
    /// The likeliest sale, with the percentages of the invoice; none where the invoice fits no sale.
    pub fitting: Option<(SalesDocument<'a>, ExplainedSale)>,
    /// Whether the invoice holds tax that its lines and shipping do not show.
    pub has_hidden_tax: bool,
}

/// Explains a memo by its invoice; none where the invoice's own sums cannot be explained.
pub(crate) fn explain<'a>(
    invoice: &Invoice,
    shown: &SalesDocument<'a>,
    evidence: &MemoEvidence<'_>,
) -> Option<SaleByInvoice<'a>> {
    let MemoEvidence { memo, known, .. } = evidence;
    let invoice = InvoiceEvidence::read(invoice, known)?;
    let sale = invoice.with_percents(shown.clone());
    let fits = RateFits::of(&DocumentSums::of(&sale.totals, &sale.lines).goods, &known.percentages);
    // The decimals that Magento left show which way of taking discounts is the right one.
    let decimals_left = memo.grand_total - round2(memo.grand_total);
    let (hypotheses, range) = invoice.hypotheses(memo, &evidence.sums.lines, evidence.gap + decimals_left);
    let attempts = hypotheses
        .iter()
        .map(|hypothesis| explained_sale::explain(&sale.lines, &sale.totals, hypothesis, known, &fits));
    let fitting = attempts.filter(|attempt| attempt.refusal.is_none()).min_by_key(|attempt| attempt.cost);
    let has_hidden_tax = !invoice.product_taxes.tax.is_zero();
    let fitting = fitting.map(|mut attempt| {
        // Money that a memo of a whole invoice lacks was paid by no gift card (reported case 57): some of its tax may be missing.
        let is_missing = attempt.difference < Decimal::ZERO && !invoice.is_paid_in_part;
        attempt.is_certain &= !is_missing;
        let range = range.unwrap_or(AmountRange::exactly(attempt.hidden_tax));
        let missing_tax = is_missing.then(|| invoice.tax_within(attempt.difference));
        attempt.hidden_taxes = readings::of_range(attempt.hidden_tax, range, missing_tax);
        (sale, attempt)
    });
    Some(SaleByInvoice { fitting, has_hidden_tax })
}

/// An invoice as its memos need it.
struct InvoiceEvidence<'a> {
    lines: InvoiceLines<'a>,
    sums: DocumentSums<'a>,
    rates: RecoveredRates,
    /// The tax within the discounts that Magento gave back, of each line.
    compensations: Vec<Compensation>,
    shipping_compensation: Decimal,
    product_taxes: InvoiceProductTaxes,
    /// Whether a gift card or store credit has paid a part of it.
    is_paid_in_part: bool,
}

/// What a memo may hold of shipping beyond its fields.
#[derive(Clone, Copy, Default)]
struct OnShipping {
    discount: Decimal,
    /// What is credited too much.
    excess: Decimal,
    /// The tax within the discount that is given back.
    given_back: Decimal,
}

impl<'a> InvoiceEvidence<'a> {
    /// Reads an invoice; none where its sums cannot be explained.
    fn read(invoice: &'a Invoice, known: &KnownRates) -> Option<Self> {
        let sums = DocumentSums::of(&DocumentTotals::of_invoice(invoice), &invoice.lines);
        let fits = DocumentFits::of(&sums.goods, sums.shipping.as_ref(), &known.percentages);
        let (rates, explanation) = unallocated::best(&sums, (&fits.goods, &fits.shipping), known);
        if explanation.refusal.is_some() {
            return None;
        }
        let product_taxes = InvoiceProductTaxes::of(&sums, &rates, &fits.goods, &explanation);
        let is_paid_in_part = explanation.difference < Decimal::ZERO;
        let compensations = explanation.compensation;
        let shipping_compensation = explanation.shipping_compensation;
        let lines = InvoiceLines::new(sums.lines.clone());
        Some(Self {
            lines,
            sums,
            rates,
            compensations,
            shipping_compensation,
            product_taxes,
            is_paid_in_part,
        })
    }

    /// The sale with the percentages of the invoice.
    fn with_percents<'s>(&self, mut sale: SalesDocument<'s>) -> SalesDocument<'s> {
        for line in sale.lines.to_mut() {
            let percent = self.lines.returned(line).map(|share| self.rates.goods[share.index]);
            line.tax_percent = line.tax_percent.or(percent);
        }
        sale
    }

    /// The hypotheses about a memo of this invoice whose total holds `gap` beyond its lines and shipping.
    /// The tax of its product taxes lies within the bounds.
    fn hypotheses(
        &self,
        memo: &CreditMemo,
        lines: &[&Line],
        gap: Decimal,
    ) -> (Vec<Hypothesis>, Option<AmountRange>) {
        let shares: Option<Vec<ReturnedShare>> = lines.iter().map(|line| self.lines.returned(line)).collect();
        let Some(shares) = shares else { return (Vec::new(), None) };
        let certain = self.product_taxes.certain_tax(&self.lines, lines, &shares);
        let back = self.compensation_of(&shares);
        let (mut hypotheses, mut range): (Vec<Hypothesis>, Option<AmountRange>) = (Vec::new(), None);
        for on_shipping in self.on_shipping(memo) {
            let rest = gap + on_shipping.discount - on_shipping.given_back - on_shipping.excess;
            let (made, taxes) = self.hypothesis(on_shipping, rest, back, certain, &shares);
            let least = hypotheses.iter().map(|other| other.cost).min().unwrap_or(u32::MAX);
            range = match (taxes, range) {
                (Some(taxes), Some(range)) if made.cost == least => Some(range.with(taxes)),
                (taxes, _) if made.cost < least => taxes,
                (_, range) => range,
            };
            hypotheses.push(made);
        }
        // Every way that fits as well must come to the same tax.
        let is_exact = range.is_some_and(AmountRange::is_exact);
        let least = hypotheses.iter().map(|hypothesis| hypothesis.cost).min();
        for hypothesis in &mut hypotheses {
            hypothesis.is_certain = certain.is_some() || (is_exact && Some(hypothesis.cost) == least);
        }
        (hypotheses, range)
    }

    /// The hypothesis of what is left beside shipping, and the bounds of its tax.
    fn hypothesis(
        &self,
        on_shipping: OnShipping,
        rest: Decimal,
        back: Compensation,
        certain: Option<Decimal>,
        shares: &[ReturnedShare],
    ) -> (Hypothesis, Option<AmountRange>) {
        let likely = rest - back.likely;
        let beyond = AmountRange { least: rest - back.most, most: rest - back.least };
        let of_part = || self.product_taxes.range(&self.lines, shares, beyond);
        let taxes = certain.map(AmountRange::exactly).or_else(of_part);
        let tax = taxes.map_or(Decimal::ZERO, |range| {
            InvoiceProductTaxes::likely_tax(&self.rates, shares, likely, range)
        });
        let is_whole = (likely - round2(likely)).abs() <= HAIR;
        let cost = if taxes.is_some() { 0 } else { costs::BEYOND_INVOICE }
            + if is_whole { 0 } else { costs::FRACTION_LEFT };
        let stated = if tax.is_zero() { Decimal::ZERO } else { (round2(likely) - tax).max(Decimal::ZERO) };
        let hypothesis = Hypothesis {
            shipping_discount: on_shipping.discount,
            tax,
            stated,
            excess: round2(on_shipping.excess),
            cost,
            ..Hypothesis::default()
        };
        (hypothesis, taxes)
    }

    /// The tax within the lines' discounts that the memo gives back.
    fn compensation_of(&self, shares: &[ReturnedShare]) -> Compensation {
        let mut sum = Compensation::default();
        for ReturnedShare { index, share } in shares {
            let share_of =
                |amount: Decimal| if *share == Decimal::ONE { amount } else { round2(amount * share) };
            let one = self.compensations[*index];
            sum.likely += share_of(one.likely);
            sum.least += share_of(one.least);
            sum.most += share_of(one.most);
        }
        sum
    }

    /// The tax within an amount at the percentage that most of the invoice was taxed at.
    fn tax_within(&self, amount: Decimal) -> Decimal {
        let rate = fraction(self.rates.main.unwrap_or_default());
        amount * rate / (Decimal::ONE + rate)
    }

    /// What the memo may hold of shipping beyond its fields. Magento takes the order's proportion of the discount
    /// (Sales/Model/Order/Creditmemo/Total/Discount.php); of all shipping refunded it may take it of the amount with the tax given back
    /// (sample creditmemo-2-unrounded), and of none refunded it takes shipping for its sum with tax less its tax, which credits the
    /// proportion of the tax (getBaseShippingAmount in the same file; golden case creditmemo-of-goods-alone-credited-too-much).
    fn on_shipping(&self, memo: &CreditMemo) -> Vec<OnShipping> {
        let nothing = OnShipping::default();
        let Some(shipping) = &self.sums.shipping else { return vec![nothing] };
        let Some(proportion) = shipping.discount.checked_div(shipping.subtotal) else { return vec![nothing] };
        if memo.shipping_amount.is_zero() {
            let excess = proportion * shipping.tax;
            let with_excess = (!excess.is_zero()).then_some(OnShipping { excess, ..nothing });
            return [nothing].into_iter().chain(with_excess).collect();
        }
        let share = memo.shipping_amount / shipping.subtotal;
        let given_back = round2(self.shipping_compensation * share);
        let of = |discount: Decimal| OnShipping { discount, excess: Decimal::ZERO, given_back };
        if let Some(stated) = memo.shipping_discount {
            return vec![of(stated.abs())];
        }
        let mut ways = vec![of(memo.shipping_amount * proportion)];
        if memo.shipping_amount == shipping.subtotal && !given_back.is_zero() {
            ways.push(of((memo.shipping_amount + given_back) * proportion));
        }
        ways
    }
}
