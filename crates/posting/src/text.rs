//! Texts on their way to Sage: made fit for books, and cut to its limits at a character. Nothing is lost without a note.

use domain::text::{cleaned, is_placeholder};
use messages::message;

use crate::findings::Findings;

/// A text as people read it, none where nothing is left; noted when signs were left out of it. `what` names the field for the note.
pub(crate) fn readable(text: &str, what: &str, findings: &mut Findings) -> Option<String> {
    let (text, is_less) = cleaned(text);
    if is_less {
        findings.note(message!(plan_notes.hidden_signs, field = what));
    }
    (!text.is_empty()).then_some(text)
}

/// The same of what a customer has typed: a placeholder (`-`, `n/a`) says nothing and is left out with a note.
pub(crate) fn stated(text: Option<&str>, what: &str, findings: &mut Findings) -> Option<String> {
    let text = readable(text?, what, findings)?;
    if is_placeholder(&text) {
        findings.note(message!(plan_notes.placeholder, field = what, text = text));
        return None;
    }
    Some(text)
}

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
