//! Rows that become values of the store's.

use sqlx::{Executor, FromRow, Row as _, query::Query};
use store::{Error, Result};
use store_sql::Id;
use uuid::Uuid;

use super::Tried;
use crate::db::{Arguments, Db, Row};

/// A row of a table, or of several.
pub(crate) trait Record: for<'r> FromRow<'r, Row> {
    /// What it becomes.
    type Value;
    /// The table that it is named after when it cannot be read.
    const TABLE: &'static str;
    /// The column that tells its rows apart.
    const KEY: &'static str;

    /// What it becomes.
    fn value(self) -> Result<Self::Value>;
}

/// All that a query finds.
pub(crate) async fn all<'e, R: Record>(
    query: Query<'_, Db, Arguments>,
    executor: impl Executor<'e, Database = Db>,
) -> Tried<Vec<R::Value>> {
    Ok(query.fetch_all(executor).await?.iter().map(read::<R>).collect::<Result<_>>()?)
}

/// Those of them that can be read.
pub(crate) async fn readable<'e, R: Record>(
    query: Query<'_, Db, Arguments>,
    executor: impl Executor<'e, Database = Db>,
) -> Tried<Vec<R::Value>> {
    Ok(store::readable(query.fetch_all(executor).await?.iter().map(read::<R>))?)
}

/// The one that a query finds, or none.
pub(crate) async fn optional<'e, R: Record>(
    query: Query<'_, Db, Arguments>,
    executor: impl Executor<'e, Database = Db>,
) -> Tried<Option<R::Value>> {
    Ok(query.fetch_optional(executor).await?.as_ref().map(read::<R>).transpose()?)
}

/// A value out of a row. One that makes no sense is named by its column and its row.
pub(crate) fn read<R: Record>(row: &Row) -> Result<R::Value> {
    let record = R::from_row(row).map_err(|error| match error {
        sqlx::Error::ColumnDecode { index, source } => Error::Inconsistency {
            table: R::TABLE,
            column: index.trim_matches('"').to_owned(),
            row: key(row, R::KEY),
            source,
        },
        other => Error::Driver(Box::new(other)),
    })?;
    record.value()
}

fn key(row: &Row, column: &str) -> String {
    let text = row.try_get::<String, _>(column);
    text.or_else(|_| row.try_get(column).map(|Id::<Uuid>(id)| id.to_string())).unwrap_or_default()
}
