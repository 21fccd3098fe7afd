//! The suite that every driver passes.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its store has failed")]

use std::sync::Arc;

use store::Store;
use store_sqlite::SqliteStore;
use tempfile::TempDir;

async fn make_store() -> (Arc<dyn Store>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("ledger.sqlite")).await.unwrap();
    store.migrate().await.unwrap();
    (Arc::new(store), folder)
}

store::conformance_suite!(make_store);
