//! Magento's texts as people read them.

mod tags;

/// A text as people read it: entities decoded once (Magento stores names as HTML), tags, control and format characters left out, and
/// each run of white space made one space.
pub fn clean(text: &str) -> String {
    cleaned(text).0
}

/// The same, and whether something beside white space and entities was left out.
pub fn cleaned(text: &str) -> (String, bool) {
    // Tags that were stored as entities (`&lt;b&gt;`) are tags as well.
    let untagged = tags::without(text);
    let decoded = html_escape::decode_html_entities(&untagged);
    let plain = tags::without(&decoded);
    let mut is_less = untagged != text || plain != *decoded;
    let mut kept = String::with_capacity(plain.len());
    let mut letters = plain.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_whitespace() || is_blank(letter) {
            kept.push(' ');
        } else if letter.is_control() {
            is_less = true;
            kept.push(' ');
        } else if !is_format(letter) || joins(letter, kept.chars().last(), letters.peek().copied()) {
            kept.push(letter);
        } else {
            is_less = true;
        }
    }
    (kept.split_whitespace().collect::<Vec<_>>().join(" "), is_less)
}

/// Letters that show nothing, though Unicode does not count them as white space.
const fn is_blank(letter: char) -> bool {
    matches!(letter, '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}')
}

/// Unicode's format characters (general category Cf: directions, joiners, the byte order mark), the grapheme joiner, and what is no
/// character.
const fn is_format(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether a joiner has its place: between two letters of a script that needs it (Persian, Hindi), or within an emoji.
fn joins(letter: char, before: Option<char>, after: Option<char>) -> bool {
    let needs = |neighbour: Option<char>| neighbour.is_some_and(|one| one >= '\u{600}' && !is_format(one));
    matches!(letter, '\u{200c}' | '\u{200d}') && needs(before) && needs(after)
}

/// What people type into a field that must not be empty.
const PLACEHOLDERS: [&str; 34] = [
    "n a",
    "na",
    "n v t",
    "nvt",
    "none",
    "non",
    "no",
    "nil",
    "null",
    "nul",
    "nan",
    "undefined",
    "unknown",
    "unbekannt",
    "inconnu",
    "not applicable",
    "not available",
    "not provided",
    "not set",
    "no company",
    "no name",
    "no email",
    "no e mail",
    "no phone",
    "keine",
    "kein",
    "aucun",
    "aucune",
    "empty",
    "blank",
    "tbc",
    "tba",
    "tbd",
    "no website",
];

/// Those that are somebody's name as well: Ms Na, Mr Null.
const NAMES_AS_WELL: [&str; 8] = ["na", "non", "no", "nil", "null", "nul", "nan", "blank"];

/// Whether a text says that there is nothing to say: signs alone (`-`, `...`), a repeated `x`, or such a word (`n/a`, `none`).
pub fn is_placeholder(text: &str) -> bool {
    let words = words_of(text);
    words.is_empty()
        || PLACEHOLDERS.contains(&&*words)
        || ((2..=5).contains(&words.len()) && words.bytes().all(|byte| byte == b'x'))
}

/// The same of one of a person's two names, which may look like a placeholder beside another name.
pub fn is_placeholder_name(text: &str) -> bool {
    is_placeholder(text) && !NAMES_AS_WELL.contains(&&*words_of(text))
}

/// Letters and digits in small letters, the words one space apart.
fn words_of(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").to_lowercase()
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

    #[test]
    fn tags_are_left_out_and_signs_that_are_none_stay() {
        for (text, expected) in [
            ("Tea <strong>Assam</strong><br>250g", "Tea Assam 250g"),
            ("&lt;p class=&quot;x&quot;&gt;Tea&lt;/p&gt;&lt;p&gt;Assam&lt;/p&gt;", "Tea Assam"),
            ("T<b>e</b>a<!-- new --> <BR/>Assam", "Tea Assam"),
            ("<style>p { color: red }</style>Tea<script>alert(1)</script>", "Tea"),
            ("Cable <USB-C> 3 < 5 > 2, a<b", "Cable <USB-C> 3 < 5 > 2, a<b"),
            ("Torch &lt;1 L&gt;", "Torch <1 L>"),
            ("I <3 tea", "I <3 tea"),
        ] {
            assert_eq!(clean(text), expected, "{text}");
        }
    }

    #[test]
    fn the_longest_texts_of_unended_tags_are_read_at_once() {
        let begun = std::time::Instant::now();
        for part in ["<b <b ", "<!--", "<script></script>", "<script></scrip", "&lt;!--", "<a", "<p>"] {
            let text = part.repeat(crate::bounds::LONGEST_TEXT / part.len());
            clean(&text);
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
    }

    #[test]
    fn what_is_not_seen_is_left_out_and_that_is_known() {
        for (text, expected, is_less) in [
            ("Gift card \u{202e}00.5 PBG\u{202c}", "Gift card 00.5 PBG", true),
            ("\u{feff}Tea\u{200b} \u{2066}Assam\u{2069}\u{ad}", "Tea Assam", true),
            ("1\r\n\u{0}2", "1 2", true),
            ("&nbsp;&#8203;&zwnj;&#x200E;\u{3164}", "", true),
            ("Tea\u{2003}&amp; milk", "Tea & milk", false),
            (
                "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}",
                "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}",
                false,
            ),
            ("\u{1f468}\u{200d}\u{1f469}", "\u{1f468}\u{200d}\u{1f469}", false),
            ("Te\u{200d}a", "Tea", true),
        ] {
            assert_eq!(cleaned(text), (expected.to_owned(), is_less), "{text:?}");
        }
    }

    #[test]
    fn a_placeholder_is_known_and_a_name_that_looks_like_one_is_a_name() {
        for text in [
            "-", "--", ".", "...", "/", "n/a", "N.A.", "None", "(null)", "unknown", "xxx", "N/A.", "", "_",
            "\u{2014}", "*",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "Quill Ltd",
            "X",
            "3M",
            "NA Systems",
            "None Such Foods",
            "Unknown Pleasures",
            "XXXLutz",
            "\u{5c71}",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
        assert!(is_placeholder_name("n/a") && is_placeholder_name("-") && !is_placeholder_name("Null"));
    }
}
