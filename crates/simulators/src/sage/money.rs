//! Sage's money: two decimals kept, half a penny away from zero, strings in replies.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value};

/// The largest amount taken; keeps every product and sum below inside what a decimal holds.
const LARGEST: i64 = 1_000_000_000;

/// Rounds to the two decimals that Sage keeps.
pub(super) fn round(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// `percent` of `amount`, rounded to the penny.
pub(super) fn percent_of(amount: Decimal, percent: Decimal) -> Decimal {
    round(amount * percent / Decimal::ONE_HUNDRED)
}

/// A number as Sage writes it: `"367.09"`, `"0.0"`, `"-430035.84"`.
pub(super) fn text(number: Decimal) -> String {
    let mut text = number.normalize().to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    text
}

/// The same as a JSON string.
pub(super) fn wire(number: Decimal) -> Value {
    Value::String(text(number))
}

/// Reads a number that came as a JSON number or as a string; `None` for anything else or beyond all measure.
pub(super) fn read(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let plain =
        text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    if !plain {
        return None;
    }
    let number = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(&text)).ok()?;
    (number.abs() <= Decimal::from(LARGEST)).then_some(number)
}

/// The number under `key`, when there is one.
pub(super) fn field(map: &Map<String, Value>, key: &str) -> Option<Decimal> {
    map.get(key).and_then(read)
}

/// The amount under `key`, rounded to the penny; zero when there is none.
pub(super) fn amount(map: &Map<String, Value>, key: &str) -> Decimal {
    field(map, key).map(round).unwrap_or_default()
}
