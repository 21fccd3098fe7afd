//! The database as the entities of `store-sql` name it.

pub(crate) use sqlx::{
    PgConnection as Connection, Postgres as Db,
    postgres::{PgArguments as Arguments, PgRow as Row},
};

/// Text from outside as it is kept, for what is given on without being read again.
pub(crate) fn kept(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}") } else { text }
}
