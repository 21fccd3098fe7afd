//! Cutting a body to what is kept, so that it stays JSON and says what is missing.

use serde_json::Value;

/// The most that is kept of a request or an answer, in bytes.
pub const LARGEST: usize = 8 * 1024;

/// How many entries of a list are tried to be kept, one after the other.
const ENTRIES: &[usize] = &[40, 20, 10, 5, 3, 2, 1];

/// The longest text within a body that has to be cut, in characters.
const LONGEST_TEXT: usize = 200;

/// The value, no longer than `largest` bytes as text: long lists lose their ends, then long texts, and in their place it says how much
/// is missing.
#[must_use]
pub fn shortened(value: Value, largest: usize) -> Value {
    let size = |value: &Value| value.to_string().len();
    let whole = size(&value);
    if whole <= largest {
        return value;
    }
    for entries in ENTRIES {
        let cut = cut(&value, *entries);
        if size(&cut) <= largest {
            return cut;
        }
    }
    Value::from(format!("{whole} bytes, too many to keep"))
}

fn cut(value: &Value, entries: usize) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, member)| (name.clone(), cut(member, entries))).collect())
        }
        Value::Array(items) => {
            let left_out = items.len().saturating_sub(entries);
            let mut kept: Vec<Value> = items.iter().take(entries).map(|item| cut(item, entries)).collect();
            if left_out > 0 {
                kept.push(Value::from(format!("and {left_out} more")));
            }
            Value::Array(kept)
        }
        Value::String(text) => {
            let more = text.chars().count().saturating_sub(LONGEST_TEXT);
            if more == 0 {
                return value.clone();
            }
            let start: String = text.chars().take(LONGEST_TEXT).collect();
            Value::from(format!("{start} and {more} more characters"))
        }
        other => other.clone(),
    }
}
