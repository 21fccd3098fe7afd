//! The sale that a memo takes back under one hypothesis, explained as an invoice is.

use domain::documents::Line;
use rust_decimal::Decimal;

use crate::{
    amounts::{known_rates::KnownRates, rate_fits::RateFits, sums::DocumentSums, unallocated},
    credit_note::hypothesis::Hypothesis,
    sales_document::DocumentTotals,
};

/// A sale under a hypothesis, explained.
#[derive(Debug)]
pub(crate) struct ExplainedSale {
    /// Its totals.
    pub totals: DocumentTotals,
    /// The discount on shipping that was found.
    pub shipping_discount: Decimal,
    /// What Magento credits too much.
    pub excess: Decimal,
    /// Why no posting can be right, in a sentence without the sums.
    pub refusal: Option<String>,
    /// The tax of product taxes that was found.
    pub hidden_tax: Decimal,
    /// What is left of the total and carries no tax.
    pub difference: Decimal,
    /// What was passed over as rounding.
    pub unexplained: Decimal,
    /// The tax within the lines' discounts that was taken for given back.
    pub given_back: Decimal,
    /// Whether the tax is certain to the penny.
    pub is_certain: bool,
    /// Whether no other tax is likely, where it is not certain.
    pub is_likely: bool,
    /// The taxes of product taxes that it may have instead, where it is not certain.
    pub hidden_taxes: Vec<Decimal>,
    /// How far-fetched it is.
    pub cost: u32,
}

/// The sale under a hypothesis, and how far-fetched it is.
pub(crate) fn explain(
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
    let shipping_fits = RateFits::of(sums.shipping.as_slice(), &known.percentages);
    let (rates, explanation) = unallocated::best(&sums, (fits, &shipping_fits), known);
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
        is_likely: false,
        hidden_taxes: Vec::new(),
        cost: rates.cost + explanation.cost + hypothesis.cost,
        refusal: explanation.refusal,
    }
}
