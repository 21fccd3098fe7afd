//! An exchange rate, and how Sage writes it.

use domain::money::{Currency, round2};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::json_number::plain_number;

/// What a currency is worth, in base units for one unit of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExchangeRate {
    /// The currency, which is not the base.
    pub currency: Currency,
    /// Its rate.
    pub rate: Decimal,
}

impl ExchangeRate {
    /// What an amount comes to in the base currency; `None` beyond what a number holds.
    pub fn in_base(self, amount: Decimal) -> Option<Decimal> {
        amount.checked_mul(self.rate).map(round2)
    }

    /// Puts currency and rate into the fields of a document or a payment.
    pub fn put_into(self, fields: &mut Map<String, Value>) {
        fields.insert("currency_id".to_owned(), Value::String(self.currency.to_string()));
        let rate = plain_number(self.rate.normalize().to_string());
        fields.insert("exchange_rate".to_owned(), rate);
    }
}
