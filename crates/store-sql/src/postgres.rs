//! How Postgres keeps them.

use std::{error::Error, fmt::Display, str::FromStr};

use chrono::{DateTime, Utc};
use sqlx::{
    Decode, Encode, Postgres, Type,
    encode::IsNull,
    postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef},
};
use uuid::Uuid;

use crate::{ColumnError, Count, Id, Ids, Instant, Text, Words, column};

column!(
    Postgres,
    [T: Copy + From<Uuid> + Into<Uuid>] Id<T> as Uuid,
    |id| (*id).into(),
    |id| T::from(id)
);
column!(Postgres, [] Instant as DateTime<Utc>, |at| *at, |at| at);
column!(Postgres, [T: AsRef<str>] Text<T> as String, |text| text.as_ref().replace('\0', "\u{FFFD}"));
column!(
    Postgres,
    [T: Copy + From<Uuid> + Into<Uuid>] Ids<T> as Vec<Uuid>,
    |ids| ids.iter().map(|id| (*id).into()).collect(),
    |ids| ids.into_iter().map(T::from).collect()
);
column!(
    Postgres,
    [T: Display + FromStr<Err: Error + Send + Sync + 'static>] Words<T> as Vec<String>,
    |words| words.iter().map(T::to_string).collect(),
    |words| words.iter().map(|word| word.parse()).collect::<Result<_, _>>()?
);

impl Type<Postgres> for Count {
    fn type_info() -> PgTypeInfo {
        <i64 as Type<Postgres>>::type_info()
    }

    /// A column of either width.
    fn compatible(found: &PgTypeInfo) -> bool {
        <i32 as Type<Postgres>>::compatible(found) || <i64 as Type<Postgres>>::compatible(found)
    }
}

impl Encode<'_, Postgres> for Count {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, ColumnError> {
        Encode::<Postgres>::encode(i64::from(self.0), buffer)
    }
}

impl Decode<'_, Postgres> for Count {
    fn decode(value: PgValueRef<'_>) -> Result<Self, ColumnError> {
        Ok(Self(u32::try_from(<i64 as Decode<Postgres>>::decode(value)?)?))
    }
}
