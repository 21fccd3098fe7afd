//! Texts on their way to Sage: HTML entities decoded, white space tidied, cut to Sage's limits at a character.

use super::findings::Findings;

/// A text as a person reads it: entities decoded once (Magento stores names as HTML), control characters and runs of white
/// space made one space.
pub(super) fn clean(text: &str) -> String {
    let decoded = html_escape::decode_html_entities(text);
    decoded
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The same of a text that may be missing; `None` when nothing is left of it.
pub(super) fn clean_optional(text: Option<&str>) -> Option<String> {
    text.map(clean).filter(|text| !text.is_empty())
}

/// The first `limit` characters, with a note when something was cut. `what` names the field for the note.
pub(super) fn cut(text: &str, limit: usize, what: &str, findings: &mut Findings) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    findings.note(format!("The {what} was cut to the {limit} characters that Sage takes."));
    text.chars().take(limit).collect::<String>().trim_end().to_owned()
}

/// The last `limit` characters, with a note when something was cut: for numbers, which differ at their end.
pub(super) fn cut_front(text: &str, limit: usize, what: &str, findings: &mut Findings) -> String {
    let length = text.chars().count();
    if length <= limit {
        return text.to_owned();
    }
    findings.note(format!("The {what} was cut to the last {limit} characters, which is what Sage takes."));
    text.chars().skip(length - limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_people_read_them() {
        assert_eq!(clean("Cr&egrave;me  &amp;\n Torch &lt;1 L&gt;"), "Crème & Torch <1 L>");
        assert_eq!(clean("Child&apos;s Seat &ndash; Group&nbsp;2"), "Child's Seat – Group 2");
        assert_eq!(clean_optional(Some("  ")), None);
    }

    #[test]
    fn a_cut_never_halves_a_character_and_is_noted() {
        let mut findings = Findings::default();
        assert_eq!(cut("日本語のお茶", 3, "name", &mut findings), "日本語");
        assert_eq!(
            cut_front("WEB-000000000123456789012345", 25, "reference", &mut findings).chars().count(),
            25
        );
        assert_eq!(cut("short", 10, "name", &mut findings), "short");
        assert_eq!(findings.notes.len(), 2);
    }
}
