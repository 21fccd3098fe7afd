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
    let entries = text.split([',', ';', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
    entries.map(entry).collect()
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
}
