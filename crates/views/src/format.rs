//! Amounts and times as text: pure functions, the same for everybody everywhere.

use serde::{Deserialize, Serialize};

/// An instant, ready to be shown: the browser never computes with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// For machines: `2026-03-01T09:05:07Z`.
    pub iso: String,
    /// The day, for people: `1 Mar 2026`.
    pub day: String,
    /// The time in UTC, for people: `09:05:07`.
    pub time: String,
}

/// A day for people: `1 Mar 2026`.
pub fn day(day: chrono::NaiveDate) -> String {
    use chrono::Datelike;
    day_of(day.year(), day.month0(), day.day())
}

/// A day for people; the month counts from 0.
pub fn day_of(year: i32, month: u32, day: u32) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let name = usize::try_from(month).ok().and_then(|index| MONTHS.get(index)).unwrap_or(&"");
    format!("{day} {name} {year}")
}

impl From<chrono::DateTime<chrono::Utc>> for Moment {
    fn from(at: chrono::DateTime<chrono::Utc>) -> Self {
        use chrono::{Datelike, Timelike};
        let (year, month, date) = (at.year(), at.month(), at.day());
        let time = format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second());
        Self { iso: format!("{year:04}-{month:02}-{date:02}T{time}Z"), day: day(at.date_naive()), time }
    }
}

/// An amount of minor units (pennies) with two decimals and grouped thousands: `1,234.50`. A loss carries a true minus sign.
pub fn amount(minor: i64) -> String {
    let sign = if minor < 0 { "\u{2212}" } else { "" };
    let absolute = minor.unsigned_abs();
    format!("{sign}{}.{:02}", grouped(absolute / 100), absolute % 100)
}

/// An amount with its currency: £ and € where it is that of the books, the ISO code otherwise, so that nobody takes one for the other.
pub fn money(currency: &str, minor: i64, books: Option<&str>) -> String {
    let symbol = match currency {
        "GBP" => "\u{a3}",
        "EUR" => "\u{20ac}",
        _ => "",
    };
    let text = amount(minor);
    if symbol.is_empty() || books != Some(currency) {
        return format!("{currency} {text}").trim_start().to_owned();
    }
    match text.strip_prefix('\u{2212}') {
        Some(loss) => format!("\u{2212}{symbol}{loss}"),
        None => format!("{symbol}{text}"),
    }
}

/// A number with its thousands grouped: `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_show_pennies_and_thousands() {
        for (minor, text) in [
            (0, "0.00"),
            (5, "0.05"),
            (8152, "81.52"),
            (100_000, "1,000.00"),
            (123_456_789, "1,234,567.89"),
            (-4175, "\u{2212}41.75"),
            (i64::MIN, "\u{2212}92,233,720,368,547,758.08"),
        ] {
            assert_eq!(amount(minor), text);
        }
    }

    #[test]
    fn the_currency_of_the_books_has_its_symbol_and_others_have_their_code() {
        for (currency, minor, books, text) in [
            ("GBP", 123_450, Some("GBP"), "\u{a3}1,234.50"),
            ("EUR", 1_200, Some("EUR"), "\u{20ac}12.00"),
            ("GBP", -89, Some("GBP"), "\u{2212}\u{a3}0.89"),
            ("EUR", 1_200, Some("GBP"), "EUR 12.00"),
            ("GBP", 1_200, None, "GBP 12.00"),
            ("CAD", 1_200, Some("CAD"), "CAD 12.00"),
        ] {
            assert_eq!(money(currency, minor, books), text);
        }
    }

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn moments_are_in_utc_for_people_and_machines() {
        let at: chrono::DateTime<chrono::Utc> = "2026-03-01T10:05:07.9+01:00".parse().unwrap();
        let moment = Moment::from(at);
        assert_eq!(moment.iso, "2026-03-01T09:05:07Z");
        assert_eq!((moment.day.as_str(), moment.time.as_str()), ("1 Mar 2026", "09:05:07"));
    }
}
