//! Many at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use domain::{
    ids::{AttemptId, RunId},
    outside::Outside,
    run::{EventName::InvoiceCreated, RunStatus},
};

use super::world::{World, fence};
use crate::{Outcome, Received, Store};

/// Two hundred webhooks at the same moment.
pub async fn events_at_once_make_a_run_each(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut tasks = Vec::new();
    for number in 0..200 {
        let (store, event) = (Arc::clone(&world.store), world.event(InvoiceCreated, number));
        tasks.push(tokio::spawn(async move { (event.run_id, store.receive(&event).await.unwrap()) }));
    }
    for task in tasks {
        let (id, received) = task.await.unwrap();
        assert_eq!(received, Received::Queued(id));
        assert_eq!(world.run(id).await.status, RunStatus::Queued);
    }
    assert_eq!(world.store.count_runs(world.binding, world.now()).await.unwrap().pending, 200);
}

/// A shop that repeats itself without waiting for the answer.
pub async fn the_same_event_at_once_makes_one_run(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut tasks = Vec::new();
    for _ in 0..32 {
        let (store, event) = (Arc::clone(&world.store), world.event(InvoiceCreated, 1));
        tasks.push(tokio::spawn(async move { store.receive(&event).await.unwrap() }));
    }
    let (mut queued, mut answered) = (0, BTreeSet::new());
    for task in tasks {
        let received = task.await.unwrap();
        queued += u32::from(matches!(received, Received::Queued(_)));
        answered.extend(received.run_id());
    }
    assert_eq!((queued, answered.len()), (1, 1));
}

/// Eight workers, forty runs, ten businesses: each run once, each business one run at a time.
pub async fn workers_at_once_never_share_a_run(store: Arc<dyn Store>) {
    let world = Arc::new(World::new(store).await);
    for business in 0..10 {
        let binding = world.add_binding(&format!("crowd-{business}")).await;
        for number in 0..4 {
            world.receive_of(binding, InvoiceCreated, number).await;
        }
    }
    let (now, until) = (world.now(), world.after(TimeDelta::hours(1)));
    let live = Arc::new(Mutex::new(BTreeSet::new()));
    let done = Arc::new(Mutex::new(BTreeMap::<RunId, u32>::new()));
    let mut workers = Vec::new();
    for number in 0..8 {
        let (world, live, done) = (Arc::clone(&world), Arc::clone(&live), Arc::clone(&done));
        workers.push(tokio::spawn(async move {
            let name = format!("worker-{number}");
            let mut idle = 0;
            while idle < 3 {
                let attempt = AttemptId(world.id());
                let Some(claimed) = world.store.claim_run(attempt, &name, now, until).await.unwrap() else {
                    idle += 1;
                    tokio::task::yield_now().await;
                    continue;
                };
                idle = 0;
                assert!(live.lock().unwrap().insert(claimed.run.binding_id), "two writers of one business");
                *done.lock().unwrap().entry(claimed.run.id).or_default() += 1;
                world.store.extend_lease(fence(&claimed), world.now(), until).await.unwrap();
                // Before the write: once it is committed another may hold the business.
                live.lock().unwrap().remove(&claimed.run.binding_id);
                world.finish(&claimed, Outcome::Succeeded).await;
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
    while let Some(claimed) = world.store.claim_run(AttemptId(world.id()), "last", now, until).await.unwrap()
    {
        *done.lock().unwrap().entry(claimed.run.id).or_default() += 1;
        world.finish(&claimed, Outcome::Succeeded).await;
    }
    let done = done.lock().unwrap();
    assert_eq!((done.len(), done.values().sum::<u32>()), (40, 40));
}
