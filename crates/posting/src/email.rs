//! E-mail addresses in the form that Sage takes. It refuses a whole contact, and so an invoice, for one that is none.

use unicode_normalization::UnicodeNormalization;

/// The longest part in front of the sign, in characters (RFC 5321, section 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;

/// The address that a text is, ligatures and wide letters made plain (a copy from a PDF has them); `None` where it is none.
pub(crate) fn address(text: &str) -> Option<String> {
    let (text, _) = domain::text::cleaned(text);
    let address: String = text.nfkc().collect();
    let (local, domain) = address.split_once('@')?;
    (is_local(local) && is_domain(domain)).then_some(address)
}

/// A dot-atom (RFC 5322, section 3.2.3).
fn is_local(local: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte);
    local.len() <= LONGEST_LOCAL && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_sign))
}

/// Two labels at least, the last of letters (`xn--` apart).
fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some((_, last)) = domain.rsplit_once('.') else { return false };
    let is_top =
        last.len() > 1 && (last.starts_with("xn--") || last.bytes().all(|byte| byte.is_ascii_alphabetic()));
    is_top && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_and_what_is_none_is_not() {
        for (text, expected) in [
            (" Nora.Quill@Example.com ", "Nora.Quill@Example.com"),
            ("\u{fb01}nance@example.com", "finance@example.com"),
            ("nora\u{ff20}example.com", "nora@example.com"),
            ("\u{feff}nora@example.com\u{200b}", "nora@example.com"),
            ("o'brien+shop@mail.example.co.uk", "o'brien+shop@mail.example.co.uk"),
            ("nora@xn--bcher-kva.example", "nora@xn--bcher-kva.example"),
        ] {
            assert_eq!(address(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "n/a",
            "none",
            "nora",
            "nora quill@ example.com",
            "nora@",
            "@example.com",
            "nora@example",
            "nora@@example.com",
            "nora@example..com",
            ".nora@example.com",
            "nora@-example.com",
            "nora@example.c",
            "Nora <nora@example.com>",
            "nora@example.com, eve@example.com",
            "n\u{f6}ra@example.com",
            "nora@10.0.0.1",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
