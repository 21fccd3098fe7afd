//! Magento's errors are templates: `%1` with a list, `%fieldName` with names, several under `errors` (seen on a running 2.4.7).

use serde_json::Value;

/// The longest message that is kept, in characters.
const LONGEST: usize = 500;

/// The sentence of an error's body, or `None` where there is no `message`: then it is not Magento that answered.
///
/// Nested errors replace the general sentence above them. Control characters fall away, and a long text is cut.
pub(crate) fn sentence(body: &Value) -> Option<String> {
    let own = filled(body)?;
    let nested: Vec<String> =
        body.get("errors").and_then(Value::as_array).into_iter().flatten().filter_map(filled).collect();
    let text = if nested.is_empty() { own } else { nested.join(" ") };
    Some(text.chars().filter(|c| !c.is_control()).take(LONGEST).collect())
}

/// One message with its parameters put in.
fn filled(error: &Value) -> Option<String> {
    let template = error.get("message")?.as_str()?;
    let mut parameters: Vec<(String, String)> = match error.get("parameters") {
        Some(Value::Array(list)) => {
            (1..).zip(list).map(|(number, value)| (number.to_string(), text(value))).collect()
        }
        Some(Value::Object(map)) => map.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        _ => Vec::new(),
    };
    // Magento's renderer is PHP's strtr: the longest name wins, and what was put in is not looked at again.
    parameters.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('%') {
        filled.push_str(before);
        let parameter =
            parameters.iter().find(|(name, _)| !name.is_empty() && after.starts_with(name.as_str()));
        let (put_in, length) = parameter.map_or(("%", 0), |(name, value)| (value.as_str(), name.len()));
        filled.push_str(put_in);
        rest = &after[length..];
    }
    filled.push_str(rest);
    Some(filled)
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Option<String> {
        sentence(&serde_json::from_str(body).unwrap())
    }

    #[test]
    fn templates_are_filled() {
        for (body, expected) in [
            (r#"{"message":"Decoding error."}"#, "Decoding error."),
            (
                r#"{"message":"\"%fieldName\" is required. Enter and try again.","parameters":{"fieldName":"syncStatus"}}"#,
                "\"syncStatus\" is required. Enter and try again.",
            ),
            (
                r#"{"message":"No such entity with %fieldName = %fieldValue","parameters":{"fieldName":"customerId","fieldValue":0}}"#,
                "No such entity with customerId = 0",
            ),
            (
                r#"{"message":"Unknown entity_type %1; expected one of: %2","parameters":["payment","invoice, product"]}"#,
                "Unknown entity_type payment; expected one of: invoice, product",
            ),
            (r#"{"message":"%1 %10 %2","parameters":["%2",2,3,4,5,6,7,8,9,"ten"]}"#, "%2 ten 2"),
            (r#"{"message":"100 % of %a","parameters":{"":"x"}}"#, "100 % of %a"),
            (r#"{"message":"ends with %","parameters":null}"#, "ends with %"),
            (r#"{"message":"a\u0000b\nc"}"#, "abc"),
        ] {
            assert_eq!(of(body).as_deref(), Some(expected), "{body}");
        }
    }

    #[test]
    fn the_errors_of_the_real_module_read_well() {
        let empty = include_str!("../../../fixtures/wire/pair/08-body-empty.response");
        let body = empty.split_once("\n\n").or_else(|| empty.split_once("\r\n\r\n")).unwrap().1;
        let text = of(body).unwrap();
        assert!(text.starts_with("\"pairingCode\" is required."), "{text}");
        assert!(text.contains("\"ledgerBaseUrl\" is required.") && !text.contains('%'), "{text}");
    }

    #[test]
    fn what_is_no_error_of_magentos_has_no_sentence() {
        for body in ["[]", "null", "{}", r#"{"message":5}"#, r#"{"error":"x"}"#] {
            assert_eq!(of(body), None, "{body}");
        }
        assert_eq!(of(&format!(r#"{{"message":"{}"}}"#, "x".repeat(9999))).unwrap().len(), LONGEST);
    }
}
