//! How sure one can be of a sale of which only the memo shows: whether its tax could be another as well.

use domain::money::round2;
use rust_decimal::Decimal;

use crate::{
    amounts::taxed_amount::{DiscountBasis, TaxedAmount},
    credit_note::{explained_sale::ExplainedSale, memo_evidence::MemoEvidence},
    percentage::fraction,
    tolerances::{COMPENSATION, LARGEST_UNTAXABLE, PENNY, PROPORTION, SMALLEST_PRODUCT_TAX},
};

/// Whether the tax of the likeliest sale is certain to the penny.
pub(crate) fn is_certain(evidence: &MemoEvidence<'_>, found: &ExplainedSale) -> bool {
    is_untaxed(evidence)
        || (hides_nothing(found)
            && is_usual_discount(evidence, found.shipping_discount, -found.difference)
            && !may_be_compensation(evidence, found.given_back))
}

/// Whether no other tax is likely: what is on no line is less than any product tax that a shop charges, so that it is what Magento credits
/// of a discount on shipping, or roundings.
pub(crate) fn is_likely(evidence: &MemoEvidence<'_>, found: &ExplainedSale) -> bool {
    let on_no_line = found.excess.max(Decimal::ZERO) + found.unexplained.max(Decimal::ZERO);
    round2(found.hidden_tax).is_zero()
        && round2(found.difference).is_zero()
        && on_no_line < SMALLEST_PRODUCT_TAX
        && is_usual_discount(evidence, found.shipping_discount, -found.difference)
        && !may_be_compensation(evidence, found.given_back)
}

/// Whether all that the memo's total holds is in its fields, and nothing is missing: a gift card that paid a part, and tax that the memo
/// lacks (reported case 57), look alike.
fn hides_nothing(found: &ExplainedSale) -> bool {
    let is_much = |amount: Decimal| amount > LARGEST_UNTAXABLE;
    let is_unshown = is_much(found.excess) || is_much(found.unexplained);
    round2(found.hidden_tax).is_zero() && round2(found.difference).is_zero() && !is_unshown
}

/// Whether the memo shows that nothing was taxed: no line is there that may have been.
fn is_untaxed(evidence: &MemoEvidence<'_>) -> bool {
    let is_untaxed = |(index, row): (usize, &TaxedAmount)| {
        row.tax.is_zero() && evidence.fits.possible(index).all(|percent| percent.is_zero())
    };
    evidence.memo.shipping_tax_amount.is_zero() && evidence.sums.goods.iter().enumerate().all(is_untaxed)
}

/// Whether what was taken for tax within discounts may be a product tax: the lines could have been discounted without tax as well.
fn may_be_compensation(evidence: &MemoEvidence<'_>, given_back: Decimal) -> bool {
    let level =
        |index: usize, basis| evidence.fits.under(basis)[index].fitting.iter().map(|fit| fit.level).min();
    let fits_excluding = |index| {
        let (excluding, including) =
            (level(index, DiscountBasis::NetPrices), level(index, DiscountBasis::GrossPrices));
        excluding.is_some() && including.is_none_or(|including| excluding <= Some(including))
    };
    given_back > COMPENSATION && (0..evidence.sums.goods.len()).all(fits_excluding)
}

/// Whether a discount on shipping, or what is missing from the total, is in proportion to the lines' discounts: a sales rule takes
/// one percentage of all (SalesRule/Model/Rule/Action/Discount/ByPercent.php), and a product tax would make shipping's look smaller
/// (test a_product_tax_that_looks_like_a_smaller_discount_on_shipping_waits).
fn is_usual_discount(evidence: &MemoEvidence<'_>, discount: Decimal, missing: Decimal) -> bool {
    let (shipping, goods) = (evidence.memo.shipping_amount, &evidence.sums.goods);
    let off = discount + missing.max(Decimal::ZERO);
    let is_discounted = goods.iter().any(|row| row.discount > PENNY);
    if off.is_zero() || evidence.memo.shipping_discount.is_some() || !(is_discounted || discount > PENNY) {
        return true;
    }
    // Of a price given away nothing is left that would show its tax.
    if goods.iter().any(|row| row.discount >= row.subtotal) || shipping.is_zero() {
        return false;
    }
    // Discounts are taken of prices with tax or without it, of all alike; what was found may be meant in either way too.
    let proportions = [false, true].into_iter().filter_map(|with_tax| proportion(evidence, with_tax));
    proportions.into_iter().any(|proportion| {
        shipping_factors(evidence)
            .any(|factor| is_near(evidence.memo.shipping_amount, off, proportion, factor) == Some(true))
    })
}

/// The one proportion of the lines' discounts to their prices, and how far it may be off; none where they differ.
fn proportion(evidence: &MemoEvidence<'_>, with_tax: bool) -> Option<(Decimal, Decimal)> {
    // Where no percentage fits what is left after the discount, the whole price was taxed (sample creditmemo-68 of a running Magento).
    let fitting =
        |index: usize, basis| evidence.fits.under(basis)[index].fitting.last().map(|fit| fit.percent);
    let percent = |index: usize| {
        let by_net = fitting(index, DiscountBasis::NetPrices);
        by_net.or_else(|| fitting(index, DiscountBasis::AfterTax)).unwrap_or_default()
    };
    let part = |(index, row): (usize, &TaxedAmount)| {
        let factor = if with_tax { fraction(percent(index)) + Decimal::ONE } else { Decimal::ONE };
        let base = row.subtotal * factor;
        Some((base, row.discount.checked_div(base)?))
    };
    // A part of next to nothing is beyond any number: it says nothing.
    let parts = evidence.sums.goods.iter().enumerate().map(part).collect::<Option<Vec<_>>>()?;
    let (largest, likely) = parts.iter().copied().max()?;
    let slack = |base: Decimal| PROPORTION.checked_div(base);
    let agrees = |(base, part): &(Decimal, Decimal)| {
        let apart = part.checked_sub(likely).map(|apart| apart.abs());
        apart.zip(slack(*base)).is_some_and(|(apart, slack)| apart <= slack)
    };
    if parts.iter().all(agrees) { Some((likely, slack(largest)?)) } else { None }
}

/// Shipping may be discounted with its tax or without it.
fn shipping_factors(evidence: &MemoEvidence<'_>) -> impl Iterator<Item = Decimal> {
    let is_taxed = !evidence.memo.shipping_tax_amount.is_zero();
    let taxing = evidence.known.percentages.iter().filter(move |percent| percent.is_zero() != is_taxed);
    taxing.map(|percent| fraction(*percent) + Decimal::ONE).chain([Decimal::ONE])
}

/// Whether `off` is shipping's share of the proportion; none beyond what a number holds.
fn is_near(
    shipping: Decimal,
    off: Decimal,
    (part, slack): (Decimal, Decimal),
    factor: Decimal,
) -> Option<bool> {
    let expected = shipping.checked_mul(part)?.checked_mul(factor)?;
    let allowed = shipping.checked_mul(slack)?.checked_add(PROPORTION)?;
    Some(expected.checked_sub(off)?.abs() <= allowed)
}
