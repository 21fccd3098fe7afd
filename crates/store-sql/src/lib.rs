#![doc = include_str!("../README.md")]

mod lists;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
mod text;

use chrono::{DateTime, Utc};

pub use lists::{Ids, Words};
pub use text::{Json, Lenient, Text, Word};

/// An id: hyphenated text in SQLite, `uuid` in Postgres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id<T>(pub T);

/// An instant: text with milliseconds in SQLite, whose order is that of time, and `timestamptz` in Postgres.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub DateTime<Utc>);

/// A count that is never negative: an integer in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(pub u32);

/// Any error of a column's.
type ColumnError = Box<dyn std::error::Error + Send + Sync>;

/// A type of columns for one database: the type that its values are kept as there, the way to it and, where it is read, the way back.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
macro_rules! column {
    ($db:ty, [$($bounds:tt)*] $type:ty as $kept:ty, |$value:ident| $keep:expr, |$read:ident| $make:expr) => {
        column!($db, [$($bounds)*] $type as $kept, |$value| $keep);

        impl<'r, $($bounds)*> sqlx::Decode<'r, $db> for $type {
            fn decode(value: <$db as sqlx::Database>::ValueRef<'r>) -> Result<Self, crate::ColumnError> {
                let $read = <$kept as sqlx::Decode<'r, $db>>::decode(value)?;
                Ok(Self($make))
            }
        }
    };
    ($db:ty, [$($bounds:tt)*] $type:ty as $kept:ty, |$value:ident| $keep:expr) => {
        impl<$($bounds)*> sqlx::Type<$db> for $type {
            fn type_info() -> <$db as sqlx::Database>::TypeInfo {
                <$kept as sqlx::Type<$db>>::type_info()
            }

            fn compatible(found: &<$db as sqlx::Database>::TypeInfo) -> bool {
                <$kept as sqlx::Type<$db>>::compatible(found)
            }
        }

        impl<$($bounds)*> sqlx::Encode<'_, $db> for $type {
            fn encode_by_ref(
                &self,
                buffer: &mut <$db as sqlx::Database>::ArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, crate::ColumnError> {
                let $value = &self.0;
                let kept: $kept = $keep;
                <$kept as sqlx::Encode<'_, $db>>::encode(kept, buffer)
            }
        }
    };
}
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use column;
