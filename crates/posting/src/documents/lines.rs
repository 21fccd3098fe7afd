//! From rows to Sage's lines: quantity times a price of two decimals where that is the row's subtotal exactly, otherwise
//! quantity 1 with the subtotal as the price and "3 x" in front of the name, because Sage rounds the unit price before it multiplies.

use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};

use domain::{business::ReferenceSet, money, policy::Policy};

use crate::{
    amounts::{
        rows::{Kind, Row},
        tax_rates::Choice,
    },
    findings::{Findings, Missing},
    text::cut,
};

/// Sage tells no limit of a line's description; its products' is this.
const DESCRIPTION: usize = 255;

impl Row {
    /// The quantity and unit price whose product is the subtotal exactly, if there are any of whole units and whole pennies.
    fn quantity_and_price(&self) -> Option<(Decimal, Decimal)> {
        if self.quantity <= Decimal::ZERO || !self.quantity.fract().is_zero() {
            return None;
        }
        let price = money::round2(self.unit_price);
        let price = if price * self.quantity == self.subtotal {
            price
        } else {
            self.subtotal.checked_div(self.quantity)?
        };
        (money::round2(price) == price && price * self.quantity == self.subtotal)
            .then_some((self.quantity.normalize(), price))
    }

    /// Whether the row is quantity times a price of whole pennies.
    pub fn has_exact_price(&self) -> bool {
        self.quantity_and_price().is_some()
    }
}

/// A JSON number with two decimals, as Sage's schema has money: the digits as they are, no binary float in between.
pub(crate) fn number(amount: Decimal) -> Value {
    plain_number(money::text(amount))
}

/// A JSON number of decimal text.
pub(crate) fn plain_number(text: String) -> Value {
    text.parse::<Number>().map_or(Value::String(text), Value::Number)
}

/// The ledger account of a kind of row, and the setting that chose it.
pub(crate) fn account(
    kind: Kind,
    policy: &Policy,
    reference: &ReferenceSet,
) -> Result<(String, &'static str), Missing> {
    let (own, setting) = match kind {
        Kind::Goods | Kind::ProductTax => (None, ""),
        Kind::Shipping => (policy.shipping_ledger_account_id.as_ref(), "shipping_ledger_account_id"),
        Kind::Discount => (policy.discount_ledger_account_id.as_ref(), "discount_ledger_account_id"),
        Kind::GiftCard => (policy.gift_card_ledger_account_id.as_ref(), "gift_card_ledger_account_id"),
        Kind::Fee => (policy.fee_ledger_account_id.as_ref(), "fee_ledger_account_id"),
        Kind::Adjustment => (policy.adjustment_ledger_account_id.as_ref(), "adjustment_ledger_account_id"),
    };
    let (id, setting) = match own {
        Some(id) => (Some(id), setting),
        None => (policy.default_ledger_account_id.as_ref(), "default_ledger_account_id"),
    };
    let missing = |sentence: String| Missing { setting: setting.to_owned(), sentence };
    let id = id.ok_or_else(|| {
        missing("No default sales account is chosen (setting default_ledger_account_id).".to_owned())
    })?;
    if reference.ledger_accounts.iter().any(|account| account.id == *id && account.visible_in_sales) {
        Ok((id.clone(), setting))
    } else {
        Err(missing(format!("The account {id} (setting {setting}) is not among Sage's sales accounts.")))
    }
}

/// The shipping panel's amount and rate, where Sage would recompute Magento's tax from them exactly. Sage ignores a tax sent with the panel.
pub(crate) fn fits_shipping_panel(
    row: &Row,
    rate: &Choice,
    policy: &Policy,
    reference: &ReferenceSet,
) -> bool {
    let account = &policy.shipping_ledger_account_id;
    let recomputed = money::round2(row.net() * rate.percentage / Decimal::ONE_HUNDRED);
    row.kind == Kind::Shipping
        && row.net() > Decimal::ZERO
        && recomputed == row.tax
        && (account.is_none() || *account == reference.carriage_ledger_account_id)
}

/// A line of the body. Without a rate (a business not registered for tax) no tax field is sent.
pub(crate) fn line(row: &Row, account: String, rate: Option<&Choice>, findings: &mut Findings) -> Value {
    let mut fields = Map::new();
    let (quantity, price, description) = match row.quantity_and_price() {
        Some((quantity, price)) => (quantity, price, row.description.clone()),
        None if row.quantity <= Decimal::ZERO => (Decimal::ONE, row.subtotal, row.description.clone()),
        None => (Decimal::ONE, row.subtotal, format!("{} x {}", row.quantity.normalize(), row.description)),
    };
    let description = cut(&description, DESCRIPTION, "description of a line", findings);
    fields.insert("description".to_owned(), Value::String(description));
    fields.insert("ledger_account_id".to_owned(), Value::String(account));
    fields.insert("quantity".to_owned(), plain_number(quantity.normalize().to_string()));
    fields.insert("unit_price".to_owned(), number(price));
    if !row.discount.is_zero() {
        fields.insert("discount_amount".to_owned(), number(row.discount));
    }
    if let Some(rate) = rate {
        fields.insert("tax_rate_id".to_owned(), Value::String(rate.id.clone()));
        fields.insert("tax_amount".to_owned(), number(row.tax));
    }
    Value::Object(fields)
}
