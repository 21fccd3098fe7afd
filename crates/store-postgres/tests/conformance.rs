//! The suite that every driver passes, on Postgres.

mod support;

use std::sync::Arc;

use store::Store;

async fn make_store() -> (Arc<dyn Store>, support::Database) {
    let database = support::Database::create().await;
    (database.store().await, database)
}

store::conformance_suite!(make_store);
