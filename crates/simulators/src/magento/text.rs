//! JSON as PHP prints it: `/` and everything outside ASCII escaped, no white space, numbers as they came.
//!
//! The entity samples show it (`Check \/ Money order`, `Se\u00e1n`). Done on the text, never through a parsed
//! value: a number that is parsed and printed again is another number to a test of exact money.

use std::fmt::Write as _;

/// The text of a JSON document, printed again the way Magento prints it. `text` must be valid JSON.
#[must_use]
pub(crate) fn as_magento_prints(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_string = false;
    let mut escaped = false;
    for character in text.chars() {
        if !in_string {
            in_string = character == '"';
            if !character.is_ascii_whitespace() {
                out.push(character);
            }
            continue;
        }
        if escaped {
            escaped = false;
            out.push(character);
            continue;
        }
        match character {
            '"' => in_string = false,
            '\\' => escaped = true,
            _ => {}
        }
        push_in_string(&mut out, character);
    }
    out
}

/// A text as a JSON string in PHP's spelling, with its quotes.
#[must_use]
pub(crate) fn quoted(text: &str) -> String {
    // Serialising a string cannot fail; an empty one is the harmless reading if it ever did.
    as_magento_prints(&serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned()))
}

fn push_in_string(out: &mut String, character: char) {
    match character {
        '/' => out.push_str("\\/"),
        plain if plain.is_ascii() => out.push(plain),
        other => {
            let mut units = [0_u16; 2];
            for unit in other.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}
