//! How SQLite keeps them.

use std::{error::Error, fmt::Display, str::FromStr};

use chrono::{DateTime, SecondsFormat, Utc};
use sqlx::Sqlite;
use uuid::Uuid;

use crate::{Count, Id, Ids, Instant, Text, Words, column};

/// The first and the last millisecond whose text has four digits of year and sorts as time does.
const FIRST: i64 = -62_135_596_800_000;
const LAST: i64 = 253_402_300_799_999;

/// An instant as it is kept; one outside the years 1 to 9999 as the nearest of them, which can be read again.
fn written(at: DateTime<Utc>) -> String {
    let millis = at.timestamp_millis().clamp(FIRST, LAST);
    DateTime::from_timestamp_millis(millis).unwrap_or(at).to_rfc3339_opts(SecondsFormat::Millis, true)
}

column!(
    Sqlite,
    [T: Copy + From<Uuid> + Into<Uuid>] Id<T> as String,
    |id| (*id).into().as_hyphenated().to_string(),
    |text| T::from(Uuid::parse_str(&text)?)
);
column!(
    Sqlite,
    [] Instant as String,
    |at| written(*at),
    |text| DateTime::parse_from_rfc3339(&text)?.to_utc()
);
column!(Sqlite, [] Count as i64, |count| i64::from(*count), |count| u32::try_from(count)?);
column!(Sqlite, [T: AsRef<str>] Text<T> as String, |text| text.as_ref().to_owned());
column!(
    Sqlite,
    [T: Copy + From<Uuid> + Into<Uuid>] Ids<T> as String,
    |ids| serde_json::to_string(&ids.iter().map(|id| (*id).into()).collect::<Vec<Uuid>>())?,
    |text| serde_json::from_str::<Vec<Uuid>>(&text)?.into_iter().map(T::from).collect()
);
column!(
    Sqlite,
    [T: Display + FromStr<Err: Error + Send + Sync + 'static>] Words<T> as String,
    |words| serde_json::to_string(&words.iter().map(T::to_string).collect::<Vec<_>>())?,
    |text| serde_json::from_str::<Vec<String>>(&text)?.iter().map(|word| word.parse()).collect::<Result<_, _>>()?
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_sort_as_text_as_they_do_in_time() {
        let texts = [0, 1, 999, 1_000, 1_767_607_200_000, 1_767_607_200_010]
            .map(|millis| written(DateTime::from_timestamp_millis(millis).unwrap()));
        assert!(texts.is_sorted(), "{texts:?}");
        assert_eq!(texts[0], "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn no_instant_is_written_that_cannot_be_read_again() {
        for text in ["+262142-01-01T00:00:00Z", "-262143-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"] {
            let kept = written(text.parse().unwrap());
            assert!(kept.len() == 24 && DateTime::parse_from_rfc3339(&kept).is_ok(), "{text}: {kept}");
        }
    }
}
