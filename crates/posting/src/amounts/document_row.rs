//! A line of a Sage document in the making.

use domain::money::round2;
use rust_decimal::Decimal;

/// What a row is, which decides its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// Goods or services.
    Goods,
    /// Shipping.
    Shipping,
    /// A fixed product tax, or a taxed fee.
    ProductTax,
    /// A discount on its own.
    Discount,
    /// Gift card or store credit.
    GiftCard,
    /// What rounding to coins leaves.
    CashRounding,
    /// Tax of another jurisdiction, which is owed there.
    ForeignTax,
    /// A fee, or an untaxed product tax.
    Fee,
    /// An adjustment of a credit memo.
    Adjustment,
}

impl RowKind {
    /// Whether it is money that is no sale, and so outside the tax: a voucher that is redeemed or sold (Directive 2006/112/EC, art. 30b;
    /// VAT Act 1994, sch. 10B), a rounding, a tax that is passed on.
    pub fn is_outside_tax(self) -> bool {
        matches!(self, Self::GiftCard | Self::CashRounding | Self::ForeignTax)
    }

    /// What it is called in the rules.
    pub fn word(self) -> &'static str {
        match self {
            Self::Goods => "goods",
            Self::Shipping => "shipping",
            Self::ProductTax => "fixed product tax",
            Self::Discount => "discount",
            Self::GiftCard => "gift card or store credit",
            Self::CashRounding => "cash rounding",
            Self::ForeignTax => "tax of another country",
            Self::Fee => "fee",
            Self::Adjustment => "adjustment",
        }
    }
}

/// A line of a Sage document in the making; all amounts have two decimals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DocumentRow {
    /// What it is.
    pub kind: RowKind,
    /// What it says.
    pub description: String,
    /// How many.
    pub quantity: Decimal,
    /// Magento's price of one, without tax.
    pub unit_price: Decimal,
    /// Without tax, before the discount.
    pub subtotal: Decimal,
    /// The discount without tax.
    pub discount: Decimal,
    /// The tax.
    pub tax: Decimal,
    /// The percentage.
    pub percent: Decimal,
    /// The tax class, where the document says it.
    pub class: Option<String>,
}

impl DocumentRow {
    /// What the row comes to without tax.
    pub fn net(&self) -> Decimal {
        self.subtotal - self.discount
    }

    /// A row of quantity one that no line of Magento's stands behind.
    pub fn extra(kind: RowKind, description: &str, net: Decimal, tax: Decimal, percent: Decimal) -> Self {
        Self {
            kind,
            description: description.to_owned(),
            quantity: Decimal::ONE,
            unit_price: net,
            subtotal: net,
            discount: Decimal::ZERO,
            tax,
            percent,
            class: None,
        }
    }
}

impl DocumentRow {
    /// The quantity and unit price whose product is the subtotal exactly, if there are any of whole units and whole pennies.
    pub fn quantity_and_price(&self) -> Option<(Decimal, Decimal)> {
        if self.quantity <= Decimal::ZERO || !self.quantity.fract().is_zero() {
            return None;
        }
        let price = round2(self.unit_price);
        let price = if price * self.quantity == self.subtotal {
            price
        } else {
            self.subtotal.checked_div(self.quantity)?
        };
        (round2(price) == price && price * self.quantity == self.subtotal)
            .then_some((self.quantity.normalize(), price))
    }

    /// Whether the row is quantity times a price of whole pennies.
    pub fn has_exact_price(&self) -> bool {
        self.quantity_and_price().is_some()
    }
}
