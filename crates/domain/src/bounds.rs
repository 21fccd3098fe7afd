//! What comes from outside is bounded here before anything is computed with it: digits and exponents, instants, entries, text, depth
//! and bytes. The limits stand far above what an honest shop sends; their one purpose is that no document costs more than its size.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

/// What stands for a field's name where it is all of a document.
pub const WHOLE: &str = "the document";

/// The largest document that is read, in bytes: [`MOST_ENTRIES`] lines of 400 bytes.
pub const LARGEST_DOCUMENT: usize = 2 * 1024 * 1024;

/// The longest number, in characters. PHP writes a float with at most 24.
pub const LONGEST_NUMBER: usize = 64;

/// The largest exponent either way. PHP's smallest float has 324.
pub const LARGEST_EXPONENT: u32 = 400;

/// The power of ten that no amount of a document reaches: products of two such amounts are still exact decimals.
pub const AMOUNT_DIGITS: u32 = 14;

/// The longest text, in bytes: the most that a text column of Magento's holds.
pub const LONGEST_TEXT: usize = 64 * 1024;

/// The most lines, addresses, or entries of any other list or object.
pub const MOST_ENTRIES: usize = 5_000;

/// How many lists and objects may stand within one another.
pub const DEEPEST: usize = 24;

/// The largest id of an entity: Magento's are unsigned integers of 32 bits.
pub const LARGEST_ID: i64 = 4_294_967_295;

/// The longest number or name that a list shows, in characters.
pub const LONGEST_NAME: usize = 255;

/// The first second that anything from a shop may be dated: Magento is younger.
pub const EARLIEST: DateTime<Utc> = match DateTime::from_timestamp(946_684_800, 0) {
    Some(at) => at,
    None => DateTime::UNIX_EPOCH,
};

/// How far a shop's clock may be ahead of ours.
pub const AHEAD: TimeDelta = TimeDelta::days(1);

/// How much of a value is shown in a message, in characters.
const SHOWN: usize = 40;

/// A value beyond a bound: where it is, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct OutOfBounds {
    /// Its path, such as `lines[2].unit_price`.
    pub field: String,
    /// A sentence without its full stop.
    pub problem: String,
}

/// Whether an instant may be a shop's, by this clock.
pub fn is_sensible(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    at >= EARLIEST && at <= now + AHEAD
}

/// Whether a number has so few digits and so small an exponent that reading it costs nothing.
pub fn is_short_number(text: &str) -> bool {
    let exponent = text.split_once(['e', 'E']).map_or("0", |(_, exponent)| exponent);
    text.len() <= LONGEST_NUMBER
        && exponent.parse::<i64>().is_ok_and(|exponent| exponent.unsigned_abs() <= LARGEST_EXPONENT.into())
}

/// A number or a name as lists show it: its beginning, without control characters.
pub fn brief(text: &str) -> String {
    text.chars().filter(|one| !one.is_control()).take(LONGEST_NAME).collect()
}

/// A value as a message shows it: its beginning, without control characters.
pub fn shown(text: &str) -> String {
    let mut start: String = text.chars().filter(|one| !one.is_control()).take(SHOWN).collect();
    if start.len() < text.len() {
        start.push('\u{2026}');
    }
    start
}

/// Refuses a document that holds a number, a text, a list or a depth beyond what is accepted.
pub fn check(document: &Value) -> Result<(), OutOfBounds> {
    within(document, 0).map_err(|(mut steps, problem)| {
        steps.reverse();
        let field = steps.concat();
        let field = field.strip_prefix('.').unwrap_or(&field);
        OutOfBounds { field: if field.is_empty() { WHOLE } else { field }.to_owned(), problem }
    })
}

/// The steps to the value, the last first, and what is wrong with it.
type Found = (Vec<String>, String);

fn within(value: &Value, depth: usize) -> Result<(), Found> {
    let too_much = |problem: String| Err((Vec::new(), problem));
    let below = |inner: &Value, step: &dyn Fn() -> String| {
        within(inner, depth + 1).map_err(|(mut steps, problem)| {
            steps.push(step());
            (steps, problem)
        })
    };
    match value {
        Value::Array(_) | Value::Object(_) if depth >= DEEPEST => {
            too_much(format!("more than {DEEPEST} lists and objects stand within one another"))
        }
        Value::Array(items) if items.len() > MOST_ENTRIES => too_much(too_many(items.len())),
        Value::Object(members) if members.len() > MOST_ENTRIES => too_much(too_many(members.len())),
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(index, item)| below(item, &|| format!("[{index}]")))
        }
        Value::Object(members) => {
            members.iter().try_for_each(|(name, member)| below(member, &|| format!(".{}", shown(name))))
        }
        Value::String(text) if text.len() > LONGEST_TEXT => too_much(format!(
            "the text is {} bytes long, and at most {LONGEST_TEXT} are accepted",
            text.len()
        )),
        Value::Number(number) if !is_short_number(number.as_str()) => too_much(format!(
            "{} is not a number that is accepted: at most {LONGEST_NUMBER} digits and an exponent of at most {LARGEST_EXPONENT}",
            shown(number.as_str())
        )),
        _ => Ok(()),
    }
}

fn too_many(entries: usize) -> String {
    format!("it has {entries} entries, and at most {MOST_ENTRIES} are accepted")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_judged_by_their_text_alone() {
        for text in ["0", "-0.4175", "3.5527136788005e-15", "1e+2", "5e-324", "1.7976931348623157e308"] {
            assert!(is_short_number(text), "{text}");
        }
        let long = "9".repeat(400);
        for text in ["0E2147483647", "1e-2147483648", "1e99999999999999999999", "1e", &long] {
            assert!(!is_short_number(text), "{text}");
        }
    }

    #[test]
    fn what_is_beyond_a_bound_is_named_with_its_field() {
        let number: Value = serde_json::from_str(r#"{"lines":[{"qty":1},{"qty":0E2147483647}]}"#).unwrap();
        let error = check(&number).unwrap_err();
        assert_eq!(error.field, "lines[1].qty");
        assert!(error.problem.starts_with("0e+2147483647 is not"), "{error}");
        let deep = (0..DEEPEST).fold(json!(1), |inner, _| json!({ "a": inner }));
        assert_eq!(check(&deep), Ok(()));
        assert!(check(&json!([deep])).unwrap_err().problem.contains("within one another"));
        let error = check(&json!({ "customer": { "addresses": vec![0; MOST_ENTRIES + 1] } })).unwrap_err();
        assert_eq!(
            error.to_string(),
            "customer.addresses: it has 5001 entries, and at most 5000 are accepted"
        );
        let error = check(&json!({ "reason": "x".repeat(LONGEST_TEXT + 1) })).unwrap_err();
        assert_eq!(error.field, "reason");
    }

    #[test]
    fn a_shop_lives_between_the_year_2000_and_tomorrow() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let now = at("2026-11-29T12:00:00Z");
        for (text, expected) in [
            ("1999-12-31T23:59:59Z", false),
            ("2000-01-01T00:00:00Z", true),
            ("2026-11-30T12:00:00Z", true),
            ("2026-11-30T12:00:01Z", false),
            ("9999-12-31T23:59:59-23:59", false),
            ("+262142-01-01T00:00:00Z", false),
            ("-262143-01-01T00:00:00Z", false),
        ] {
            assert_eq!(is_sensible(at(text), now), expected, "{text}");
        }
    }
}
