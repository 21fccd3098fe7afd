//! Exchange rates that a merchant has confirmed: what a currency was worth on a day that is not today. Documents of that currency and day
//! are compared with it instead of with Sage's latest rate.

use std::fmt;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::money::{Currency, parse_exact};

/// The most characters of all confirmations.
const LONGEST: usize = 4000;

/// A rate of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfirmedRate {
    /// The currency.
    pub currency: Currency,
    /// The day of the documents, in the zone that documents are dated in.
    pub day: NaiveDate,
    /// Base units for one unit of the currency, as Sage has rates.
    pub rate: Decimal,
}

impl fmt::Display for ConfirmedRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.currency, self.day, self.rate.normalize())
    }
}

/// The rates of a text such as `TRY 2025-01-15 0.0228, USD 2024-03-01 0.79`; `None` where an entry is none.
pub fn read(text: &str) -> Option<Vec<ConfirmedRate>> {
    if text.len() > LONGEST {
        return None;
    }
    entries(text).map(entry).collect()
}

/// Whether a text may be kept: all of it can be read. It is looked at letter by letter, because the browser asks this as well, and
/// calendars and decimals would be a tenth of what it downloads.
pub fn is_well_formed(text: &str) -> bool {
    text.len() <= LONGEST && entries(text).all(is_entry)
}

fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '\n']).map(str::trim).filter(|entry| !entry.is_empty())
}

fn is_entry(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let (currency, day, rate) = (words.next(), words.next(), words.next());
    currency.is_some_and(|word| word.parse::<Currency>().is_ok())
        && day.is_some_and(is_day)
        && rate.is_some_and(is_rate)
        && words.next().is_none()
}

/// `2025-01-15`, in a month that has that day.
fn is_day(text: &str) -> bool {
    let &[_, _, _, _, b'-', _, _, b'-', _, _] = text.as_bytes() else { return false };
    let number = |part: Option<&str>| {
        let part = part.filter(|part| part.bytes().all(|digit| digit.is_ascii_digit()));
        part.and_then(|part| part.parse::<u32>().ok())
    };
    let (year, month, day) = (number(text.get(..4)), number(text.get(5..7)), number(text.get(8..)));
    let (Some(year), Some(month), Some(day)) = (year, month, day) else { return false };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Digits with at most one point, more than nothing.
fn is_rate(text: &str) -> bool {
    let is_number = text.bytes().all(|letter| letter.is_ascii_digit() || letter == b'.');
    let points = text.bytes().filter(|letter| *letter == b'.').count();
    let is_something = text.bytes().any(|letter| (b'1'..=b'9').contains(&letter));
    is_number
        && points <= 1
        && is_something
        && text.len() <= 20
        && !text.ends_with('.')
        && !text.starts_with('.')
}

fn entry(text: &str) -> Option<ConfirmedRate> {
    let mut words = text.split_whitespace();
    let currency = words.next()?.parse().ok()?;
    let day = words.next()?.parse().ok()?;
    let rate = parse_exact(words.next()?).ok().filter(|rate| *rate > Decimal::ZERO)?;
    words.next().is_none().then_some(ConfirmedRate { currency, day, rate })
}

/// The confirmed rate of a currency on a day; of several the last.
pub fn of(text: Option<&str>, currency: Currency, day: NaiveDate) -> Option<Decimal> {
    let rates = read(text?)?;
    rates.iter().rev().find(|one| one.currency == currency && one.day == day).map(|one| one.rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{FieldProblem, Settings};

    #[test]
    fn a_confirmation_is_of_one_currency_on_one_day() {
        let text = Some("TRY 2025-01-15 0.0227790433, usd 2024-03-01 0.79");
        let (lira, day) = ("TRY".parse().unwrap(), "2025-01-15".parse().unwrap());
        let rate = of(text, lira, day).unwrap();
        assert_eq!(rate.to_string(), "0.0227790433");
        assert_eq!(of(text, lira, "2025-01-16".parse().unwrap()), None);
        assert_eq!(of(text, Currency::EUR, day), None);
        assert_eq!(ConfirmedRate { currency: lira, day, rate }.to_string(), "TRY 2025-01-15 0.0227790433");
    }

    #[test]
    fn what_is_no_confirmation_is_refused_as_a_whole() {
        for text in [
            "TRY",
            "TRY 2025-01-15",
            "TRY 2025-01-15 0",
            "TRY 15.1.2025 1",
            "TRY 2025-01-15 0.02 EUR",
            "TRY 2025-01-15 x",
        ] {
            assert_eq!(read(text), None, "{text}");
            assert!(!is_well_formed(text), "{text}");
        }
        assert_eq!(read(" , ").map(|rates| rates.len()), Some(0));
    }

    #[test]
    fn the_settings_name_the_field_whose_rates_cannot_be_read() {
        let reference =
            serde_json::from_str(include_str!("../../../../fixtures/demo/reference.json")).unwrap();
        let mut settings: Settings =
            serde_json::from_str(include_str!("../../../../fixtures/demo/settings.json")).unwrap();
        settings.confirmed_exchange_rates = Some("TRY yesterday 0.02".to_owned());
        let wrong = [("confirmed_exchange_rates".to_owned(), FieldProblem::InvalidFormat)];
        assert_eq!(settings.check(&reference), wrong);
        settings.confirmed_exchange_rates = Some("TRY 2025-01-15 0.02".to_owned());
        assert_eq!(settings.check(&reference), []);
    }

    #[test]
    fn whatever_is_well_formed_can_be_read() {
        let days = [
            "2024-02-29",
            "2023-02-29",
            "2100-02-29",
            "2000-02-29",
            "2025-13-01",
            "2025-04-31",
            "0001-01-01",
            "9999-12-31",
            "2025-1-05",
        ];
        let rates = [
            "1",
            "0.0228",
            "0",
            "0.000",
            "1.",
            ".5",
            "12345678901234567890",
            "123456789012345678901",
            "1e3",
            "-1",
            "1.2.3",
        ];
        let currencies = ["GBP", "try", "EU", "\u{20ac}UR", "EURO"];
        let mut kept = 0;
        for currency in currencies {
            for day in days {
                for rate in rates {
                    let text = format!("{currency} {day} {rate}");
                    if is_well_formed(&text) {
                        kept += 1;
                        assert!(read(&text).is_some(), "{text}");
                    }
                }
            }
        }
        // Two currencies, four days, three rates.
        assert_eq!(kept, 24);
        assert!(is_well_formed("TRY 2025-01-15 0.0228, usd 2024-03-01 0.79;\nEUR 2024-03-01 0.85"));
    }
}
