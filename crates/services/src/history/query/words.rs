//! What a text in the search box may be.

use domain::{email, text::folded};
use store::Find;

use super::amounts::{sought, within};

/// A number with more digits is one of a document.
const LONGEST_AMOUNT: usize = 7;

/// Everything that a text may be the number of, the amount of, or the name of.
pub(super) fn found_by(text: &str) -> Find {
    // An address is nothing else, and goes nowhere in clear.
    if let Some(digest) = email::digest(text) {
        return Find { email_digest: Some(digest), ..Find::default() };
    }
    let mut numbers = vec![text.to_owned()];
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && text.len() < 9 {
        // People leave the zeros out.
        numbers.push(format!("{text:0>9}"));
    }
    let upper = text.to_uppercase();
    if upper != text {
        numbers.push(upper);
    }
    let may_be_amount = !is_number || (text.len() <= LONGEST_AMOUNT && !text.starts_with('0'));
    let name = folded(text);
    Find {
        numbers,
        magento_id: text.trim_start_matches('#').parse().ok(),
        email_digest: email::is_digest(text).then(|| text.to_owned()),
        sage_id: (text.len() >= 8 && !is_number).then(|| text.to_owned()),
        run: text.parse().ok(),
        // A letter alone begins half of all names.
        customer: (name.len() > 1 && name.contains(char::is_alphabetic)).then_some(name),
        ..within(text).filter(|_| may_be_amount).map(sought).unwrap_or_default()
    }
}
