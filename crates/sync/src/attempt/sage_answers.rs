//! What Sage's answers say of a record: its id, number and sums.

use domain::{Decimal, money};
use serde_json::Value;
use store::Answer;

/// Id, number and sums of a record of Sage's; none without an id, or with an empty one.
pub fn answer_of(record: &Value) -> Option<Answer> {
    Some(Answer {
        sage_id: record["id"].as_str().filter(|id| !id.is_empty())?.to_owned(),
        displayed_as: record["displayed_as"].as_str().map(str::to_owned),
        total_minor: minor(&record["total_amount"]),
        tax_minor: minor(&record["tax_amount"]),
    })
}

/// A record in a line: never names, never addresses.
pub fn summary_of(record: &Value) -> String {
    let Some(answer) = answer_of(record) else { return String::new() };
    let total = answer.total_minor.map(|minor| format!(", total {}", money::text(money::from_minor(minor))));
    let status = record["status"]["id"].as_str().map(|status| format!(", {status}"));
    format!("{}{}{}", answer.sage_id, total.unwrap_or_default(), status.unwrap_or_default())
}

fn minor(value: &Value) -> Option<i64> {
    amount_of(value).and_then(money::to_minor)
}

/// Money is a string on the wire, and a number in the published description.
pub fn amount_of(value: &Value) -> Option<Decimal> {
    match value {
        Value::String(text) => money::parse(text).ok(),
        Value::Number(number) => money::parse(number.as_str()).ok(),
        _ => None,
    }
}
