//! Values as columns: instants as text whose order is their order in time, words and JSON that may be unreadable.

use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::DeserializeOwned;
use store::{Error, Result};

/// The first and the last millisecond whose text has four digits of year and sorts as time does.
const FIRST: i64 = -62_135_596_800_000;
const LAST: i64 = 253_402_300_799_999;

/// An instant as it is kept; one outside the years 1 to 9999 as the nearest of them, which can be read again.
pub(crate) fn instant(at: DateTime<Utc>) -> String {
    let millis = at.timestamp_millis().clamp(FIRST, LAST);
    DateTime::from_timestamp_millis(millis).unwrap_or(at).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Where a value was read, for the error when it cannot be understood.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The table.
    pub(crate) table: &'static str,
    /// The row's id.
    pub(crate) row: &'a str,
}

impl Place<'_> {
    /// An [`Error::Inconsistency`] at this place.
    pub(crate) fn inconsistent(
        self,
        column: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        Error::Inconsistency { table: self.table, column, row: self.row.to_owned(), source: source.into() }
    }

    /// An id or a word of a fixed set.
    pub(crate) fn word<T>(self, column: &'static str, word: &str) -> Result<T>
    where
        T: FromStr,
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        word.parse().map_err(|error| self.inconsistent(column, error))
    }

    /// The same for what may be missing.
    pub(crate) fn optional_word<T>(self, column: &'static str, word: Option<&str>) -> Result<Option<T>>
    where
        T: FromStr,
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        word.map(|word| self.word(column, word)).transpose()
    }

    /// An instant.
    pub(crate) fn time(self, column: &'static str, text: &str) -> Result<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(text)
            .map(|at| at.to_utc())
            .map_err(|error| self.inconsistent(column, error))
    }

    /// An instant that may be missing.
    pub(crate) fn optional_time(
        self,
        column: &'static str,
        text: Option<&str>,
    ) -> Result<Option<DateTime<Utc>>> {
        text.map(|text| self.time(column, text)).transpose()
    }

    /// JSON of ours.
    pub(crate) fn json<T: DeserializeOwned>(self, column: &'static str, text: &str) -> Result<T> {
        serde_json::from_str(text).map_err(|error| self.inconsistent(column, error))
    }
}

/// JSON to be kept.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Driver(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_sort_as_text_as_they_do_in_time() {
        let texts = [0, 1, 999, 1_000, 1_767_607_200_000, 1_767_607_200_010]
            .map(|millis| instant(DateTime::from_timestamp_millis(millis).unwrap()));
        assert!(texts.is_sorted(), "{texts:?}");
        assert_eq!(texts[0], "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn no_instant_is_written_that_cannot_be_read_again() {
        let place = Place { table: "runs", row: "7" };
        for text in ["+262142-01-01T00:00:00Z", "-262143-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"] {
            let kept = instant(text.parse().unwrap());
            assert!(kept.len() == 24 && place.time("at", &kept).is_ok(), "{text}: {kept}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_where_it_is() {
        let place = Place { table: "runs", row: "7" };
        let error = place.time("next_at", "yesterday").unwrap_err();
        assert!(error.to_string().contains("runs.next_at of 7"), "{error}");
    }
}
