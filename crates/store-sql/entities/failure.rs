//! What can go wrong inside a transaction.

use store::{Error, Result};

use crate::error::translate;

/// A failure inside a transaction, while it can still be seen whether a repeat would help.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It has its final words.
    Store(Error),
    /// The database or the way to it.
    Sqlx(sqlx::Error),
}

impl Failure {
    /// Whether it is one row that is at fault: a value that its column's type has no room for here, or a word that means nothing.
    pub(crate) const fn is_unreadable(&self) -> bool {
        matches!(
            self,
            Self::Store(Error::Inconsistency { .. }) | Self::Sqlx(sqlx::Error::ColumnDecode { .. })
        )
    }
}

/// A result within a transaction.
pub(crate) type Tried<T> = std::result::Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlx(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error,
            Failure::Sqlx(error) => translate(error),
        }
    }
}

/// The same where the only row that can be missing is known: SQLite does not name the foreign key that failed.
pub(crate) fn missing<E: Into<Failure>>(what: &'static str) -> impl FnOnce(E) -> Failure {
    move |error| match error.into() {
        Failure::Sqlx(sqlx::Error::Database(database)) if database.is_foreign_key_violation() => {
            Error::NotFound(what).into()
        }
        Failure::Store(Error::NotFound(_)) => Error::NotFound(what).into(),
        other => other,
    }
}

/// An error unless exactly this many rows were changed.
pub(crate) fn ensure_affected(actual: u64, expected: u64) -> Result<()> {
    if actual == expected { Ok(()) } else { Err(Error::RowsAffected { expected, actual }) }
}

/// The error of a fence or version that no longer holds.
pub(crate) const fn stale() -> Error {
    Error::RowsAffected { expected: 1, actual: 0 }
}
