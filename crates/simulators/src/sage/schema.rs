//! Every request body against the fields that the swagger has (`fields.json`, made by `fields.mjs`).

use std::{collections::BTreeMap, sync::LazyLock};

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::{
    errors::{Item, Refusal},
    money,
};

/// The fields of every request, by wrapper key.
static TABLE: LazyLock<BTreeMap<String, Fields>> = LazyLock::new(|| {
    let table: Map<String, Value> = serde_json::from_str(include_str!("fields.json")).unwrap_or_default();
    table.into_iter().map(|(wrapper, fields)| (wrapper, Fields::parse(&fields))).collect()
});

#[derive(Default)]
struct Fields(BTreeMap<String, Field>);

struct Field {
    required: bool,
    kind: Kind,
}

enum Kind {
    Text { longest: Option<usize>, one_of: Vec<String> },
    Date,
    Number,
    Integer { range: Option<(i64, i64)> },
    Boolean,
    Object(Fields),
    List(Box<Kind>),
}

/// Whether required fields must be there: on create, not on update.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Create,
    Update,
}

/// Takes the wrapped record out of a body, or says what is wrong with it. Fields sent as null count as not sent
/// on create; on update they are kept, and clear the field.
pub(super) fn unwrap(body: &[u8], wrapper: &str, purpose: Purpose) -> Result<Map<String, Value>, Refusal> {
    let body: Value =
        serde_json::from_slice(body).map_err(|_| Refusal::unexpected(400, "The body is not JSON."))?;
    let Value::Object(mut body) = body else { return Err(Refusal::required(wrapper)) };
    let record = body.remove(wrapper);
    if let Some(stray) = body.keys().next() {
        return Err(Refusal::invalid(stray, format!("'{stray}' is not a known field")));
    }
    let Some(Value::Object(mut record)) = record else { return Err(Refusal::required(wrapper)) };
    let mut errors = Vec::new();
    if let Some(fields) = TABLE.get(wrapper) {
        fields.check("", &record, purpose, &mut errors);
    }
    if !errors.is_empty() {
        return Err(Refusal::all(errors));
    }
    if purpose == Purpose::Create {
        record.retain(|_, value| !value.is_null());
    }
    Ok(record)
}

impl Fields {
    fn parse(table: &Value) -> Self {
        let Value::Object(table) = table else { return Self::default() };
        let fields = table.iter().map(|(name, kind)| {
            let bare = name.trim_end_matches('!');
            (bare.to_owned(), Field { required: bare != name, kind: Kind::parse(kind) })
        });
        Self(fields.collect())
    }

    fn check(&self, path: &str, record: &Map<String, Value>, purpose: Purpose, errors: &mut Vec<Item>) {
        let full = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for (name, value) in record {
            if name == "idempotency_id" && path.is_empty() {
                // Not in the swagger, but taken inside the wrapper: 32 hex characters.
                if !is_hex_id(value) {
                    errors.push(Item::invalid(name, "is not 32 hexadecimal characters"));
                }
                continue;
            }
            match self.0.get(name) {
                Some(_) if value.is_null() => {}
                Some(field) => field.kind.check(&full(name), value, purpose, errors),
                None => errors.push(Item::invalid(&full(name), format!("'{name}' is not a known field"))),
            }
        }
        if purpose == Purpose::Create {
            let missing = |(name, field): &(&String, &Field)| field.required && is_blank(record.get(*name));
            for (name, _) in self.0.iter().filter(missing) {
                errors.push(Item::invalid(&full(name), "This field is required."));
            }
        }
    }
}

impl Kind {
    fn parse(kind: &Value) -> Self {
        match kind {
            Value::Object(_) => Self::Object(Fields::parse(kind)),
            Value::Array(items) => Self::List(Box::new(items.first().map_or(Self::Boolean, Self::parse))),
            _ => Self::leaf(kind.as_str().unwrap_or_default()),
        }
    }

    fn leaf(text: &str) -> Self {
        if let Some(longest) = text.strip_prefix("string<=") {
            return Self::Text { longest: longest.parse().ok(), one_of: Vec::new() };
        }
        if let Some(choice) = text.strip_prefix("string:") {
            return Self::Text { longest: None, one_of: choice.split('|').map(str::to_owned).collect() };
        }
        if let Some((least, most)) = text.strip_prefix("integer:").and_then(|range| range.split_once("..")) {
            return Self::Integer { range: least.parse().ok().zip(most.parse().ok()) };
        }
        match text {
            "date" => Self::Date,
            "number" => Self::Number,
            "integer" => Self::Integer { range: None },
            "boolean" => Self::Boolean,
            _ => Self::Text { longest: None, one_of: Vec::new() },
        }
    }

    fn check(&self, path: &str, value: &Value, purpose: Purpose, errors: &mut Vec<Item>) {
        let complaint = match (self, value) {
            (Self::Object(fields), Value::Object(record)) => {
                return fields.check(path, record, purpose, errors);
            }
            (Self::List(kind), Value::Array(items)) => {
                // Lines of a PUT replace the old ones, so they must be whole as on create.
                for item in items {
                    kind.check(path, item, Purpose::Create, errors);
                }
                return;
            }
            (Self::Text { longest, one_of }, Value::String(text)) => check_text(text, *longest, one_of),
            (Self::Date, Value::String(text)) if is_date(text) => None,
            (Self::Number, _) if money::read(value).is_some() => None,
            (Self::Integer { range }, Value::Number(number)) => check_integer(number.as_i64(), *range),
            (Self::Boolean, Value::Bool(_)) => None,
            _ => Some(format!("is not {}", self.name())),
        };
        errors.extend(complaint.map(|message| Item::invalid(path, message)));
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "a string",
            Self::Date => "a date (YYYY-MM-DD)",
            Self::Number => "a number",
            Self::Integer { .. } => "an integer",
            Self::Boolean => "a boolean",
            Self::Object(_) => "an object",
            Self::List(_) => "an array",
        }
    }
}

fn check_text(text: &str, longest: Option<usize>, one_of: &[String]) -> Option<String> {
    if let Some(longest) = longest.filter(|longest| text.chars().count() > *longest) {
        return Some(format!("is too long (maximum is {longest} characters)"));
    }
    let unknown = !one_of.is_empty() && !one_of.iter().any(|choice| choice == text);
    unknown.then(|| format!("is not one of {}", one_of.join(", ")))
}

fn check_integer(number: Option<i64>, range: Option<(i64, i64)>) -> Option<String> {
    let Some(number) = number else { return Some("is not an integer".to_owned()) };
    let (least, most) = range.filter(|(least, most)| !(*least..=*most).contains(&number))?;
    Some(format!("must be between {least} and {most}"))
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn is_hex_id(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_was_read() {
        assert_eq!(TABLE.len(), 9);
        assert!(TABLE["sales_invoice"].0["invoice_lines"].required);
    }
}
