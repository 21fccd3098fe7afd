//! What the two dialects of SQL spell differently, as parts of statements; the other driver has the same.

/// A query whose rows are held until the transaction ends. Here a transaction that writes holds the whole database.
macro_rules! held {
    ($query:expr, $lock:literal) => {
        $query
    };
}

/// That a column is one of those that a query finds, which it holds.
macro_rules! within {
    ($query:expr, $lock:literal) => {
        concat!(" IN (", $query, ")")
    };
}

/// That a value is in a list.
macro_rules! among {
    ($value:literal, $list:literal) => {
        concat!($value, " IN (SELECT value FROM json_each(", $list, "))")
    };
}

/// The pairs of two lists, as a query.
macro_rules! zipped {
    ($first:literal, $second:literal) => {
        concat!(
            "SELECT a.value, b.value FROM json_each(",
            $first,
            ") a JOIN json_each(",
            $second,
            ") b ON b.key = a.key"
        )
    };
}

/// The latest or largest of several that are there.
macro_rules! greatest {
    ($first:literal $(, $more:literal)+ $(,)?) => {
        concat!("max(", $first, $(", ", $more,)+ ")")
    };
}

/// That a column is true, as the index says that holds only those rows.
macro_rules! truth {
    ($column:literal) => {
        concat!($column, " = 1")
    };
}

/// What tells a run from all others.
macro_rules! run_key {
    () => {
        "run_id"
    };
}

/// The index by which a table is read. SQLite may find a worse one itself.
macro_rules! indexed {
    ($index:literal) => {
        concat!(" INDEXED BY ", $index)
    };
}

/// That a run is held by nobody.
macro_rules! freed {
    () => {
        "attempt_id = NULL, lease_until = NULL, lease_business = NULL"
    };
}

pub(crate) use {among, freed, greatest, held, indexed, run_key, truth, within, zipped};
