//! Lists as one value: JSON text in SQLite, an array in Postgres.

/// A list of ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids<T>(pub Vec<T>);

/// A list of words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words<T>(pub Vec<T>);
