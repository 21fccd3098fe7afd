//! Texts on their way to Sage, cut to its limits at a character.

use messages::message;

use crate::findings::Findings;

/// The first `limit` characters, with a note when something was cut. `what` names the field for the note.
pub(crate) fn cut(text: &str, limit: usize, what: &str, findings: &mut Findings) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    findings.note(message!(plan_notes.cut, field = what, limit = limit));
    text.chars().take(limit).collect::<String>().trim_end().to_owned()
}

/// The last `limit` characters, with a note when something was cut: for numbers, which differ at their end.
pub(crate) fn cut_front(text: &str, limit: usize, what: &str, findings: &mut Findings) -> String {
    let length = text.chars().count();
    if length <= limit {
        return text.to_owned();
    }
    findings.note(message!(plan_notes.cut_front, field = what, limit = limit));
    text.chars().skip(length - limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
