//! A document's JSON: read, or why it cannot be.

use std::fmt;

use domain::bounds::brief;
use messages::message;
use serde::{
    Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::{Map, Value, error::Category};

/// Why a body is no document.
pub(crate) enum Problem {
    /// It is cut off, or a server has written something of its own after it: that tells nothing of the document.
    Spoilt,
    /// The document's own text cannot be read, today or tomorrow: what is wrong, for a person.
    Unreadable(String),
}

/// Whether a body is meant as a document, which is an object. A log's line may begin with a bracket.
pub(crate) fn is_document(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{")
}

/// Reads a document.
pub(crate) fn read(body: &[u8]) -> Result<Value, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let mut field = None;
    match json.deserialize_map(Document(&mut field)) {
        Ok(document) => json.end().map(|()| document).map_err(|_| Problem::Spoilt),
        Err(error) if error.classify() == Category::Eof => Err(Problem::Spoilt),
        Err(error) => Err(Problem::Unreadable(told(field, &error))),
    }
}

/// A document, field by field. Which of two fields of one name is meant nobody knows, so it has neither.
struct Document<'a>(
    /// The field that is being read.
    &'a mut Option<String>,
);

impl<'de> Visitor<'de> for Document<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut document = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            *self.0 = Some(name.clone());
            if document.insert(name, fields.next_value()?).is_some() {
                return Err(A::Error::custom(TWICE));
            }
            *self.0 = None;
        }
        Ok(Value::Object(document))
    }
}

/// Told of a field that comes a second time.
const TWICE: &str = "twice";

/// What is wrong and where.
fn told(field: Option<String>, error: &serde_json::Error) -> String {
    let (line, column) = (error.line().to_string(), error.column().to_string());
    let problem = problem(&error.to_string());
    match field {
        Some(field) => {
            message!(
                unreadable.in_field,
                field = brief(&field),
                problem = problem,
                line = line,
                column = column
            )
        }
        None => message!(unreadable.in_document, problem = problem, line = line, column = column),
    }
}

/// The parser's words in ours. It tells its reasons apart by their text alone.
fn problem(reason: &str) -> &'static str {
    let is = |word| reason.contains(word);
    if is("invalid unicode code point") {
        message!(unreadable.not_utf8)
    } else if is("control character") {
        message!(unreadable.control_character)
    } else if is("surrogate") || is("unexpected end of hex escape") {
        message!(unreadable.half_a_character)
    } else if is("recursion limit") {
        message!(unreadable.too_deep)
    } else if reason.starts_with(TWICE) {
        message!(unreadable.twice)
    } else {
        message!(unreadable.no_json)
    }
}
