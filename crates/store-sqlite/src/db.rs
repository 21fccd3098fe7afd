//! The database as the entities of `store-sql` name it.

pub(crate) use sqlx::{
    Sqlite as Db, SqliteConnection as Connection,
    sqlite::{SqliteArguments as Arguments, SqliteRow as Row},
};

/// Text from outside as it is kept, for what is given on without being read again.
pub(crate) const fn kept(text: String) -> String {
    text
}
