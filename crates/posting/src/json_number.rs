//! Decimals as JSON numbers: the digits as they are, no binary float in between.

use domain::money;
use rust_decimal::Decimal;
use serde_json::{Number, Value};

/// A JSON number with two decimals, as Sage's schema has money: the digits as they are, no binary float in between.
pub(crate) fn number(amount: Decimal) -> Value {
    plain_number(money::text(amount))
}

/// A JSON number of decimal text.
pub(crate) fn plain_number(text: String) -> Value {
    text.parse::<Number>().map_or(Value::String(text), Value::Number)
}
