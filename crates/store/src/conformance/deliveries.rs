//! What Magento is told of its entities.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    ids::BindingId,
    outside::Outside,
    run::{BindingStatus, EntityKind, EventName::InvoiceCreated},
};

use super::world::World;
use crate::{Delivery, DeliveryState, Outcome, PageRequest, Store, SyncState};

/// Ends a run of a binding with this sync state.
async fn reach_of(world: &World, binding: BindingId, state: &SyncState) {
    let run = world.event_of(binding, InvoiceCreated, world.now().timestamp_millis());
    world.store.receive(&run).await.unwrap();
    let claimed = world.claim().await;
    assert_eq!(claimed.run.id, run.run_id);
    let mut end = world.end(&claimed, Outcome::Succeeded);
    end.sync_state = Some(state.clone());
    world.store.finish_run(&end).await.unwrap();
}

async fn reach(world: &World, state: &SyncState) {
    reach_of(world, world.binding, state).await;
}

async fn claim_at(world: &World, now: DateTime<Utc>) -> Vec<Delivery> {
    world.store.claim_deliveries(now, now + TimeDelta::minutes(1), 10).await.unwrap()
}

async fn claim(world: &World) -> Vec<Delivery> {
    claim_at(world, world.now()).await
}

fn failure(magento_id: i64, at: DateTime<Utc>) -> SyncState {
    SyncState {
        entity: EntityKind::Invoice,
        magento_id,
        status: "failed".to_owned(),
        sage_id: None,
        sage_reference: None,
        skip_reason: None,
        error_code: Some("validation".to_owned()),
        at,
    }
}

/// One row an entity, taken once, gone when it has arrived.
pub async fn a_sync_state_is_due_at_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    assert_eq!(world.store.next_delivery_due().await.unwrap(), None);
    let (one, two) = (world.synced(1), failure(2, world.now()));
    reach(&world, &one).await;
    reach(&world, &two).await;
    reach(&world, &SyncState { entity: EntityKind::Creditmemo, ..one.clone() }).await;
    let taken = claim(&world).await;
    assert_eq!(taken.len(), 3);
    let first = taken.iter().find(|delivery| delivery.state == one).unwrap();
    assert_eq!((first.binding_id, first.attempts), (world.binding, 1));
    let newest = PageRequest { limit: 10, ..PageRequest::default() };
    let runs = world.store.page_runs(world.organisation, &newest).await.unwrap().runs;
    let traces: Vec<_> = runs.into_iter().map(|run| run.trace_parent).collect();
    assert!(first.trace_parent.is_some() && traces.contains(&first.trace_parent), "{traces:?}");
    assert!(taken.iter().any(|delivery| delivery.state == two));
    assert!(claim(&world).await.is_empty(), "they are held");
    for delivery in &taken {
        world.store.delivery_arrived(delivery, world.now()).await.unwrap();
    }
    world.pass(TimeDelta::days(1));
    assert!(claim(&world).await.is_empty());
    assert_eq!(world.store.next_delivery_due().await.unwrap(), None);
}

/// Only the newest state is told, under a greater version, with its tries counted anew; also after the old one has arrived.
pub async fn a_newer_state_replaces_an_older_one(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    reach(&world, &failure(1, world.now())).await;
    let now = world.now();
    let held = claim_at(&world, now).await.remove(0);
    world.store.delivery_failed(&held, "503", Some(now + TimeDelta::days(1))).await.unwrap();
    let newer = world.synced(1);
    reach(&world, &newer).await;
    let taken = claim(&world).await;
    assert_eq!(taken.len(), 1);
    assert_eq!((&taken[0].state, taken[0].attempts), (&newer, 1));
    assert!(taken[0].version > held.version);
    world.store.delivery_arrived(&taken[0], world.now()).await.unwrap();
    let newest = SyncState { sage_reference: Some("SI-2".to_owned()), ..world.synced(1) };
    reach(&world, &newest).await;
    let last = claim(&world).await.remove(0);
    assert_eq!(last.state, newest);
    assert!(last.version > taken[0].version);
}

/// The older one is on its way; the newer must not be overtaken by it, and must not be lost when the older one arrives.
pub async fn a_newer_state_waits_for_the_older_one_in_flight(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for has_arrived in [true, false] {
        reach(&world, &failure(1, world.now())).await;
        let old = claim(&world).await.remove(0);
        let newer = world.synced(1);
        reach(&world, &newer).await;
        assert!(claim(&world).await.is_empty(), "the older one is still held");
        if has_arrived {
            world.store.delivery_arrived(&old, world.now()).await.unwrap();
        } else {
            world.store.delivery_failed(&old, "503", None).await.unwrap();
        }
        let taken = claim(&world).await.remove(0);
        assert_eq!((&taken.state, taken.attempts), (&newer, 1));
        world.store.delivery_arrived(&taken, world.now()).await.unwrap();
        assert_eq!(world.store.next_delivery_due().await.unwrap(), None);
    }
}

/// Due again at the time that is said, with the tries counted, or never.
pub async fn a_failed_delivery_is_due_again_or_given_up(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    reach(&world, &world.synced(1)).await;
    let first = claim(&world).await.remove(0);
    let due = world.after(TimeDelta::hours(1));
    world.store.delivery_failed(&first, "the shop is down", Some(due)).await.unwrap();
    assert_eq!(world.store.next_delivery_due().await.unwrap(), Some(due));
    assert!(claim_at(&world, due - TimeDelta::milliseconds(1)).await.is_empty());
    let second = claim_at(&world, due).await.remove(0);
    assert_eq!(second, Delivery { attempts: 2, ..first });
    world.store.delivery_failed(&second, "the shop is gone", None).await.unwrap();
    assert_eq!(world.store.next_delivery_due().await.unwrap(), None);
    assert!(claim_at(&world, due + TimeDelta::days(9)).await.is_empty());
    reach(&world, &world.synced(1)).await;
    assert_eq!(claim_at(&world, due + TimeDelta::days(9)).await.len(), 1);
}

/// A worker that died in between is not waited for longer than its lease.
pub async fn a_delivery_whose_holder_died_is_due_again(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    reach(&world, &world.synced(1)).await;
    let now = world.now();
    let until = now + TimeDelta::minutes(1);
    let first = claim_at(&world, now).await.remove(0);
    assert_eq!(world.store.next_delivery_due().await.unwrap(), Some(until));
    assert!(claim_at(&world, until - TimeDelta::milliseconds(1)).await.is_empty());
    assert_eq!(claim_at(&world, until).await, [Delivery { attempts: 2, ..first }]);
}

/// A holder that comes back late must not put off or give up what another holds by now.
pub async fn a_late_word_on_an_old_try_changes_nothing(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    reach(&world, &world.synced(1)).await;
    let now = world.now();
    let first = claim_at(&world, now).await.remove(0);
    let again = now + TimeDelta::minutes(1);
    let second = claim_at(&world, again).await.remove(0);
    world.store.delivery_failed(&first, "late", None).await.unwrap();
    assert_eq!(world.store.next_delivery_due().await.unwrap(), Some(again + TimeDelta::minutes(1)));
    reach(&world, &failure(1, world.now())).await;
    world.store.delivery_failed(&second, "503", None).await.unwrap();
    let third = claim_at(&world, again).await.remove(0);
    world.store.delivery_arrived(&second, world.now()).await.unwrap();
    assert!(claim_at(&world, again).await.is_empty(), "the third is held");
    world.store.delivery_arrived(&third, world.now()).await.unwrap();
    assert_eq!(world.store.next_delivery_due().await.unwrap(), None);
}

/// Nobody is there to be told; a paused shop still is.
pub async fn revoked_bindings_are_told_nothing(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_binding("business-2").await;
    reach(&world, &world.synced(1)).await;
    reach_of(&world, other, &world.synced(1)).await;
    world.store.set_binding_status(world.binding, BindingStatus::Revoked, world.now()).await.unwrap();
    world.store.set_binding_status(other, BindingStatus::Paused, world.now()).await.unwrap();
    let taken = claim(&world).await;
    assert_eq!(taken.iter().map(|delivery| delivery.binding_id).collect::<Vec<_>>(), [other]);
    world.store.delivery_arrived(&taken[0], world.now()).await.unwrap();
    assert_eq!(world.store.next_delivery_due().await.unwrap(), None);
    world.store.set_binding_status(world.binding, BindingStatus::Active, world.now()).await.unwrap();
    assert_eq!(claim(&world).await.len(), 1);
}

/// A worker takes no more than it can send within its lease; the longest due come first.
pub async fn deliveries_are_taken_up_to_the_limit(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for number in 1..=5 {
        reach(&world, &world.synced(number)).await;
    }
    let mut taken = Vec::new();
    for expected in [2, 2, 1, 0] {
        let until = world.after(TimeDelta::minutes(1));
        let some = world.store.claim_deliveries(world.now(), until, 2).await.unwrap();
        assert_eq!(some.len(), expected);
        let mut ids = some.iter().map(|delivery| delivery.state.magento_id).collect::<Vec<_>>();
        ids.sort_unstable();
        taken.extend(ids);
    }
    assert_eq!(taken, [1, 2, 3, 4, 5]);
}

/// What the page of a run says of Magento's side, from the first word to its arrival.
pub async fn how_a_delivery_stands_is_told_to_its_organisation(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (binding, kind) = (world.binding, EntityKind::Invoice);
    let of = async || world.store.delivery_of(world.organisation, binding, kind, 1).await.unwrap();
    assert_eq!(of().await, None);
    let state = world.synced(1);
    reach(&world, &state).await;
    let waiting = of().await.unwrap();
    assert_eq!((&waiting.state, waiting.attempts, waiting.delivered_at), (&state, 0, None));
    assert!(waiting.next_at.is_some());
    let held = claim(&world).await.remove(0);
    let due = world.now();
    world.store.delivery_failed(&held, "503", Some(due)).await.unwrap();
    let failed = of().await.unwrap();
    assert_eq!((failed.attempts, failed.next_at, failed.last_error.as_deref()), (1, Some(due), Some("503")));
    let held = claim(&world).await.remove(0);
    let now = world.now();
    world.store.delivery_arrived(&held, now).await.unwrap();
    let expected =
        DeliveryState { state, attempts: 2, next_at: None, delivered_at: Some(now), last_error: None };
    assert_eq!(of().await, Some(expected));
    let stranger = world.add_organisation("Second").await;
    assert_eq!(world.store.delivery_of(stranger, binding, kind, 1).await.unwrap(), None);
    assert_eq!(
        world.store.delivery_of(world.organisation, binding, EntityKind::Product, 1).await.unwrap(),
        None
    );
}
