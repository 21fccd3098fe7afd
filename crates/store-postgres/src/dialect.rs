//! What the two dialects of SQL spell differently, as parts of statements; the other driver has the same.

/// A query whose rows are held until the transaction ends.
macro_rules! held {
    ($query:expr, $lock:literal) => {
        concat!($query, " ", $lock)
    };
}

/// That a column is one of those that a query finds, which it holds. As an array, so that the query runs once.
macro_rules! within {
    ($query:expr, $lock:literal) => {
        concat!(" = ANY (ARRAY (", $query, " ", $lock, "))")
    };
}

/// That a value is in a list.
macro_rules! among {
    ($value:literal, $list:literal) => {
        concat!($value, " = ANY(", $list, ")")
    };
}

/// The pairs of two lists, as a query.
macro_rules! zipped {
    ($first:literal, $second:literal) => {
        concat!("SELECT * FROM unnest(", $first, "::text[], ", $second, "::text[])")
    };
}

/// The latest or largest of several that are there.
macro_rules! greatest {
    ($first:literal $(, $more:literal)+ $(,)?) => {
        concat!("greatest(", $first, $(", ", $more,)+ ")")
    };
}

/// That a column is true, as the index says that holds only those rows.
macro_rules! truth {
    ($column:literal) => {
        $column
    };
}

/// What tells a run from all others. Keys lead with the binding, so that tables can be spread over machines by it.
macro_rules! run_key {
    () => {
        "binding_id, run_id"
    };
}

/// The index by which a table is read. Postgres finds it itself.
macro_rules! indexed {
    ($index:literal) => {
        ""
    };
}

/// That a run is held by nobody.
macro_rules! freed {
    () => {
        "attempt_id = NULL, lease_until = NULL"
    };
}

pub(crate) use {among, freed, greatest, held, indexed, run_key, truth, within, zipped};
