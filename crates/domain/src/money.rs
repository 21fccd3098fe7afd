//! Money: exact decimals, never binary floats. Currencies by their ISO code.

use std::{fmt, str::FromStr};

use messages::message;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bounds;

/// An ISO 4217 currency code: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// A text that is no currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", message!(values.not_a_currency, text = .0))]
pub struct NotACurrency(pub String);

impl Currency {
    /// Pounds sterling.
    pub const GBP: Self = Self(*b"GBP");
    /// Euro.
    pub const EUR: Self = Self(*b"EUR");

    /// How many decimals an amount has (ISO 4217); Sage keeps two, whatever the currency.
    pub fn decimals(self) -> u32 {
        match self.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND"
            | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            "CLF" | "UYW" => 4,
            _ => 2,
        }
    }

    /// Whether a million of it is an everyday amount: a unit is worth less than two pence, so that sums are long. (Order of magnitude of
    /// the rates of 2026; a currency that gains worth only keeps a limit that is wider than it needs.)
    pub fn is_small_unit(self) -> bool {
        const SMALL: &str = "ALL AMD AOA ARS BDT BIF CDF CLP COP CRC CVE DJF DZD GNF GYD HUF IDR INR IQD IRR ISK JMD JPY KES KHR KMF \
            KPW KRW KZT LAK LBP LKR LRD MGA MMK MNT MWK NGN NPR PHP PKR PYG RSD RUB RWF SDG SLL SOS SRD SSP STD SYP TRY TZS UGX UYU UZS \
            VES VND VUV XAF XOF XPF YER ZMW ZWL";
        SMALL.split_whitespace().any(|code| code == self.as_str())
    }

    /// The code, such as `GBP`.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_alphabetic) => {
                Ok(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase(), c.to_ascii_uppercase()]))
            }
            _ => Err(NotACurrency(bounds::shown(text))),
        }
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A text that is no amount, or none within bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", message!(values.not_an_amount, text = .0))]
pub struct NotAnAmount(pub String);

impl NotAnAmount {
    fn of(text: &str) -> Self {
        Self(bounds::shown(text))
    }
}

/// Reads an amount as it was written (`45`, `12.49`, `3.5527136788005e-15`, `"0.0"`) and rounds it to the four places that
/// Magento's columns have.
pub fn parse(text: &str) -> Result<Decimal, NotAnAmount> {
    Ok(round(parse_exact(text)?, 4))
}

/// Reads a number as it was written, every digit of it: for rates, which an amount's four places would spoil.
pub fn parse_exact(text: &str) -> Result<Decimal, NotAnAmount> {
    let wrong = || NotAnAmount::of(text);
    let text = text.trim();
    if !bounds::is_short_number(text) {
        return Err(wrong());
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| wrong())?),
        None => (text, 0),
    };
    let mantissa =
        Decimal::from_str(mantissa).or_else(|_| Decimal::from_str_exact(mantissa)).map_err(|_| wrong())?;
    let shifted = if exponent < 0 {
        // Past 28 places nothing is left of an amount.
        (0..exponent.unsigned_abs().min(40)).fold(mantissa, |amount, _| amount / Decimal::TEN)
    } else {
        (0..exponent).try_fold(mantissa, |amount, _| amount.checked_mul(Decimal::TEN)).ok_or_else(wrong)?
    };
    Ok(shifted.normalize())
}

/// Reads an amount of a document: one that can be multiplied by another without leaving the range of decimals.
pub fn parse_bounded(text: &str) -> Result<Decimal, NotAnAmount> {
    let amount = parse(text)?;
    let is_small = amount.abs() < Decimal::from(10_i64.pow(bounds::AMOUNT_DIGITS));
    if is_small { Ok(amount) } else { Err(NotAnAmount::of(text)) }
}

/// Rounds half away from zero, as Magento and Sage do.
pub fn round(amount: Decimal, places: u32) -> Decimal {
    amount.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero).normalize()
}

/// Rounds to the penny.
pub fn round2(amount: Decimal) -> Decimal {
    round(amount, 2)
}

/// An amount with two decimals, as Sage takes it: `12.40`.
pub fn text(amount: Decimal) -> String {
    let rounded = round2(amount);
    if rounded.is_zero() { "0.00".to_owned() } else { format!("{rounded:.2}") }
}

/// Minor units (pennies) of an amount rounded to the penny; `None` beyond what a database integer holds.
pub fn to_minor(amount: Decimal) -> Option<i64> {
    use rust_decimal::prelude::ToPrimitive;
    round2(amount).checked_mul(Decimal::ONE_HUNDRED)?.to_i64()
}

/// Hundredths of a number as a person types it (`20`, `49.9`, `-1`), rounded half away from zero, and whether that lost nothing.
/// Small on purpose: the browser checks forms with it.
pub fn typed_hundredths(text: &str) -> Option<(i64, bool)> {
    let text = text.trim();
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + rest.len() == 0 || whole.len() > 12 || !is_number(whole) || !is_number(rest) {
        return None;
    }
    let digit = |place: usize| rest.as_bytes().get(place).map_or(0, |byte| i64::from(byte - b'0'));
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let hundredths = whole * 100 + digit(0) * 10 + digit(1) + i64::from(digit(2) >= 5);
    let is_exact = rest.bytes().skip(2).all(|byte| byte == b'0');
    Some((sign * hundredths, is_exact))
}

/// The amount of so many minor units (pennies).
pub fn from_minor(minor: i64) -> Decimal {
    Decimal::new(minor, 2)
}

/// Serde for an amount that arrives as a JSON number or string and leaves as a string.
pub mod amount {
    use super::{Decimal, Deserialize, Deserializer, Serializer};

    /// Writes the amount as a string, nothing lost.
    pub fn serialize<S: Serializer>(amount: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(amount)
    }

    /// Reads a JSON number as it was written, or a string.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Number(number) => super::parse_bounded(number.as_str()),
            serde_json::Value::String(text) => super::parse_bounded(&text),
            other => Err(super::NotAnAmount::of(&other.to_string())),
        }
        .map_err(serde::de::Error::custom)
    }
}

/// The same for an amount that may be missing or null.
pub mod optional_amount {
    use super::{Decimal, Deserialize, Deserializer, Serializer};

    /// Writes the amount as a string, or null.
    pub fn serialize<S: Serializer>(amount: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
        match amount {
            Some(amount) => serializer.collect_str(amount),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a JSON number, a string, or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
        match Option::<serde_json::Value>::deserialize(deserializer)? {
            None | Some(serde_json::Value::Null) => Ok(None),
            Some(value) => super::amount::deserialize(value).map(Some).map_err(serde::de::Error::custom),
        }
    }
}

/// Serde for a rate that may be missing or null: like an amount, but every digit counts.
pub mod optional_rate {
    use super::{Decimal, Deserialize, Deserializer, Serializer};

    /// Writes the rate as a string, or null.
    pub fn serialize<S: Serializer>(rate: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
        super::optional_amount::serialize(rate, serializer)
    }

    /// Reads a JSON number, a string, or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
        match Option::<serde_json::Value>::deserialize(deserializer)? {
            None | Some(serde_json::Value::Null) => Ok(None),
            Some(serde_json::Value::Number(number)) => super::parse_exact(number.as_str()).map(Some),
            Some(serde_json::Value::String(text)) => super::parse_exact(&text).map(Some),
            Some(other) => Err(super::NotAnAmount::of(&other.to_string())),
        }
        .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_types_is_read_in_hundredths() {
        for (typed, read) in [
            ("20", Some((2000, true))),
            (" 49.9 ", Some((4990, true))),
            ("14.975", Some((1498, false))),
            ("-14.975", Some((-1498, false))),
            (".5", Some((50, true))),
            ("5.", Some((500, true))),
            ("0.000", Some((0, true))),
            ("", None),
            (".", None),
            ("ten", None),
            ("1e3", None),
            ("1,50", None),
            ("--1", None),
            ("1234567890123", None),
        ] {
            assert_eq!(typed_hundredths(typed), read, "{typed}");
        }
    }

    #[test]
    fn a_rate_keeps_every_digit_that_was_written() {
        for (text, expected) in
            [("1.1734", "1.1734"), ("0.00612345678", "0.00612345678"), ("6.1234567e-3", "0.0061234567")]
        {
            assert_eq!(parse_exact(text).unwrap(), Decimal::from_str(expected).unwrap(), "{text}");
        }
    }

    #[test]
    fn amounts_are_read_as_magento_writes_them() {
        for (text, expected) in [
            ("45", "45"),
            ("12.49", "12.49"),
            ("71.9053", "71.9053"),
            ("-0.4175", "-0.4175"),
            ("3.5527136788005e-15", "0"),
            ("-2.2737367544323e-13", "0"),
            ("1e2", "100"),
            ("1.23456E+1", "12.3456"),
            ("0.00005", "0.0001"),
            ("1e-60", "0"),
        ] {
            assert_eq!(parse(text).unwrap(), Decimal::from_str(expected).unwrap(), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        let long = "1".repeat(400);
        let exponents = ["0E2147483647", "1e-2147483648", "0e401", "1e99999999999"];
        for text in ["", "abc", "1e99", "NaN", "12,40", "1e", &long].into_iter().chain(exponents) {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn pennies_round_half_away_from_zero() {
        assert_eq!(text(Decimal::new(2345, 3)), "2.35");
        assert_eq!(text(Decimal::new(-2345, 3)), "-2.35");
        assert_eq!(text(Decimal::new(-1, 3)), "0.00");
        assert_eq!(to_minor(Decimal::new(8152, 2)), Some(8152));
        assert_eq!(from_minor(8152), Decimal::new(8152, 2));
    }
}
