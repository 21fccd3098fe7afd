//! Amounts as people type them.

use domain::money::Currency;

/// An amount as it is typed: `100` or `81.52`.
pub(super) fn plain(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let absolute = minor.unsigned_abs();
    match absolute % 100 {
        0 => format!("{sign}{}", absolute / 100),
        pennies => format!("{sign}{}.{pennies:02}", absolute / 100),
    }
}

/// Minor units of an amount as it is typed: with a decimal point, or with a comma and two digits; thousands may be grouped.
pub fn minor(text: &str) -> Option<i64> {
    let text = text.trim().trim_start_matches(['£', '€', '$']);
    let (whole, decimals) = match text.rsplit_once(['.', ',']) {
        Some((whole, decimals)) if decimals.len() <= 2 => (whole, decimals),
        _ => (text, ""),
    };
    let whole: String = whole.chars().filter(|character| *character != ',').collect();
    let digits = whole.strip_prefix('-').unwrap_or(&whole);
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if digits.is_empty() || digits.len() > 15 || !is_number(digits) || !is_number(decimals) {
        return None;
    }
    let minor: i64 = format!("{digits}{decimals:0<2}").parse().ok()?;
    Some(if whole.starts_with('-') { -minor } else { minor })
}

/// An amount with its currency, before or behind it: `£30`, `GBP 30`, `1,250.00 EUR`.
pub(super) fn money(text: &str) -> Option<(Currency, i64)> {
    let text = text.trim();
    for (symbol, currency) in [('£', Currency::GBP), ('€', Currency::EUR)] {
        if let Some(rest) = text.strip_prefix(symbol).or_else(|| text.strip_suffix(symbol)) {
            return Some((currency, minor(rest)?));
        }
    }
    let (one, other) = text.split_once(' ')?;
    let of = |currency: &str, amount: &str| Some((currency.parse().ok()?, minor(amount)?));
    of(one, other).or_else(|| of(other, one))
}
