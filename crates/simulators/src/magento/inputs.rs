//! How Magento's web API reads a request's body: content type, JSON, names in camelCase or snake_case.

use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use super::answers::Answer;

/// The body's fields, under the names that came.
pub(crate) struct Inputs(Map<String, Value>);

impl Inputs {
    /// Reads the body as the samples of the pairing call show: a missing content type, a broken body and an
    /// empty one are three different answers.
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Answer> {
        check_content_type(headers)?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(Map::new()));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            // A list has no names, so every field is missing.
            Ok(_) => Ok(Self(Map::new())),
            Err(_) => Err(Answer::error(StatusCode::BAD_REQUEST, "Decoding error.")),
        }
    }

    /// The parameters that are not there, `null` counting as not there.
    pub fn missing<'names>(&self, required: &[&'names str]) -> Vec<&'names str> {
        required.iter().copied().filter(|name| self.value(name).is_none()).collect()
    }

    /// A text parameter: PHP takes a number or a flag for one too.
    pub fn text(&self, name: &str) -> Result<Option<String>, Answer> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(Value::Bool(flag)) => Ok(Some(if *flag { "1" } else { "" }.to_owned())),
            Some(_) => Err(Answer::wrong_type("array", "string")),
        }
    }

    /// A whole number: PHP takes the digits in a text too (sample 10 of the sync state).
    pub fn integer(&self, name: &str) -> Result<Option<i64>, Answer> {
        let text = match self.value(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(text)) => text.clone(),
            Some(_) => return Err(Answer::wrong_type("array", "int")),
        };
        text.parse().map(Some).map_err(|_| Answer::wrong_type(&text, "int"))
    }

    fn value(&self, camel: &str) -> Option<&Value> {
        let named = self.0.get(camel).filter(|value| !value.is_null());
        named.or_else(|| self.0.get(&snake_case(camel)).filter(|value| !value.is_null()))
    }
}

/// Magento's `Webapi\Rest\Request::getContentType`: empty, odd and not UTF-8 are told apart.
fn check_content_type(headers: &HeaderMap) -> Result<(), Answer> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    if value.is_empty() {
        return Err(Answer::error(StatusCode::BAD_REQUEST, "Content-Type header is empty."));
    }
    let (media, charset) = match value.split_once(';') {
        Some((media, parameter)) => (media, parameter.trim_start().strip_prefix("charset=")),
        None => (value, None),
    };
    if charset.is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) {
        return Err(Answer::error(StatusCode::BAD_REQUEST, "UTF-8 is the only supported charset."));
    }
    if media.trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Answer::template("Server cannot understand Content-Type HTTP header media type %1", &[media]))
}

/// `byte8ApiKey` -> `byte8_api_key`.
fn snake_case(camel: &str) -> String {
    let mut snake = String::with_capacity(camel.len() + 4);
    for character in camel.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}
