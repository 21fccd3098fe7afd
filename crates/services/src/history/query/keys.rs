//! The keys that the search box understands, and those that look like one.

use domain::{
    code::Code,
    run::{EventName, RunStatus},
};
use messages::message;
use views::error::AppError;

/// What the search box and the address understand, with an example each.
pub const QUALIFIERS: [(&str, &str); 14] = [
    ("status", "status:failed"),
    ("event", "event:invoice.paid"),
    ("code", "code:totals_mismatch"),
    ("shop", "shop:0190b5a4-…"),
    ("from", "from:2026-03-01"),
    ("until", "until:2026-03-31"),
    ("min", "amount:>100"),
    ("max", "amount:<5000"),
    ("currency", "currency:EUR"),
    ("customer", "customer:quill"),
    ("open", "open:1"),
    ("version", "version:3"),
    ("cause", "cause:1f0c…"),
    ("bulk", "bulk:0190b5a4-…"),
];

/// Name and value of a word that is a qualifier.
pub(super) fn qualifier_of(word: &str) -> Option<(&str, &str)> {
    let is_known = |name: &str| name == "amount" || QUALIFIERS.iter().any(|(known, _)| *known == name);
    word.split_once(':').filter(|(name, _)| is_known(name))
}

/// What is said of a word that looks like a key and is none: it finds nothing, and nobody would know why.
pub(super) fn unknown_key(search: &str) -> Option<String> {
    let word =
        search.split_whitespace().find(|word| qualifier_of(word).is_none() && looks_like_a_key(word))?;
    let key = word.split_once(':')?.0;
    Some(match nearest(key, QUALIFIERS.iter().map(|(known, _)| *known).chain(["amount"])) {
        Some(known) => message!(history_search.did_you_mean, key = key, known = known),
        None => message!(history_search.unknown_key, key = key),
    })
}

/// What is said of a word that a key does not take, where its words are of a fixed set.
pub fn unknown_word(error: &AppError) -> Option<String> {
    error.fields.iter().find_map(|(name, _)| {
        let known: Vec<&str> = match name.as_str() {
            "status" => RunStatus::ALL.iter().map(|status| status.as_str()).chain(["skipped"]).collect(),
            "event" => EventName::ALL.iter().map(|event| event.as_str()).collect(),
            "code" => Code::ALL.iter().map(|code| code.as_str()).collect(),
            _ => return None,
        };
        let word = error.typed(name)?;
        Some(match nearest(&word.to_lowercase(), known.iter().copied()) {
            Some(near) => message!(history_search.word_meant, key = name, word = word, known = near),
            None => message!(history_search.unknown_word, key = name, word = word, known = known.join(", ")),
        })
    })
}

/// The word that differs least, if it is by no more than a slip of the fingers.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|known| (distance(word, known), known)).min()?;
    (near.0 <= 2).then_some(near.1)
}

fn looks_like_a_key(word: &str) -> bool {
    word.split_once(':').is_some_and(|(key, value)| {
        let is_word = key.len() > 1 && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        // An address of the web is no key.
        is_word && !value.is_empty() && !value.starts_with("//")
    })
}

/// How many letters must be put in, left out or changed to make one word of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, left) in one.bytes().enumerate() {
        let mut before = line;
        row[0] = line + 1;
        for (place, right) in other.bytes().enumerate() {
            let changed = before + usize::from(left != right);
            before = row[place + 1];
            row[place + 1] = changed.min(before + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_named_and_the_right_one_offered() {
        let meant = unknown_key("statuss:failed ada").unwrap();
        assert!(meant.contains("statuss") && meant.contains("status:"), "{meant}");
        let unknown = unknown_key("colour:red").unwrap();
        assert!(unknown.contains("colour") && !unknown.contains("mean"), "{unknown}");
        for search in ["status:failed", "https://shop.example", "SI-27", "10:30", "amount:>5", "a:", ""] {
            assert_eq!(unknown_key(search), None, "{search}");
        }
    }
}
