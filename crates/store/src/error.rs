//! What can go wrong with a store.

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot take the write now: locked, full, or gone. Nothing was written; a repeat may succeed.
    #[error("the database cannot be used at the moment: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The driver failed in another way.
    #[error("the database failed: {0}")]
    Driver(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A row holds what cannot be read.
    #[error("the database holds what cannot be read: {table}.{column} of {row}: {source}")]
    Inconsistency {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
        /// The row's id.
        row: String,
        /// Why it cannot be read.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A write met another number of rows than it must: a stale fence, or a row that is gone.
    #[error("a write changed {actual} rows where {expected} had to be")]
    RowsAffected {
        /// How many had to be.
        expected: u64,
        /// How many were.
        actual: u64,
    },
    /// A value that must be unique is taken.
    #[error("{0} is already taken")]
    Conflict(&'static str),
    /// What was asked for does not exist, or not for the one who asks.
    #[error("{0} was not found")]
    NotFound(&'static str),
    /// An organisation keeps one owner at least, and this one is its last.
    #[error("the organisation has no other owner")]
    LastOwner,
}

/// A result of the store.
pub type Result<T> = std::result::Result<T, Error>;
