//! Reading a document as it came: within bounds, and a field that cannot be read is named.

use chrono::{DateTime, Utc};
use messages::message;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned, de::Error as _};
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use super::{CreditMemo, Customer, Invoice, Payment, Product};
use crate::{
    bounds::{self, AHEAD, EARLIEST, LONGEST_NAME, OutOfBounds, WHOLE, shown},
    redact,
    text::clean,
};

/// The longest sentence of serde's that is passed on, in characters.
const LONGEST: usize = 160;

/// What a shop sends of one entity.
pub trait Document: Serialize + DeserializeOwned {
    /// When it was made, and the field that says so.
    fn dated(&self) -> Option<(&'static str, DateTime<Utc>)> {
        None
    }
}

impl Document for Invoice {
    fn dated(&self) -> Option<(&'static str, DateTime<Utc>)> {
        Some(("created_at", self.created_at))
    }
}

impl Document for CreditMemo {
    fn dated(&self) -> Option<(&'static str, DateTime<Utc>)> {
        Some(("created_at", self.created_at))
    }
}

impl Document for Payment {
    fn dated(&self) -> Option<(&'static str, DateTime<Utc>)> {
        Some(("captured_at", self.captured_at))
    }
}

impl Document for Customer {}
impl Document for Product {}

/// Reads a document that came in at `now`. The error names the field, and its value where that belongs to nobody.
pub fn read<T: Document>(document: &Value, now: DateTime<Utc>) -> Result<T, OutOfBounds> {
    bounds::check(document)?;
    let read: T = serde_path_to_error::deserialize(document).map_err(|error| unreadable(document, &error))?;
    match read.dated() {
        Some((field, at)) if at > now + AHEAD => {
            let problem = message!(values.in_future, date = at.format("%Y-%m-%d"));
            Err(OutOfBounds { field: field.to_owned(), problem })
        }
        _ => Ok(read),
    }
}

/// A list or an object that no field names is the document itself.
fn unreadable(document: &Value, error: &serde_path_to_error::Error<serde_json::Error>) -> OutOfBounds {
    let path = error.path().to_string();
    let field = if path == "." { WHOLE.to_owned() } else { path };
    let name = field.rsplit('.').next().unwrap_or_default().split('[').next().unwrap_or_default();
    let sentence = error.inner().to_string();
    let is_public = redact::is_public(name) || sentence.starts_with("missing field");
    let problem = if is_public {
        // Serde does not repeat a number that is kept as it was written.
        let number = at(document, error.path()).filter(|value| value.is_number());
        let number = number.map(|number| format!("number `{}`,", shown(&number.to_string())));
        let sentence = number.map_or(sentence.clone(), |number| sentence.replace("number,", &number));
        sentence.chars().filter(|one| !one.is_control()).take(LONGEST).collect()
    } else {
        // What belongs to somebody is not repeated.
        let expected = sentence.split_once(", expected ").map(|(_, expected)| expected);
        expected.map_or_else(
            || message!(values.unreadable).to_owned(),
            |expected| message!(values.must_be, expected = expected),
        )
    };
    OutOfBounds { field, problem }
}

/// What stands at a path.
fn at<'a>(document: &'a Value, path: &Path) -> Option<&'a Value> {
    path.iter().try_fold(document, |value, segment| match segment {
        Segment::Seq { index } => value.get(index),
        Segment::Map { key } => value.get(key),
        Segment::Enum { .. } | Segment::Unknown => None,
    })
}

/// The instant that a text tells: RFC 3339, no earlier than the year 2000 and no later than 9999.
pub(super) fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let at = DateTime::parse_from_rfc3339(&text)
        .map_err(|_| D::Error::custom(message!(values.not_a_time, text = shown(&text))))?;
    let at = at.to_utc();
    if at < EARLIEST || at.format("%Y").to_string().len() > 4 {
        return Err(D::Error::custom(message!(values.time_out_of_range, text = shown(&text))));
    }
    Ok(at)
}

/// The same of a time that may be missing or null.
pub(super) fn optional_instant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(None),
        Some(value) => instant(value).map(Some).map_err(D::Error::custom),
    }
}

/// No document is refused for an instant that only sorts news.
pub(super) fn instant_if_any<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(instant(Value::deserialize(deserializer)?).ok())
}

/// A document's number: text, or a whole number that a shop writes without quotes; what people do not read is left out.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        other => {
            return Err(D::Error::custom(message!(values.not_a_number, text = shown(&other.to_string()))));
        }
    };
    if text.chars().nth(LONGEST_NAME).is_some() {
        return Err(D::Error::custom(message!(values.number_too_long, text = shown(&text))));
    }
    Ok(clean(&text))
}

/// The same of a number that may be missing or null.
pub(super) fn optional_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(None),
        Some(value) => number(value).map(Some).map_err(D::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const INVOICE: &str =
        include_str!("../../../../fixtures/wire/entity/invoice-92-all-discounted-near-zero.body");

    fn now() -> DateTime<Utc> {
        "2027-01-01T00:00:00Z".parse().unwrap()
    }

    /// The sample with the value at a pointer replaced by this JSON, read.
    fn with(pointer: &str, json: &str) -> Result<Invoice, OutOfBounds> {
        let mut document: Value = serde_json::from_str(INVOICE).unwrap();
        *document.pointer_mut(pointer).unwrap() = serde_json::from_str(json).unwrap();
        read(&document, now())
    }

    #[test]
    fn a_field_that_cannot_be_read_is_named_with_its_value() {
        let long = format!("\"{}\"", "9".repeat(400));
        for (pointer, json, expected) in [
            ("/created_at", r#""2026-04-29 10:11:12""#, "created_at: “2026-04-29 10:11:12” is not a time"),
            ("/created_at", r#""0000-00-00 00:00:00""#, "created_at: “0000-00-00 00:00:00” is not a time"),
            ("/created_at", r#""0000-01-01T00:00:00Z""#, "created_at: “0000-01-01T00:00:00Z” is not between"),
            ("/created_at", r#""+262142-01-01T00:00:00Z""#, "created_at: “+262142-01-01T00:00:00Z” is not"),
            ("/created_at", r#""2099-01-01T00:00:00Z""#, "created_at: 2099-01-01 is in the future"),
            ("/created_at", "17", "created_at: invalid type: number `17`, expected a string"),
            ("/website_id", r#""1""#, "website_id: invalid type: string \"1\", expected i64"),
            ("/lines/0/unit_price", "0E2147483647", "lines[0].unit_price: 0e+2147483647 is not a number"),
            ("/lines/0/unit_price", "1e-2147483648", "lines[0].unit_price: 1e-2147483648 is not a number"),
            (
                "/lines/0/unit_price",
                r#""0E2147483647""#,
                "lines[0].unit_price: “0E2147483647” is not an amount",
            ),
            ("/lines/0/unit_price", r#""NaN""#, "lines[0].unit_price: “NaN” is not an amount"),
            ("/lines/0/unit_price", &long, "lines[0].unit_price: “99999"),
            ("/lines/0/line_tax", "1e20", "lines[0].line_tax: “1e+20” is not an amount"),
            ("/lines/0/qty", "null", "lines[0].qty: “null” is not an amount"),
            ("/lines/0", "{}", "lines[0]: missing field `qty`"),
            ("/increment_id", &long, "increment_id: “99999"),
            ("/increment_id", "[1]", "increment_id: [1] is not a document number"),
            ("/currency", r#""pounds""#, "currency: “pounds” is not a currency code"),
        ] {
            let error = with(pointer, json).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{pointer} = {json}: {error}");
            assert!(error.len() < 240, "{error}");
        }
    }

    #[test]
    fn what_belongs_to_somebody_is_not_repeated() {
        for (pointer, json) in [
            ("/customer", r#""Nora Quill""#),
            ("/customer/addresses", r#""Nora Quill""#),
            ("/billing_address", r#""Nora Quill""#),
            ("/customer/email", r#"["Nora Quill"]"#),
            ("/customer/magento_id", r#""Nora Quill""#),
        ] {
            let error = with(pointer, json).unwrap_err().to_string();
            if pointer != "/customer/magento_id" {
                assert!(!error.contains("Nora"), "{pointer}: {error}");
            }
            let field = pointer.trim_start_matches('/').replace('/', ".");
            assert!(error.starts_with(&field), "{pointer}: {error}");
        }
    }

    #[test]
    fn a_number_without_quotes_is_read_and_one_with_control_characters_is_cleaned() {
        assert_eq!(with("/increment_id", "42").unwrap().increment_id, "42");
        assert_eq!(with("/increment_id", r#""1\r\n\u00002""#).unwrap().increment_id, "1 2");
        assert_eq!(with("/order_increment_id", "null").unwrap().order_increment_id, None);
    }

    #[test]
    fn a_document_of_the_allowed_size_is_read_at_once() {
        let mut document: Value = serde_json::from_str(INVOICE).unwrap();
        let line = document["lines"][0].clone();
        document["lines"] = json!(vec![line; bounds::MOST_ENTRIES]);
        assert_eq!(read::<Invoice>(&document, now()).unwrap().lines.len(), bounds::MOST_ENTRIES);
    }
}
