//! What both databases keep as text.

use std::{fmt::Display, str::FromStr};

use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Database, Decode, Encode, Type, encode::IsNull};

use crate::ColumnError;

/// A word of a fixed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<T>(pub T);

/// JSON of ours. It is text, so that figures stay as they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// Text from outside. It may hold NUL characters, which Postgres refuses: there they are kept as U+FFFD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<T>(pub T);

impl<DB: Database, T> Type<DB> for Word<T>
where
    String: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <String as Type<DB>>::type_info()
    }

    fn compatible(found: &DB::TypeInfo) -> bool {
        <String as Type<DB>>::compatible(found)
    }
}

impl<'r, DB: Database, T> Decode<'r, DB> for Word<T>
where
    &'r str: Decode<'r, DB>,
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, ColumnError> {
        Ok(Self(<&str as Decode<DB>>::decode(value)?.parse()?))
    }
}

impl<'q, DB: Database, T: Display> Encode<'q, DB> for Word<T>
where
    String: Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, ColumnError> {
        Encode::<DB>::encode(self.0.to_string(), buffer)
    }
}

impl<DB: Database, T> Type<DB> for Json<T>
where
    String: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <String as Type<DB>>::type_info()
    }

    fn compatible(found: &DB::TypeInfo) -> bool {
        <String as Type<DB>>::compatible(found)
    }
}

impl<'r, DB: Database, T: DeserializeOwned> Decode<'r, DB> for Json<T>
where
    &'r str: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, ColumnError> {
        Ok(Self(serde_json::from_str(<&str as Decode<DB>>::decode(value)?)?))
    }
}

impl<'q, DB: Database, T: Serialize> Encode<'q, DB> for Json<T>
where
    String: Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, ColumnError> {
        Encode::<DB>::encode(serde_json::to_string(&self.0)?, buffer)
    }
}

/// A value that may make no sense, which hides nothing of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lenient<T>(pub Option<T>);

impl<DB: Database, T: Type<DB>> Type<DB> for Lenient<T> {
    fn type_info() -> DB::TypeInfo {
        T::type_info()
    }

    fn compatible(found: &DB::TypeInfo) -> bool {
        T::compatible(found)
    }
}

impl<'r, DB: Database, T: Decode<'r, DB>> Decode<'r, DB> for Lenient<T> {
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, ColumnError> {
        Ok(Self(T::decode(value).ok()))
    }
}
