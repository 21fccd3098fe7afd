//! A row that was taxed, and the ways in which Magento taxes a discounted one.

use rust_decimal::Decimal;

/// What Magento does with a discount when it taxes a row (settings "Apply Customer Tax" and "Apply Discount On Prices";
/// Tax/Model/Calculation/AbstractAggregateCalculator.php and UnitBaseCalculator.php have a method for prices with tax and one
/// without).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiscountBasis {
    /// Prices without tax: tax = rate x (subtotal - discount).
    NetPrices,
    /// Prices with tax: tax = rate x subtotal - rate x discount / (1 + rate); the tax within the discount is given back as
    /// "discount tax compensation", which no field shows.
    GrossPrices,
    /// Taxed before the discount: tax = rate x subtotal.
    AfterTax,
}

impl DiscountBasis {
    /// What it is called in the rules.
    pub fn word(self) -> &'static str {
        match self {
            Self::NetPrices => "discount before tax",
            Self::GrossPrices => "discount from prices with tax",
            Self::AfterTax => "tax before discount",
        }
    }
}

/// The ways in which goods and shipping are taxed together. Prices of goods and of shipping may include tax or not each by
/// itself; taxing before the discount holds for both. In order of preference where several fit.
pub(crate) const DISCOUNT_BASES: [(DiscountBasis, DiscountBasis); 5] = [
    (DiscountBasis::NetPrices, DiscountBasis::NetPrices),
    (DiscountBasis::GrossPrices, DiscountBasis::GrossPrices),
    (DiscountBasis::AfterTax, DiscountBasis::AfterTax),
    (DiscountBasis::GrossPrices, DiscountBasis::NetPrices),
    (DiscountBasis::NetPrices, DiscountBasis::GrossPrices),
];

/// A row that was taxed: a line, or shipping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TaxedAmount {
    /// How many.
    pub quantity: Decimal,
    /// Without tax, before the discount.
    pub subtotal: Decimal,
    /// The discount as Magento shows it, with tax or without.
    pub discount: Decimal,
    /// The tax.
    pub tax: Decimal,
    /// The percentage, where the document says it.
    pub percent: Option<Decimal>,
}
