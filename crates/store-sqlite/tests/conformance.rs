//! The suite that every driver passes.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its store has failed")]

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{environment::Environment as _, run::EventName};
use store::{Outcome, Runs as _, Store, Targets, conformance::World};
use store_sqlite::SqliteStore;
use tempfile::TempDir;

async fn make_store() -> (Arc<dyn Store>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("ledger.sqlite")).await.unwrap();
    store.migrate().await.unwrap();
    (Arc::new(store), folder)
}

store::conformance_suite!(make_store);

/// The only process is killed and started again: what it held is due at once. Beside another one that works nothing is taken.
#[tokio::test]
async fn leases_of_a_process_that_is_no_more_are_taken_back_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let dead = Arc::new(SqliteStore::open(&path).await.unwrap());
    dead.migrate().await.unwrap();
    let mut world = World::new(dead.clone()).await;
    assert_eq!(dead.take_back_leases(world.now()).await.unwrap(), 0);
    let told = world.receive(EventName::InvoiceCreated, 2).await;
    let mut end = world.end(&world.claim().await, Outcome::Succeeded);
    assert_eq!(end.fence.run_id, told);
    end.sync_state = Some(world.synced(2));
    dead.finish_run(&end).await.unwrap();
    let run = world.receive(EventName::InvoiceCreated, 1).await;
    world.claim().await;
    let tell = async |world: &World| {
        let now = world.now();
        world.store.claim_delivery(now, now + TimeDelta::minutes(1), Targets::All).await.unwrap()
    };
    assert!(tell(&world).await.is_some());

    let beside = SqliteStore::open(&path).await.unwrap();
    assert_eq!(beside.take_back_leases(world.now()).await.unwrap(), 0, "the other one works");
    assert!(world.try_claim().await.is_none() && tell(&world).await.is_none());
    beside.close().await;
    drop(beside);
    assert_eq!(dead.take_back_leases(world.now()).await.unwrap(), 0, "never its own");

    // A kill takes the lock away with the process.
    dead.close().await;
    world.store = Arc::new(SqliteStore::open(&path).await.unwrap());
    drop(dead);
    assert_eq!(world.store.take_back_leases(world.now()).await.unwrap(), 2);
    assert!(tell(&world).await.is_some(), "the shop is free");
    let heir = world.claim().await;
    assert_eq!((heir.run.id, heir.attempt_number), (run, 2));
}
