//! Named leases.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::environment::Environment;

use super::world::World;
use crate::Store;

/// The holder may extend and give back; others wait.
pub async fn a_lease_has_one_holder_at_a_time(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (now, until) = (world.now(), world.after(TimeDelta::minutes(1)));
    assert!(world.store.acquire_lease("tokens", "a", now, until).await.unwrap());
    assert!(!world.store.acquire_lease("tokens", "b", now, until).await.unwrap());
    assert!(world.store.acquire_lease("other", "b", now, until).await.unwrap());
    assert!(world.store.acquire_lease("tokens", "a", now, until + TimeDelta::minutes(1)).await.unwrap());
    world.store.release_lease("tokens", "b").await.unwrap();
    assert!(!world.store.acquire_lease("tokens", "b", until, until + TimeDelta::minutes(1)).await.unwrap());
    world.store.release_lease("tokens", "a").await.unwrap();
    world.store.release_lease("tokens", "a").await.unwrap();
    assert!(world.store.acquire_lease("tokens", "b", now, until).await.unwrap());
}

/// A holder that died is not waited for longer than its lease.
pub async fn a_lease_that_ran_out_goes_to_the_next(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (now, until) = (world.now(), world.after(TimeDelta::minutes(1)));
    assert!(world.store.acquire_lease("tokens", "a", now, until).await.unwrap());
    let just_before = until - TimeDelta::milliseconds(1);
    assert!(
        !world.store.acquire_lease("tokens", "b", just_before, until + TimeDelta::minutes(1)).await.unwrap()
    );
    assert!(world.store.acquire_lease("tokens", "b", until, until + TimeDelta::minutes(1)).await.unwrap());
    assert!(!world.store.acquire_lease("tokens", "a", until, until + TimeDelta::minutes(2)).await.unwrap());
    world.store.release_lease("tokens", "a").await.unwrap();
    assert!(!world.store.acquire_lease("tokens", "a", until, until + TimeDelta::minutes(2)).await.unwrap());
}
