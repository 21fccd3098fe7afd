//! What Sage says is wrong. Its bodies are arrays of errors with Sage's inner names (its guide on response codes); objects, the
//! token host's form and empty bodies are taken as well.

use std::fmt;

use serde_json::Value;

/// The longest message that is kept, in characters.
const LONGEST: usize = 500;

/// The lists of lines by the path that takes them (swagger's create bodies).
const LINES: &[(&str, &str)] = &[
    ("/sales_invoices", "invoice_lines"),
    ("/sales_credit_notes", "credit_note_lines"),
    ("/sales_quotes", "quote_lines"),
    ("/sales_estimates", "estimate_lines"),
    ("/other_payments", "payment_lines"),
    ("/journals", "journal_lines"),
];

/// One thing that Sage says is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Sage's code, such as `RecordInvalid`; empty where it gave none.
    pub data_code: String,
    /// Sage's words, in English only.
    pub text: String,
    /// The field under the name that our request gave it; `None` for the record as a whole.
    pub field: Option<String>,
    /// Sage's inner name of the field.
    pub source: Option<String>,
}

impl Message {
    /// Whether Sage's API or its token host must have written it: both name the kind of an error, and hardly anybody else does so.
    pub(crate) fn is_sages(&self) -> bool {
        !self.data_code.is_empty()
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{field}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// The messages of an error's body; `path` is the request's, which names the lines.
pub(crate) fn messages(body: &Value, path: &str) -> Vec<Message> {
    match body {
        Value::Array(list) => list.iter().filter_map(|entry| message(entry, path)).collect(),
        other => message(other, path).into_iter().collect(),
    }
}

fn message(entry: &Value, path: &str) -> Option<Message> {
    let text = |names: &[&str]| names.iter().find_map(|name| entry.get(name)?.as_str());
    let source = text(&["$source"]).filter(|source| !source.is_empty());
    let words = match entry {
        Value::String(words) => words,
        _ => text(&["$message", "message", "error_description", "error"])?,
    };
    Some(Message {
        data_code: text(&["$dataCode", "error"]).unwrap_or_default().to_owned(),
        text: words.chars().filter(|c| !c.is_control()).take(LONGEST).collect(),
        field: source.and_then(|source| outer_name(source, path)),
        source: source.map(str::to_owned),
    })
}

/// The field's name in our request: `line_items.currency_tax_amount` is `invoice_lines.tax_amount` of an invoice. `base` is the
/// record as a whole. A name that is not known stays as it is.
fn outer_name(source: &str, path: &str) -> Option<String> {
    if source == "base" {
        return None;
    }
    let lines = LINES.iter().find(|(list, _)| path.starts_with(list)).map_or("lines", |(_, lines)| lines);
    let segments: Vec<&str> = source
        .split('.')
        .map(|segment| match segment {
            "line_items" => lines,
            // Sage keeps each sum twice, in the document's and in the base currency; only the former goes in.
            _ => match segment.strip_prefix("currency_") {
                Some(rest) if rest.ends_with("_amount") || rest.ends_with("_price") => rest,
                _ => segment,
            },
        })
        .collect();
    Some(segments.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str, path: &str) -> Vec<Message> {
        messages(&serde_json::from_str(body).unwrap(), path)
    }

    #[test]
    fn inner_names_become_ours() {
        for (source, path, expected) in [
            ("line_items.currency_tax_amount", "/sales_invoices", Some("invoice_lines.tax_amount")),
            ("line_items.tax_rate_id", "/sales_credit_notes", Some("credit_note_lines.tax_rate_id")),
            ("line_items.description", "/sales_invoices/abc/release", Some("invoice_lines.description")),
            ("currency_id", "/contacts", Some("currency_id")),
            ("reference", "/contacts", Some("reference")),
            ("base", "/sales_invoices", None),
        ] {
            assert_eq!(outer_name(source, path).as_deref(), expected, "{source}");
        }
    }

    #[test]
    fn every_known_form_is_read() {
        let array = r#"[{"$severity":"error","$dataCode":"RecordInvalid","$message":"This field is required.","$source":"line_items.currency_tax_amount"},
            {"$severity":"error","$dataCode":"RecordInvalid","$message":"is wrong","$source":"base"}]"#;
        let found = of(array, "/sales_invoices");
        assert_eq!(found[0].to_string(), "invoice_lines.tax_amount: This field is required.");
        assert_eq!(found[0].source.as_deref(), Some("line_items.currency_tax_amount"));
        assert_eq!(found[1].to_string(), "is wrong");
        let object =
            r#"{"$dataCode":"UnexpectedError","$message":"An unexpected error occurred.","$source":""}"#;
        assert_eq!(of(object, "/contacts")[0].data_code, "UnexpectedError");
        let oauth = r#"{"error":"invalid_grant","error_description":"The refresh token is invalid"}"#;
        let oauth = &of(oauth, "/token")[0];
        assert_eq!(
            (oauth.data_code.as_str(), oauth.text.as_str()),
            ("invalid_grant", "The refresh token is invalid")
        );
        for nothing in ["null", "[]", "{}", "5", "[[]]"] {
            assert!(of(nothing, "/contacts").is_empty(), "{nothing}");
        }
        assert_eq!(of(r#"["plain words"]"#, "/contacts")[0].text, "plain words");
    }
}
