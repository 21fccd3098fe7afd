//! Every tolerance of this crate, each with its unit and its reason. Amounts are in the document's currency.

use rust_decimal::Decimal;

const fn decimal(digits: u32, places: u32) -> Decimal {
    Decimal::from_parts(digits, 0, 0, false, places)
}

/// 0.01: a penny, the least amount that Sage keeps.
pub(crate) const PENNY: Decimal = decimal(1, 2);

/// 0.005: as much as rounding to the penny moves an amount.
pub(crate) const HALF_PENNY: Decimal = decimal(5, 3);

/// 0.00015: a hair, for the fourth decimal on both sides of a comparison; Magento's columns are DECIMAL(20,4).
pub(crate) const HAIR: Decimal = decimal(15, 5);

/// 0.0051: half a penny and a hair, within which a tax is its percentage's to the rounding of the row or of the unit.
pub(crate) const EXACT_FIT: Decimal = decimal(51, 4);

/// 0.0151: the same with a penny that came over from another line, or from the other part of a partial invoice: Magento's
/// Tax/Model/Calculation/AbstractCalculator.php::deltaRound (sample invoice-7-default-algorithm: 20.98 at 20 % bears 4.19).
pub(crate) const CARRIED_FIT: Decimal = decimal(151, 4);

/// 0.015: the most tax on a line at 0 %, which has no percentage and so no hair: half a penny and a penny carried over. More of it
/// fits no percentage.
pub(crate) const LARGEST_TAX_AT_ZERO: Decimal = decimal(15, 3);

/// 0.025: an amount with tax that is no larger bears no penny of tax at any usual percentage (0.025 at 25 % is 0.005).
pub(crate) const LARGEST_UNTAXABLE: Decimal = decimal(25, 3);

/// 0.01 of a percentage: keys of the map have two decimals, provincial rates of Canada three (14.975).
pub(crate) const SAME_PERCENTAGE: Decimal = decimal(1, 2);

/// 0.5, as a fraction of the amount: no country taxes sales at more; such a tax belongs to something else.
pub(crate) const HIGHEST_RATE: Decimal = decimal(5, 1);

/// 0.22 of a discount: as much tax may be within it at any rate there is (27 % in Hungary is 0.2126 of a price with tax).
pub(crate) const HIGHEST_RATE_IN_PRICE: Decimal = decimal(22, 2);

/// 0.02, as a fraction of the amount: no rate of the businesses that Sage serves is lower (Ireland's livestock rate is 4.8 %).
pub(crate) const LEAST_RATE: Decimal = decimal(2, 2);

/// 0.32: the tax of one piece for no more may vanish at Ireland's lowest rate: 4.8 % of it is half a penny, and a penny that was carried
/// over to another line ([`CARRIED_FIT`]).
pub(crate) const LARGEST_ROUNDED_AWAY: Decimal = decimal(32, 2);

/// 1.3 times shipping without tax: a discount on shipping may be of the price with tax, and this holds any rate there is (27 % in
/// Hungary).
pub(crate) const SHIPPING_WITH_TAX: Decimal = decimal(13, 1);

/// 0.15, as a fraction of Sage's own exchange rate. Rates move by some per cent in the weeks between a document and the latest rate;
/// another base currency or a rate turned round is mostly further off (golden case invoice-with-an-exchange-rate-of-another-base).
pub(crate) const EXCHANGE_RATE: Decimal = decimal(15, 2);

/// 0.005: two currencies whose rate is nearer to 1 are pegged to one another (BND and SGD), so that a rate of 1 is true.
pub(crate) const SAME_WORTH: Decimal = decimal(5, 3);

/// 0.05: shops choose round sums for fixed product taxes (sample invoice-2: 0.50 with tax), so that one of whole five pence is the
/// likelier, and 0.47 may be anything (golden case creditmemo-with-money-from-nowhere).
pub(crate) const ROUND_SUM: Decimal = decimal(5, 2);

/// 0.05: cash is rounded to coins of five at most where Sage's businesses are (Canada since 2013, Ireland since 2015), so that a rest of
/// no more is a rounding and no fee or voucher.
pub(crate) const CASH_ROUNDING: Decimal = decimal(5, 2);

/// 0.10: no shop charges a product tax of less, its own tax included (the least of the samples is 0.21); a smaller sum on no line is
/// something else.
pub(crate) const SMALLEST_PRODUCT_TAX: Decimal = decimal(1, 1);

/// 10 pence either way: where compensations leave a choice of product taxes, pennies beyond these have no say.
pub(crate) const PRODUCT_TAX_STEPS: i64 = 10;

/// A quarter of the goods: product taxes within the header's subtotal are a small part of a price; more is a line that is missing.
pub(crate) const STATED_SHARE: Decimal = decimal(25, 2);

/// A fortieth of product taxes: their tax may be off by no more, whatever unit roundings make of it. At 20 % that is an eighth of it.
pub(crate) const STATED_TAX_SHARE: Decimal = decimal(25, 3);

/// A quarter of the tax: half a penny a unit may be missing, but never most of the tax.
pub(crate) const TAX_SHARE: Decimal = decimal(25, 2);

/// A tenth of the goods: a tax without a line whose base would be more is no product tax but a wrong sum.
pub(crate) const BESIDE_SHARE: Decimal = decimal(1, 1);

/// Half of the goods: product taxes and fees are a part of what is bought; more than that is money from nowhere, unless it is small.
pub(crate) const UNSHOWN_SHARE: Decimal = decimal(5, 1);

/// 10.00: what is small whatever was bought.
pub(crate) const SMALL: Decimal = Decimal::TEN;

/// 0.006: half a penny of tax on shipping and a hair. Divided by the rate it says how well that tax shows a discount on shipping.
pub(crate) const SHIPPING_TAX: Decimal = decimal(6, 3);

/// 0.03: as much tax within discounts may be roundings of three rows; more could as well be a product tax.
pub(crate) const COMPENSATION: Decimal = decimal(3, 2);

/// 0.02: two discounts are of one proportion when they differ by no more: each is rounded, and so is the sum that it is of.
pub(crate) const PROPORTION: Decimal = decimal(2, 2);

/// 0.50: what Magento's credit of a discount on shipping that is not refunded comes to at most, where nothing but the memo shows of it.
pub(crate) const LARGEST_EXCESS: Decimal = decimal(5, 1);
