//! Cutting a body to what is kept, so that it stays JSON and says what is missing.

use serde_json::Value;

/// The most that is kept of a request or an answer, in bytes.
pub const LARGEST: usize = 8 * 1024;

/// How many entries of a list are tried to be kept, one after the other.
const ENTRIES: &[usize] = &[40, 20, 10, 5, 3, 2, 1];

/// The longest text within a body that has to be cut, in characters.
pub(super) const LONGEST_TEXT: usize = 200;

/// The value, no longer than `largest` bytes as text: long lists lose their ends, then long texts, and in their place it says how much
/// is missing.
#[must_use]
pub fn shortened(value: Value, largest: usize) -> Value {
    if size(&value) <= largest { value } else { cut_as(&value, &value, largest) }
}

/// How long the value is as text, in bytes.
pub(super) fn size(value: &Value) -> usize {
    value.to_string().len()
}

/// How many entries of a list may be kept at most; `None` where not even one of each fits. A value takes two bytes at least.
pub(super) fn entries_that_may_fit(value: &Value, largest: usize) -> Option<usize> {
    ENTRIES.iter().copied().find(|entries| values(value, *entries) <= largest / 2)
}

fn values(value: &Value, entries: usize) -> usize {
    match value {
        Value::Object(members) => members.values().map(|member| values(member, entries)).sum(),
        Value::Array(items) => items.iter().take(entries).map(|item| values(item, entries)).sum(),
        _ => 1,
    }
}

/// The same as [`shortened`] of a value that stands for an `original` with longer lists and texts.
pub(super) fn cut_as(value: &Value, original: &Value, largest: usize) -> Value {
    let cuts = ENTRIES.iter().map(|entries| cut(value, original, *entries));
    cuts.into_iter().find(|cut| size(cut) <= largest).unwrap_or_else(|| too_many(size(original)))
}

/// What stands for a value that cannot be cut.
pub(super) fn too_many(bytes: usize) -> Value {
    Value::from(format!("{bytes} bytes, too many to keep"))
}

fn cut(value: &Value, original: &Value, entries: usize) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, member)| {
                (name.clone(), cut(member, original.get(name).unwrap_or(member), entries))
            });
            Value::Object(members.collect())
        }
        Value::Array(items) => {
            let originals = original.as_array().unwrap_or(items);
            let left_out = originals.len().saturating_sub(entries.min(items.len()));
            let kept = items.iter().zip(originals).take(entries);
            let mut kept: Vec<Value> = kept.map(|(item, original)| cut(item, original, entries)).collect();
            if left_out > 0 {
                kept.push(Value::from(format!("and {left_out} more")));
            }
            Value::Array(kept)
        }
        Value::String(text) if text.chars().nth(LONGEST_TEXT).is_some() => {
            let length = original.as_str().unwrap_or(text).chars().count();
            let more = length.saturating_sub(LONGEST_TEXT);
            let start: String = text.chars().take(LONGEST_TEXT).collect();
            Value::from(format!("{start} and {more} more characters"))
        }
        other => other.clone(),
    }
}
