//! Many at once.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use domain::{
    environment::Environment,
    ids::{AttemptId, BindingId, RunId},
    run::{EventName::InvoiceCreated, RunStatus},
};

use super::{
    deliveries::reach_of,
    world::{World, fence},
};
use crate::{Outcome, Received, Store, Targets};

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

/// Workers at once take each shop once, and leave no state behind.
pub async fn workers_at_once_never_share_a_shop(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut shops = vec![world.binding];
    for number in 2..=4 {
        shops.push(world.add_binding(&format!("business-{number}")).await);
    }
    for shop in &shops {
        for number in 1..=6 {
            reach_of(&world, *shop, &world.synced(number)).await;
        }
    }
    let (now, until) = (world.now(), world.after(TimeDelta::minutes(1)));
    let held: Arc<Mutex<HashSet<BindingId>>> = Arc::default();
    let workers = std::iter::repeat_with(|| {
        let (store, held) = (Arc::clone(&world.store), Arc::clone(&held));
        tokio::spawn(async move {
            let mut told = 0;
            while store.next_delivery_due(Targets::All).await.unwrap().is_some() {
                let Some(delivery) = store.claim_delivery(now, until, Targets::All).await.unwrap() else {
                    tokio::task::yield_now().await;
                    continue;
                };
                assert!(held.lock().unwrap().insert(delivery.binding_id), "two hold a shop");
                let sent = store.renew_delivery(&delivery, now, until).await.unwrap().unwrap();
                assert!(held.lock().unwrap().remove(&delivery.binding_id));
                store.delivery_arrived(&sent, now).await.unwrap();
                told += 1;
            }
            told
        })
    });
    let mut told = 0;
    for worker in workers.take(6).collect::<Vec<_>>() {
        told += worker.await.unwrap();
    }
    assert_eq!(told, 24);
}
