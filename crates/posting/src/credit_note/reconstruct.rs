//! A credit memo told as the sale that it takes back. Its header shows neither discount nor tax, so both are sought: the discount
//! on shipping, product taxes with their tax, and what Magento credits too much. Each guess makes a sale, the sale is explained
//! as an invoice is, and the guess that leaves least open is the memo's story; where none fits, the memo is refused.

use domain::{
    documents::{CreditMemo, Invoice, InvoiceState, Line},
    money::{round, round2, text},
};
use rust_decimal::Decimal;

use crate::{
    amounts::{
        recovered_rates::RateFits,
        rows::counting_lines,
        sums::{DocumentSums, NOTHING, PENNY},
        unallocated,
    },
    credit_note::{
        from_invoice::InvoiceEvidence,
        hypotheses::{HypothesisBuilder, PRODUCT_TAX},
        hypothesis::{Hypothesis, KnownRates},
    },
    findings::Findings,
};

/// A credit memo as the sale that it takes back.
#[derive(Debug)]
pub(crate) struct ReconstructedSale {
    /// The sale, without adjustments and without what Magento credits too much.
    pub sale: Invoice,
    /// The discount on shipping that was found.
    shipping_discount: Decimal,
    /// What Magento credits too much, without tax.
    pub excess: Decimal,
    /// Why no posting can be right, in a sentence without the sums.
    pub refusal: Option<String>,
    /// What was sought and found: the tax of product taxes that the memo does not show.
    pub hidden_tax: Decimal,
    /// What is left of the total and carries no tax.
    pub difference: Decimal,
    /// What was passed over as rounding.
    unexplained: Decimal,
    /// The tax within the lines' discounts that was taken for given back.
    given_back: Decimal,
    /// Whether the tax is certain to the penny.
    pub is_certain: bool,
}

impl ReconstructedSale {
    /// Whether all that the memo's total holds is in its fields.
    fn hides_nothing(&self) -> bool {
        // The least product tax that bears a penny of tax.
        let is_much = |amount: Decimal| amount > PENNY * Decimal::TWO + NOTHING;
        let is_unshown = is_much(self.excess) || is_much(self.unexplained);
        round2(self.hidden_tax).is_zero() && round2(self.difference) <= Decimal::ZERO && !is_unshown
    }

    fn is_plain(&self) -> bool {
        self.excess.is_zero() && self.hidden_tax.is_zero() && self.shipping_discount.is_zero()
    }
}

/// The memo's total to the penny, less its adjustments: what lines and shipping come to. (Magento leaves four places.)
pub(crate) fn total_of_goods(memo: &CreditMemo) -> Decimal {
    round2(memo.grand_total) - round2(memo.adjustment_positive) + round2(memo.adjustment_negative)
}

/// The sale as far as the memo's fields tell it.
pub(crate) fn plain_sale(memo: &CreditMemo, invoice: Option<&Invoice>) -> Invoice {
    let sum = |value: fn(&Line) -> Decimal| memo.lines.iter().map(value).sum::<Decimal>();
    let own = |kind: &str| {
        let addresses = &memo.customer.addresses;
        addresses.iter().find(|address| address.kind.as_deref() == Some(kind)).cloned()
    };
    Invoice {
        // A guest without an e-mail address is named by the invoice; a memo without one must not be taken for an invoice.
        magento_id: memo.invoice_id.unwrap_or(-memo.magento_id),
        increment_id: memo.increment_id.clone(),
        order_increment_id: invoice.and_then(|invoice| invoice.order_increment_id.clone()),
        website_id: memo.website_id,
        store_id: None,
        currency: memo.currency,
        state: InvoiceState::Paid,
        customer: memo.customer.clone(),
        lines: memo.lines.clone(),
        subtotal: sum(|line| line.line_subtotal),
        tax_amount: sum(|line| line.line_tax) + memo.shipping_tax_amount,
        shipping_amount: memo.shipping_amount,
        shipping_tax_amount: memo.shipping_tax_amount,
        discount_amount: -sum(Line::discount),
        grand_total: total_of_goods(memo),
        created_at: memo.created_at,
        payment_method: None,
        // The memo has no addresses of its own: the invoice's tell where the goods went, the profile's stand in.
        billing_address: invoice.map_or_else(|| own("billing"), |invoice| invoice.billing_address.clone()),
        shipping_address: invoice.map_or_else(|| own("shipping"), |invoice| invoice.shipping_address.clone()),
        po_number: None,
        base_to_order_rate: memo.base_to_order_rate,
    }
}

/// Tells a memo as a sale: by what its invoice tells, where that was fetched and can be read, else by what it tells itself.
pub(crate) fn reconstruct(memo: &CreditMemo, known: KnownRates<'_>) -> ReconstructedSale {
    let sale = plain_sale(memo, known.invoice);
    let builder = HypothesisBuilder::new(memo, &sale, known);
    if let Some(evidence) = known.invoice.and_then(|invoice| InvoiceEvidence::read(invoice, known)) {
        let sale = evidence.with_percents(sale.clone());
        let hypotheses = builder.from_invoice(&evidence);
        let counting = counting_lines(&sale, &mut Findings::default());
        let fits = RateFits::of(&DocumentSums::of(&sale, &counting).goods, known.percentages);
        let attempts = hypotheses.iter().map(|hypothesis| attempt(&sale, hypothesis, known, &fits));
        let fitting = attempts.filter(|(sale_found, _)| sale_found.refusal.is_none());
        if let Some((sale_found, _)) = fitting.min_by_key(|(_, cost)| *cost) {
            return sale_found;
        }
        let sale_found = from_memo(&sale, &builder, known);
        return ReconstructedSale {
            is_certain: !evidence.has_hidden_tax() && sale_found.hidden_tax.is_zero(),
            ..sale_found
        };
    }
    let sale_found = from_memo(&sale, &builder, known);
    ReconstructedSale { is_certain: sale_found.is_certain && known.invoice.is_none(), ..sale_found }
}

/// The story that the memo itself tells best.
fn from_memo(sale: &Invoice, builder: &HypothesisBuilder<'_>, known: KnownRates<'_>) -> ReconstructedSale {
    let fits = builder.fits();
    let (mut best, mut least_cost) = attempt(sale, &Hypothesis::default(), known, fits);
    let (mut doubtful, mut is_cut_short) = (Decimal::ZERO, false);
    if least_cost > 0 {
        let mut hypotheses = builder.hypotheses();
        hypotheses.sort_by_key(|hypothesis| hypothesis.penalty);
        hypotheses.dedup();
        for (tried, hypothesis) in hypotheses.into_iter().enumerate() {
            is_cut_short = tried >= builder.most_hypotheses() && hypothesis.penalty <= least_cost;
            if is_cut_short || hypothesis.penalty > least_cost {
                break;
            }
            let (other, cost) = attempt(sale, &hypothesis, known, fits);
            let is_doubted = (other.difference - hypothesis.doubtful).abs() <= PENNY;
            let doubt = if is_doubted { hypothesis.doubtful } else { Decimal::ZERO };
            if cost < least_cost {
                (best, least_cost, doubtful) = (other, cost, doubt);
            } else if cost == least_cost && hypothesis.is_plain() && best.is_plain() {
                // The plain sale was tried first, without asking whether anything speaks for it.
                doubtful = doubtful.max(doubt);
            }
        }
    }
    if best.refusal.is_none() && !doubtful.is_zero() {
        best.refusal = Some(format!(
            "{} of it is in no line; it may be a product tax, a fee or Magento's credit of a discount on shipping, and nothing tells what of it is tax.",
            text(doubtful)
        ));
    }
    // What was not tried may fit as well.
    is_cut_short |= least_cost >= PRODUCT_TAX && builder.is_cut_short();
    if best.refusal.is_none() && is_cut_short {
        best.refusal =
            Some("It has too many different lines for its tax to be worked out from its total.".to_owned());
    }
    best.is_certain = builder.is_untaxed()
        || (best.hides_nothing()
            && builder.is_usual_discount(best.shipping_discount, -best.difference)
            && !builder.may_be_compensation(best.given_back));
    best
}

/// The sale under a guess, and how far-fetched it is.
fn attempt(
    sale: &Invoice,
    hypothesis: &Hypothesis,
    known: KnownRates<'_>,
    fits: &RateFits,
) -> (ReconstructedSale, u32) {
    let mut sale = sale.clone();
    sale.discount_amount -= hypothesis.shipping_discount;
    sale.tax_amount += hypothesis.tax;
    sale.subtotal += hypothesis.stated;
    sale.grand_total -= hypothesis.excess;
    let counting = counting_lines(&sale, &mut Findings::default());
    let sums = DocumentSums::of(&sale, &counting);
    let (reading, explanation) = unallocated::best(&sums, fits, known.percentages, known.usual);
    let cost = reading.cost + explanation.cost + hypothesis.penalty;
    let product_taxes: Decimal = explanation.product_taxes.iter().map(|one| one.net).sum();
    let given_back = explanation.compensation.iter().sum::<Decimal>() + explanation.shipping_compensation;
    let found = ReconstructedSale {
        unexplained: sums.net_gap - given_back - product_taxes - explanation.difference,
        given_back: explanation.compensation.iter().sum(),
        shipping_discount: hypothesis.shipping_discount,
        sale,
        excess: hypothesis.excess,
        refusal: explanation.refusal,
        hidden_tax: hypothesis.tax,
        difference: explanation.difference,
        is_certain: hypothesis.is_certain,
    };
    (found, cost)
}

/// What makes a memo contradict itself before any sum is looked at.
pub(crate) fn contradiction(memo: &CreditMemo) -> Option<String> {
    let most = Decimal::from(10_000_000_000_i64);
    let header = [
        memo.adjustment_positive,
        memo.adjustment_negative,
        memo.grand_total,
        memo.shipping_amount,
        memo.shipping_tax_amount,
        memo.shipping_discount.unwrap_or_default(),
    ];
    let figures = |line: &Line| {
        let percent = line.tax_percent.unwrap_or_default();
        [line.qty, line.unit_price, line.line_subtotal, line.line_tax, line.line_total, percent]
    };
    if header.into_iter().chain(memo.lines.iter().flat_map(figures)).any(|amount| amount.abs() > most) {
        return Some("The credit memo holds amounts of more than ten milliards.".to_owned());
    }
    if round2(memo.grand_total) < Decimal::ZERO {
        return Some(format!(
            "The credit memo totals {}, which is less than nothing.",
            round(memo.grand_total, 4)
        ));
    }
    let parts = [
        ("adjustment to the customer", memo.adjustment_positive),
        ("adjustment kept as a fee", memo.adjustment_negative),
        ("shipping", memo.shipping_amount),
        ("tax on shipping", memo.shipping_tax_amount),
    ];
    let (what, amount) = parts.into_iter().find(|(_, amount)| *amount < Decimal::ZERO)?;
    Some(format!("The credit memo's {what} is {}, which is less than nothing.", text(amount)))
}
