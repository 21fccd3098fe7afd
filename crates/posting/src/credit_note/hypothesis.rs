//! A set of figures that would close a memo's gap.

use rust_decimal::Decimal;

/// Figures that a memo does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hypothesis {
    /// The discount on shipping, as Magento shows discounts (with tax or without).
    pub shipping_discount: Decimal,
    /// The tax of product taxes.
    pub tax: Decimal,
    /// The net of product taxes, where the invoice shows it.
    pub stated: Decimal,
    /// What Magento credits too much.
    pub excess: Decimal,
    /// How far-fetched it is.
    pub cost: u32,
    /// Money that may be taxed or not as well, with nothing to show which: no faithful posting.
    pub doubtful: Decimal,
    /// Whether the invoice shows the tax to the penny.
    pub is_certain: bool,
}

impl Hypothesis {
    /// Whether it leaves the sale as its fields show it.
    pub fn is_plain(&self) -> bool {
        self.shipping_discount.is_zero() && self.tax.is_zero() && self.excess.is_zero()
    }
}
