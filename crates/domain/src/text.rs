//! Magento's texts as people read them.

/// A text as a person reads it: entities decoded once (Magento stores names as HTML), control characters and runs of white
/// space made one space.
pub fn clean(text: &str) -> String {
    let decoded = html_escape::decode_html_entities(text);
    decoded
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A name as it is searched by: small letters without accents, digits, and single spaces between words.
pub fn folded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for letter in name.chars().flat_map(char::to_lowercase) {
        match plain(letter) {
            "" if letter.is_alphanumeric() => text.push(letter),
            "" if letter.is_whitespace() || letter == '-' => {
                if !text.is_empty() && !text.ends_with(' ') {
                    text.push(' ');
                }
            }
            plain => text.push_str(plain),
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// The last word of a folded name, where it has several.
pub fn last_word(folded: &str) -> Option<&str> {
    folded.rsplit_once(' ').map(|(_, last)| last)
}

/// A small letter of Latin-1 or Latin Extended-A without its accent; empty for all others.
const fn plain(letter: char) -> &'static str {
    match letter {
        '\u{e0}'..='\u{e5}' | '\u{101}' | '\u{103}' | '\u{105}' => "a",
        '\u{e6}' => "ae",
        '\u{e7}' | '\u{107}' | '\u{109}' | '\u{10b}' | '\u{10d}' => "c",
        '\u{f0}' | '\u{10f}' | '\u{111}' => "d",
        '\u{e8}'..='\u{eb}' | '\u{113}' | '\u{115}' | '\u{117}' | '\u{119}' | '\u{11b}' => "e",
        '\u{11d}' | '\u{11f}' | '\u{121}' | '\u{123}' => "g",
        '\u{ec}'..='\u{ef}' | '\u{129}' | '\u{12b}' | '\u{12d}' | '\u{12f}' | '\u{131}' => "i",
        '\u{13a}' | '\u{13c}' | '\u{13e}' | '\u{142}' => "l",
        '\u{f1}' | '\u{144}' | '\u{146}' | '\u{148}' => "n",
        '\u{f2}'..='\u{f6}' | '\u{f8}' | '\u{14d}' | '\u{14f}' | '\u{151}' => "o",
        '\u{153}' => "oe",
        '\u{155}' | '\u{157}' | '\u{159}' => "r",
        '\u{df}' => "ss",
        '\u{15b}' | '\u{15d}' | '\u{15f}' | '\u{161}' | '\u{219}' => "s",
        '\u{163}' | '\u{165}' | '\u{21b}' => "t",
        '\u{f9}'..='\u{fc}' | '\u{169}' | '\u{16b}' | '\u{16d}' | '\u{16f}' | '\u{171}' | '\u{173}' => "u",
        '\u{fd}' | '\u{ff}' => "y",
        '\u{17a}' | '\u{17c}' | '\u{17e}' => "z",
        _ => "",
    }
}

/// The same of a text that may be missing; `None` when nothing is left of it.
pub fn clean_optional(text: Option<&str>) -> Option<String> {
    text.map(clean).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_searched_without_its_accents_and_signs() {
        for (name, text) in [
            ("Nora Quill", "nora quill"),
            ("  Zo\u{eb}  M\u{fc}ller-L\u{fc}denscheidt ", "zoe muller ludenscheidt"),
            ("O\u{2019}Brien & Sons, Ltd.", "obrien sons ltd"),
            ("\u{141}ukasz Stra\u{df}e", "lukasz strasse"),
            ("\u{5c71}\u{7530}", "\u{5c71}\u{7530}"),
            ("-", ""),
        ] {
            assert_eq!(folded(name), text);
        }
        assert_eq!((last_word("nora quill"), last_word("quill")), (Some("quill"), None));
    }

    #[test]
    fn names_are_read_as_people_read_them() {
        assert_eq!(clean("Cr&egrave;me  &amp;\n Torch &lt;1 L&gt;"), "Crème & Torch <1 L>");
        assert_eq!(clean("Child&apos;s Seat &ndash; Group&nbsp;2"), "Child's Seat – Group 2");
        assert_eq!(clean_optional(Some("  ")), None);
    }
}
