//! What failures have in common: one cause, fixed once.

use sha2::{Digest, Sha256};

use crate::code::Code;

/// Names the cause of a run that failed or waits: its code, and what was said of it with the figures of the document left out, so
/// that the same mistake in a thousand documents is one cause. Sixteen hex digits, stable over versions.
pub fn cause(code: Code, message: Option<&str>) -> String {
    let mut digest = Sha256::new();
    digest.update(code.as_str());
    digest.update([0]);
    // Their messages differ by country or currency, and one remedy serves them all.
    let is_one = matches!(
        code,
        Code::CrossBorderNotSupported
            | Code::TaxNotAllowed
            | Code::TaxRegionUnknown
            | Code::MultiCurrencyDisabled
            | Code::ExchangeRateMissing
            | Code::ExchangeRateDoubtful
    );
    digest.update(without_figures(message.filter(|_| !is_one).unwrap_or_default()));
    hex::encode(&digest.finalize()[..8])
}

/// The text with each run of digits, and what stands between them in numbers, dates and sums, as one `#`.
fn without_figures(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let mut inside = false;
    let mut characters = message.chars().peekable();
    while let Some(character) = characters.next() {
        let goes_on = inside
            && matches!(character, '.' | ',' | '-' | ':')
            && characters.peek().is_some_and(char::is_ascii_digit);
        let is_figure = character.is_ascii_digit() || goes_on;
        if is_figure && !inside {
            text.push('#');
        } else if !is_figure {
            text.push(character);
        }
        inside = is_figure;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_mistake_in_two_documents_is_one_cause() {
        let of = |message| cause(Code::TotalsMismatch, Some(message));
        assert_eq!(
            of("Magento has 81.52 and Sage would have 81.53 (000000042, 2026-01-05)."),
            of("Magento has 1,290.76 and Sage would have 3 (7, 2025-12-31).")
        );
        assert_ne!(of("The rate of line 2 is missing."), of("The account of line 2 is missing."));
    }

    #[test]
    fn what_differs_by_country_or_currency_alone_is_one_cause() {
        let of = |code, message| cause(code, Some(message));
        for code in [Code::CrossBorderNotSupported, Code::TaxNotAllowed, Code::ExchangeRateDoubtful] {
            assert_eq!(of(code, "Sales to Jersey"), of(code, "Sales to Northern Ireland"), "{code}");
        }
        assert_ne!(of(Code::NeedsMapping, "The rate of 20 %"), of(Code::NeedsMapping, "The bank account"));
    }

    #[test]
    fn codes_are_kept_apart() {
        assert_ne!(cause(Code::SageValidation, None), cause(Code::SageConflict, None));
        assert_eq!(cause(Code::SageValidation, None), cause(Code::SageValidation, Some("")));
    }

    #[test]
    fn figures_leave_the_sentence_standing() {
        assert_eq!(without_figures("a 1,000.50, b 2. c-3"), "a #, b #. c-#");
    }
}
