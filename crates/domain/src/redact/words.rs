//! What was struck out once, and finding it again: each place of a text costs one look into a sorted set, however many words there are.

use std::{collections::BTreeSet, ops::Bound};

/// Stands where something was struck out.
pub const STRUCK: &str = "\u{2022}\u{2022}\u{2022}";

/// Shorter texts are not looked for elsewhere: they would be found in words of every kind.
const SHORTEST: usize = 4;

/// Words and phrases that belong to people.
#[derive(Clone, Debug, Default)]
pub(super) struct PrivateWords(BTreeSet<String>);

impl PrivateWords {
    /// Remembers a text.
    pub fn insert(&mut self, text: &str) {
        if text.chars().nth(SHORTEST - 1).is_some() && !text.contains(STRUCK) && !self.0.contains(text) {
            self.0.insert(text.to_owned());
        }
    }

    /// The text without any of the words and without what looks like an e-mail address; it ends after so many characters, yet what
    /// is struck out was looked for in the whole text.
    pub fn struck_from(&self, text: &str, characters: usize) -> String {
        let mut done = String::with_capacity(text.len().min(characters));
        let (mut count, mut struck_to, mut word_to) = (0, 0, 0);
        let mut before = None;
        for (at, letter) in text.char_indices() {
            if count >= characters {
                break;
            }
            let rest = &text[at..];
            let mut found = self.longest_at(rest, before).unwrap_or(0);
            if at >= word_to && !letter.is_whitespace() {
                let word = rest.split(char::is_whitespace).next().unwrap_or_default();
                word_to = at + word.len();
                if is_address(word) {
                    found = found.max(word.len());
                }
            }
            if found > 0 {
                if at >= struck_to {
                    done.push_str(STRUCK);
                    count += STRUCK.chars().count();
                }
                struck_to = struck_to.max(at + found);
            }
            if at >= struck_to {
                done.push(letter);
                count += 1;
            }
            before = Some(letter);
        }
        done
    }

    /// The length of the longest word that the text begins with, where it is a word of its own: `Lee` is not in `Leeds`.
    fn longest_at(&self, text: &str, before: Option<char>) -> Option<usize> {
        if is_joined(before, text.chars().next()) {
            return None;
        }
        // Whatever begins the text sorts no later than it, and between the two stands only what begins with it as well.
        let mut upper = text;
        loop {
            let word = self.0.range::<str, _>((Bound::Unbounded, Bound::Included(upper))).next_back()?;
            let common = common_start(word, upper);
            if common < word.len() {
                upper = &text[..common];
            } else if is_joined(word.chars().next_back(), text[common..].chars().next()) {
                let last = word.chars().next_back().map_or(1, char::len_utf8);
                upper = &text[..common - last];
            } else {
                return Some(common);
            }
            if upper.is_empty() {
                return None;
            }
        }
    }
}

/// Whether two letters belong to one word.
fn is_joined(one: Option<char>, next: Option<char>) -> bool {
    one.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric)
}

/// How many bytes two texts begin with alike, in whole characters.
fn common_start(one: &str, other: &str) -> usize {
    let alike = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    one.floor_char_boundary(alike)
}

/// Whether a word looks like an e-mail address.
fn is_address(word: &str) -> bool {
    word.split_once('@').is_some_and(|(before, after)| !before.is_empty() && !after.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(of: &[&str]) -> PrivateWords {
        let mut words = PrivateWords::default();
        for word in of {
            words.insert(word);
        }
        words
    }

    #[test]
    fn the_longest_word_is_struck_out_and_overlapping_ones_leave_nothing() {
        let words = words(&["Jane", "Jane Doe", "Doe & Sons", "Lee Street", "+44 7700"]);
        for (text, expected) in [
            ("Jane Doe of Leeds", "••• of Leeds"),
            ("Jane Doe & Sons", "•••"),
            ("Jane Doering", "••• Doering"),
            ("Janet, Jane", "Janet, •••"),
            ("call+44 7700 now", "call••• now"),
            ("x jane@doe.example, y", "x ••• y"),
            ("2 @ 4.50", "2 @ 4.50"),
            ("日本Jane 日 Jane", "日本Jane 日 •••"),
        ] {
            assert_eq!(words.struck_from(text, usize::MAX), expected, "{text}");
        }
    }

    #[test]
    fn a_beginning_never_ends_within_what_is_struck_out() {
        let words = words(&["Jane Doe of Leeds"]);
        for characters in 0..40 {
            let start = words.struck_from("To Jane Doe of Leeds or jane@doe.example today", characters);
            assert!(!start.contains("Ja") && !start.contains("ja"), "{characters}: {start}");
        }
    }

    proptest! {
        /// The plain way: every word is looked for everywhere.
        #[test]
        fn whatever_stands_for_itself_is_found(
            known in prop::collection::vec("[a-c ]{4,8}", 1..12), text in "[a-c .]{0,60}"
        ) {
            let known: Vec<&str> = known.iter().map(|word| word.trim()).filter(|word| word.len() >= 4).collect();
            let left = words(&known).struck_from(&text, usize::MAX);
            for word in known {
                for (at, _) in left.match_indices(word) {
                    let (before, after) = (&left[..at], &left[at + word.len()..]);
                    prop_assert!(
                        is_joined(before.chars().next_back(), word.chars().next())
                            || is_joined(word.chars().next_back(), after.chars().next()),
                        "{word} is left in {left:?} of {text:?}"
                    );
                }
            }
        }
    }
}
