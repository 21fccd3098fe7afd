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

/// The same of a text that may be missing; `None` when nothing is left of it.
pub fn clean_optional(text: Option<&str>) -> Option<String> {
    text.map(clean).filter(|text| !text.is_empty())
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
}
