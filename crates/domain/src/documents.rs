//! Magento's canonical documents, as the module's endpoints give them (wire specification, section 4). Money is exact; what
//! is null or missing is `None`; unknown fields are passed over.

mod reading;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::money::{Currency, amount, optional_amount, optional_rate};

pub use reading::{Document, read};

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// `billing` or `shipping`.
    pub kind: Option<String>,
    /// The lines of the street.
    pub street: Option<Vec<String>>,
    /// Town.
    pub city: Option<String>,
    /// County, state or province, as a name.
    pub region: Option<String>,
    /// Postcode.
    pub postcode: Option<String>,
    /// ISO 3166 code of two letters.
    pub country_id: Option<String>,
    /// Telephone.
    pub telephone: Option<String>,
    /// Company, sent only by our own module.
    pub company: Option<String>,
    /// VAT number, sent only by our own module.
    pub vat_id: Option<String>,
}

/// A customer, or a guest (`magento_id` 0, never to be fetched).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Magento's id; 0 = guest.
    #[serde(default)]
    pub magento_id: i64,
    /// E-mail address.
    pub email: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Company; null for registered customers with default addresses, even where they have one.
    pub company: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Website; 0 = unknown.
    pub website_id: Option<i64>,
    /// VAT number, sent only by our own module.
    pub vat_id: Option<String>,
    /// The profile's addresses, not the document's.
    #[serde(default)]
    pub addresses: Vec<Address>,
    /// When the profile was made (UTC); of a guest, the order: of its invoices and credit memos alike.
    #[serde(default, deserialize_with = "reading::instant_if_any")]
    pub created_at: Option<DateTime<Utc>>,
    /// When the profile was changed last (UTC); of a guest, the order.
    #[serde(default, deserialize_with = "reading::instant_if_any")]
    pub updated_at: Option<DateTime<Utc>>,
}

/// A line of an invoice or a credit memo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Article number.
    #[serde(default)]
    pub sku: String,
    /// Name, with HTML entities.
    #[serde(default)]
    pub name: String,
    /// Quantity, up to four places.
    #[serde(with = "amount")]
    pub qty: Decimal,
    /// Price of one, without tax, before discount.
    #[serde(with = "amount")]
    pub unit_price: Decimal,
    /// Row total without tax, before discount.
    #[serde(with = "amount")]
    pub line_subtotal: Decimal,
    /// Tax of the row.
    #[serde(with = "amount")]
    pub line_tax: Decimal,
    /// Subtotal + tax - discount.
    #[serde(with = "amount")]
    pub line_total: Decimal,
    /// Always null in the published module.
    pub product_type: Option<String>,
    /// Always null in the published module.
    pub tax_class: Option<String>,
    /// The true percentage, sent only by our own module. (The published `tax_rate` is tax / row total, wrong for every
    /// discounted line, and not read.)
    #[serde(default, with = "optional_amount")]
    pub tax_percent: Option<Decimal>,
}

impl Line {
    /// Whether a gift card is sold whose use is still open: Magento's product type with no tax on it. Selling one is no supply
    /// (Directive 2006/112/EC, art. 30b(2)); one that was taxed may only be used for one thing, and is a sale.
    pub fn is_multi_purpose_voucher(&self) -> bool {
        let is_gift_card = |kind: &str| {
            let letters: String = kind.chars().filter(char::is_ascii_alphanumeric).collect();
            letters.to_ascii_lowercase().contains("giftcard")
        };
        self.line_tax.is_zero() && self.product_type.as_deref().is_some_and(is_gift_card)
    }

    /// The row's discount: subtotal + tax - total.
    pub fn discount(&self) -> Decimal {
        self.line_subtotal + self.line_tax - self.line_total
    }
}

/// Where an invoice stands in Magento.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InvoiceState {
    /// Not paid.
    Open,
    /// Paid.
    Paid,
    /// Cancelled.
    #[serde(alias = "canceled")]
    Cancelled,
}

/// An invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// Magento's id.
    pub magento_id: i64,
    /// The number that people see; unique per store only.
    #[serde(deserialize_with = "reading::number")]
    pub increment_id: String,
    /// The order's number.
    #[serde(default, deserialize_with = "reading::optional_number")]
    pub order_increment_id: Option<String>,
    /// Website; 0 = unknown.
    pub website_id: Option<i64>,
    /// Store view; 0 = unknown.
    pub store_id: Option<i64>,
    /// The currency that the customer paid in.
    pub currency: Currency,
    /// Open, paid or cancelled.
    pub state: InvoiceState,
    /// Who bought.
    pub customer: Customer,
    /// Lines; children of bundles and configurables come as lines of their own.
    #[serde(default)]
    pub lines: Vec<Line>,
    /// Sum of the rows without tax, before discount.
    #[serde(with = "amount")]
    pub subtotal: Decimal,
    /// All tax, shipping's and fixed product taxes' included.
    #[serde(with = "amount")]
    pub tax_amount: Decimal,
    /// Shipping without tax, before discount.
    #[serde(default, with = "amount")]
    pub shipping_amount: Decimal,
    /// Tax on shipping.
    #[serde(default, with = "amount")]
    pub shipping_tax_amount: Decimal,
    /// All discounts, shipping's included; negative.
    #[serde(default, with = "amount")]
    pub discount_amount: Decimal,
    /// What the customer owes.
    #[serde(with = "amount")]
    pub grand_total: Decimal,
    /// When it was made (UTC).
    #[serde(deserialize_with = "reading::instant")]
    pub created_at: DateTime<Utc>,
    /// The code of the payment method.
    pub payment_method: Option<String>,
    /// The document's own billing address.
    pub billing_address: Option<Address>,
    /// The document's own shipping address; none for virtual orders.
    pub shipping_address: Option<Address>,
    /// The customer's purchase order number.
    pub po_number: Option<String>,
    /// Order currency = base currency x this, every digit of it.
    #[serde(default, with = "optional_rate")]
    pub base_to_order_rate: Option<Decimal>,
}

/// The captured payment of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The invoice's Magento id.
    pub invoice_id: i64,
    /// The invoice's number.
    #[serde(default, deserialize_with = "reading::optional_number")]
    pub invoice_increment_id: Option<String>,
    /// The code of the payment method.
    pub method: String,
    /// Its currency.
    pub currency: Currency,
    /// What was captured.
    #[serde(with = "amount")]
    pub amount: Decimal,
    /// The invoice's creation time (the published module knows no better).
    #[serde(deserialize_with = "reading::instant")]
    pub captured_at: DateTime<Utc>,
    /// The gateway's own id of the transaction.
    pub gateway_txn_id: Option<String>,
}

/// A credit memo. Its header has no subtotal, tax or discount, and it knows neither its order nor how it was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditMemo {
    /// Magento's id.
    pub magento_id: i64,
    /// The number that people see; unique per store only.
    #[serde(deserialize_with = "reading::number")]
    pub increment_id: String,
    /// The invoice that it takes back; none for refunds made from the order.
    pub invoice_id: Option<i64>,
    /// That invoice's number.
    #[serde(default, deserialize_with = "reading::optional_number")]
    pub invoice_increment_id: Option<String>,
    /// Website; 0 = unknown.
    pub website_id: Option<i64>,
    /// The currency that the customer paid in.
    pub currency: Currency,
    /// Who bought; may be poorer than the invoice's.
    pub customer: Customer,
    /// Lines; children of bundles and configurables come as lines of their own.
    #[serde(default)]
    pub lines: Vec<Line>,
    /// Given back besides, never taxed.
    #[serde(default, with = "amount")]
    pub adjustment_positive: Decimal,
    /// Kept as a fee, never taxed.
    #[serde(default, with = "amount")]
    pub adjustment_negative: Decimal,
    /// What the customer gets back; up to four places.
    #[serde(with = "amount")]
    pub grand_total: Decimal,
    /// Shipping given back, without tax, before discount.
    #[serde(default, with = "amount")]
    pub shipping_amount: Decimal,
    /// Tax on that shipping.
    #[serde(default, with = "amount")]
    pub shipping_tax_amount: Decimal,
    /// The discount on that shipping, sent only by our own module.
    #[serde(default, with = "optional_amount")]
    pub shipping_discount: Option<Decimal>,
    /// Why, in the words of whoever made it.
    pub reason: Option<String>,
    /// When it was made (UTC).
    #[serde(deserialize_with = "reading::instant")]
    pub created_at: DateTime<Utc>,
    /// When the invoice was made (UTC).
    #[serde(default, deserialize_with = "reading::optional_instant")]
    pub invoice_created_at: Option<DateTime<Utc>>,
    /// Order currency = base currency x this, every digit of it.
    #[serde(default, with = "optional_rate")]
    pub base_to_order_rate: Option<Decimal>,
}

/// A product of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Magento's id.
    pub magento_id: i64,
    /// Article number.
    #[serde(default)]
    pub sku: String,
    /// Name, with HTML entities.
    #[serde(default)]
    pub name: String,
    /// `simple`, `virtual`, `downloadable`, `configurable`, `bundle`, `grouped`, or a module's own.
    pub product_type: Option<String>,
    /// Price of one; with or without tax as the catalogue is kept, which is not told.
    #[serde(default, with = "optional_amount")]
    pub price: Option<Decimal>,
    /// What one costs the merchant.
    #[serde(default, with = "optional_amount")]
    pub cost: Option<Decimal>,
    /// How many there are; below zero with backorders.
    #[serde(default, with = "optional_amount")]
    pub stock_qty: Option<Decimal>,
    /// Whether stock is kept.
    pub manage_stock: Option<bool>,
    /// The id of the tax class, as text.
    pub tax_class: Option<String>,
    /// The websites that sell it.
    #[serde(default)]
    pub website_ids: Vec<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_documents_are_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/documents");
        let mut read = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            if name.starts_with("invoice-") {
                let invoice: Invoice = serde_json::from_str(&text).unwrap();
                assert!(!invoice.lines.is_empty(), "{name}");
                read += 1;
            } else if name.starts_with("payment-") {
                serde_json::from_str::<Payment>(&text).unwrap();
                read += 1;
            } else if name.starts_with("creditmemo-") {
                serde_json::from_str::<CreditMemo>(&text).unwrap();
                read += 1;
            } else if name.starts_with("product-") {
                serde_json::from_str::<Product>(&text).unwrap();
                read += 1;
            } else if name.starts_with("customer-") {
                serde_json::from_str::<Customer>(&text).unwrap();
                read += 1;
            }
        }
        assert_eq!(read, 24);
    }

    #[test]
    fn a_line_that_cancels_to_nothing_reads_as_nothing() {
        let text = include_str!("../../../fixtures/wire/entity/invoice-92-all-discounted-near-zero.body");
        let invoice: Invoice = serde_json::from_str(text).unwrap();
        assert!(invoice.lines.iter().all(|line| line.line_total.is_zero()));
    }
}
