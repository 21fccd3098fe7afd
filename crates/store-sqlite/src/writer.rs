//! The right to write.

use sqlx::{Sqlite, SqlitePool, Transaction};
use store::{Error, Result};

use crate::error::translate;

/// The one connection that writes.
#[derive(Clone)]
pub(crate) struct Writer {
    pool: SqlitePool,
}

impl Writer {
    /// Writes by this pool of one.
    pub(crate) const fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }

    /// A transaction that holds the right to write from its start: one that reads first and writes later would fail when
    /// another process has written in between.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(translate)
    }

    /// For a single statement, which is a transaction of its own.
    pub(crate) const fn pool(&self) -> &SqlitePool {
        &self.pool
    }
}

/// What is told once the store is closed.
pub(crate) fn closed() -> Error {
    Error::Unavailable("the store is closed".into())
}
