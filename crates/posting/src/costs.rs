//! How far-fetched each part of an explanation is. Costs are added up and the least sum wins; they have no unit, only an order:
//! roundings, then product taxes, then what no field can bear out.

use domain::money::round2;
use rust_decimal::{Decimal, prelude::ToPrimitive};

/// The most that pennies count for: more of them is not a worse rounding but something else.
const MOST_PENNIES: u32 = 20;

/// One for each penny that is passed over as rounding.
pub(crate) fn pennies(amount: Decimal) -> u32 {
    let pennies = round2(amount.abs()).checked_mul(Decimal::ONE_HUNDRED);
    pennies.and_then(|pennies| pennies.to_u32()).unwrap_or(MOST_PENNIES).min(MOST_PENNIES)
}

/// The same of a distance that was not rounded before; half a penny goes to the even one.
pub(crate) fn pennies_apart(distance: Decimal) -> u32 {
    let pennies = (distance.abs() * Decimal::ONE_HUNDRED).round();
    pennies.to_u32().unwrap_or(MOST_PENNIES).min(MOST_PENNIES)
}

/// A row's tax with a penny carried over: as much as that penny.
pub(crate) const CARRIED_TAX: u32 = 1;
/// A row's tax within a penny a unit: dearer than product taxes (3), which explain to the penny.
pub(crate) const LOOSE_TAX: u32 = 4;
/// A row that no known percentage fits: more than any explanation of the gap, refused ones (10,000) too, so that a contradiction
/// is never talked away by a percentage that nobody has.
pub(crate) const MISFIT: u32 = 100_000;

/// Product taxes whose tax is exactly that of the net: as likely as two pennies of roundings.
pub(crate) const PRODUCT_TAX: u32 = 2;
/// Product taxes of which the tax alone is known, and roundings: one more, because their net follows from a guess at the rate.
pub(crate) const PRODUCT_TAX_BY_ITS_TAX: u32 = 3;
/// Untaxed money that no field shows: it explains any sum, so it comes after all roundings (20 pennies of net and of tax each).
pub(crate) const DIFFERENCE: u32 = 50;
/// The same beside product taxes of which the tax alone is known: two unknowns at once.
pub(crate) const DIFFERENCE_BESIDE_PRODUCT_TAX: u32 = 60;
/// An explanation that contradicts the document: more than all the above together.
pub(crate) const REFUSED: u32 = 10_000;

/// A memo's discount on shipping that closes the gap: dearer than product taxes within an invoice (2), which have a header to show them.
pub(crate) const SHIPPING_DISCOUNT: u32 = 3;
/// One that the tax on shipping shows, to a few pence, beside product taxes.
pub(crate) const SHIPPING_DISCOUNT_BY_ITS_TAX: u32 = 4;
/// Product taxes of which only the memo shows, at the document's main percentage.
pub(crate) const MEMO_PRODUCT_TAX: u32 = 5;
/// The same at another percentage of the lines: after the main one with whatever else is found beside it.
pub(crate) const MEMO_PRODUCT_TAX_AT_OTHER_RATE: u32 = 13;
/// Each rounding of product taxes that is not the shop's usual one.
pub(crate) const UNUSUAL_ROUNDING: u32 = 1;
/// What Magento credits too much, where nothing but the memo shows of it.
pub(crate) const EXCESS: u32 = 1;
/// Sums that leave fractions of pennies: Magento rounds all but a discount on shipping, so another hypothesis is mostly right.
pub(crate) const FRACTION_LEFT: u32 = 20;
/// Product taxes that the invoice has no room for: dearer than fractions (20) and any rounding (20 pennies).
pub(crate) const BEYOND_INVOICE: u32 = 40;
