//! What a credit memo shows by itself: the sums of its lines, the percentages that fit them, and the gap in its total.

use domain::documents::{CreditMemo, Line};
use rust_decimal::Decimal;

use crate::{
    amounts::{
        compensation,
        known_rates::{self, KnownRates},
        rate_fits::RateFits,
        recovered_rates,
        sums::DocumentSums,
        tax_rates::AvailableRates,
        taxed_amount::DiscountBasis,
    },
    limits::{MOST_PERCENTAGES, MOST_QUANTITIES},
    sales_document::{DocumentTotals, SalesDocument},
};

/// A memo and the sale that its fields show.
pub(crate) struct MemoEvidence<'a> {
    /// The memo.
    pub memo: &'a CreditMemo,
    /// All its lines.
    pub lines: &'a [Line],
    /// The totals that its fields show.
    pub totals: DocumentTotals,
    /// The sums of the lines that count.
    pub sums: DocumentSums<'a>,
    /// The percentages to compare with.
    pub known: KnownRates,
    /// How they fit the lines.
    pub fits: RateFits,
    /// What the total holds beyond lines and shipping.
    pub gap: Decimal,
    /// The whole quantities above one of the lines.
    pub quantities: Vec<Decimal>,
    /// What is left of the gap after the lines' compensation, for discounts without tax and with it.
    pub remainders: [Remainder; 2],
}

/// What is left of the gap under one way of taxing discounts.
pub(crate) struct Remainder {
    /// The amount.
    pub amount: Decimal,
    /// The way.
    pub basis: DiscountBasis,
    /// The percentages above 0 of the lines, the main one first.
    pub percents: Vec<Decimal>,
}

impl<'a> MemoEvidence<'a> {
    /// Looks at a memo and at the sale that its fields show.
    pub fn new(memo: &'a CreditMemo, sale: &'a SalesDocument<'_>, rates: &AvailableRates<'_>) -> Self {
        let sums = DocumentSums::of(&sale.totals, &sale.lines);
        // The memo hides its discount on shipping, so that only lines are compared.
        let (known, fits) = known_rates::of(&sums.goods, None, sale.totals.tax, rates);
        let shown: Decimal = sums.lines.iter().map(|line| line.line_total).sum();
        let gap = sale.totals.grand_total - shown - memo.shipping_amount - memo.shipping_tax_amount;
        let remainders = [DiscountBasis::NetPrices, DiscountBasis::GrossPrices]
            .map(|basis| remainder(basis, gap, &sums, &fits.goods, &known));
        let mut quantities: Vec<Decimal> = Vec::new();
        let several = |quantity: &Decimal| *quantity > Decimal::ONE && quantity.fract().is_zero();
        for quantity in sums.lines.iter().map(|line| line.qty).filter(several) {
            if quantities.len() <= MOST_QUANTITIES && !quantities.contains(&quantity) {
                quantities.push(quantity);
            }
        }
        let (lines, totals, fits) = (&sale.lines, sale.totals, fits.goods);
        Self { memo, lines, totals, sums, known, fits, gap, quantities, remainders }
    }
}

fn remainder(
    basis: DiscountBasis,
    gap: Decimal,
    sums: &DocumentSums<'_>,
    fits: &RateFits,
    known: &KnownRates,
) -> Remainder {
    let rates = recovered_rates::recover((&sums.goods, fits), None, (basis, basis), known.usual);
    let given_back: Decimal = compensation::of_rows(sums, &rates).iter().map(|one| one.likely).sum();
    let mut percents: Vec<Decimal> = Vec::new();
    // Where nothing was taxed no product tax was either.
    let taxed = sums.goods.iter().zip(&rates.goods).filter(|(row, _)| !row.tax.is_zero());
    for percent in taxed.clone().filter_map(|_| rates.main).chain(taxed.clone().map(|(_, one)| *one)) {
        let is_room = percents.len() <= MOST_PERCENTAGES;
        if is_room && percent > Decimal::ZERO && !percents.contains(&percent) {
            percents.push(percent);
        }
    }
    Remainder { amount: gap - given_back, basis, percents }
}
