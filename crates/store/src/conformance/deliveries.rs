//! What Magento is told of its entities.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    environment::Environment,
    ids::BindingId,
    run::{BindingStatus, EntityKind, EventName::InvoiceCreated},
};

use super::world::World;
use crate::{Delivery, DeliveryState, Failed, Outcome, PageRequest, Store, SyncState, Targets};

/// Ends a run of a binding with this sync state.
pub(super) async fn reach_of(world: &World, binding: BindingId, state: &SyncState) {
    let run = world.event_of(binding, InvoiceCreated, world.now().timestamp_millis());
    world.store.receive(&run).await.unwrap();
    let claimed = world.claim().await;
    assert_eq!(claimed.run.id, run.run_id);
    let mut end = world.end(&claimed, Outcome::Succeeded);
    end.sync_state = Some(state.clone());
    world.store.finish_run(&end).await.unwrap();
}

pub(super) async fn reach(world: &World, state: &SyncState) {
    reach_of(world, world.binding, state).await;
}

async fn claim_at(world: &World, now: DateTime<Utc>) -> Option<Delivery> {
    world.store.claim_delivery(now, now + TimeDelta::minutes(1), Targets::All).await.unwrap()
}

pub(super) async fn claim(world: &World) -> Option<Delivery> {
    claim_at(world, world.now()).await
}

async fn renew(world: &World, delivery: &Delivery) -> Option<Delivery> {
    let now = world.now();
    world.store.renew_delivery(delivery, now, now + TimeDelta::minutes(1)).await.unwrap()
}

/// Takes what is due and is about to send it.
pub(super) async fn begin(world: &World) -> Delivery {
    let claimed = claim(world).await.unwrap();
    renew(world, &claimed).await.unwrap()
}

pub(super) async fn arrive(world: &World, delivery: &Delivery) {
    world.store.delivery_arrived(delivery, world.now()).await.unwrap();
}

pub(super) async fn fail(world: &World, delivery: &Delivery, error: &str, next_at: Option<DateTime<Utc>>) {
    let failed = Failed { error, next_at, rests_until: None, may_arrive: false };
    world.store.delivery_failed(delivery, failed).await.unwrap();
}

pub(super) async fn next_due(world: &World) -> Option<DateTime<Utc>> {
    world.store.next_delivery_due(Targets::All).await.unwrap()
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
    assert_eq!(next_due(&world).await, None);
    let (one, two) = (world.synced(1), failure(2, world.now()));
    let memo = SyncState { entity: EntityKind::Creditmemo, ..one.clone() };
    for state in [&one, &two, &memo] {
        reach(&world, state).await;
    }
    let newest = PageRequest { limit: 10, ..PageRequest::default() };
    let runs = world.store.page_runs(world.organisation, &newest).await.unwrap().runs;
    let traces: Vec<_> = runs.into_iter().map(|run| run.trace_parent).collect();
    for state in [&one, &two, &memo] {
        let delivery = begin(&world).await;
        assert_eq!((&delivery.state, delivery.binding_id, delivery.attempts), (state, world.binding, 1));
        assert!(delivery.trace_parent.is_some() && traces.contains(&delivery.trace_parent), "{traces:?}");
        assert_eq!(claim(&world).await, None, "the shop is held");
        arrive(&world, &delivery).await;
    }
    world.pass(TimeDelta::days(1));
    assert_eq!((claim(&world).await, next_due(&world).await), (None, None));
}

/// Only the newest state is told, under a greater version, with its tries counted again; also after the old one has arrived.
pub async fn a_newer_state_replaces_an_older_one(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    reach(&world, &failure(1, world.now())).await;
    let held = begin(&world).await;
    fail(&world, &held, "503", Some(world.after(TimeDelta::days(1)))).await;
    let newer = world.synced(1);
    reach(&world, &newer).await;
    let taken = begin(&world).await;
    assert_eq!((&taken.state, taken.attempts), (&newer, 1));
    assert!(taken.version > held.version);
    assert_eq!(claim(&world).await, None);
    arrive(&world, &taken).await;
    let newest = SyncState { sage_reference: Some("SI-2".to_owned()), ..world.synced(1) };
    reach(&world, &newest).await;
    let last = begin(&world).await;
    assert_eq!(last.state, newest);
    assert!(last.version > taken.version);
}

/// What has arrived is an older state: the newer one has not.
pub async fn a_newer_state_has_not_arrived_yet(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    reach(&world, &failure(1, world.now())).await;
    arrive(&world, &begin(&world).await).await;
    reach(&world, &world.synced(1)).await;
    let arrived = async || {
        let kept = world.store.delivery_of(world.organisation, world.binding, EntityKind::Invoice, 1).await;
        kept.unwrap().unwrap().delivered_at
    };
    assert_eq!(arrived().await, None, "it is due");
    fail(&world, &begin(&world).await, "400", None).await;
    assert_eq!(arrived().await, None, "it was given up");
}

/// The older one is on its way; the newer must not be overtaken by it, and must not be lost when the older one arrives.
pub async fn a_newer_state_waits_for_the_older_one_in_flight(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for has_arrived in [true, false] {
        reach(&world, &failure(1, world.now())).await;
        let old = begin(&world).await;
        let newer = world.synced(1);
        reach(&world, &newer).await;
        assert_eq!(claim(&world).await, None, "the older one is still on its way");
        if has_arrived {
            arrive(&world, &old).await;
        } else {
            fail(&world, &old, "503", None).await;
        }
        let taken = begin(&world).await;
        assert_eq!((&taken.state, taken.attempts), (&newer, 1));
        arrive(&world, &taken).await;
        assert_eq!(next_due(&world).await, None);
    }
}

/// What was claimed may be old when it is sent: it is read again, and what was not tried counts no try.
pub async fn the_newest_state_is_read_before_it_is_sent(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    reach(&world, &failure(1, world.now())).await;
    let claimed = claim(&world).await.unwrap();
    let newer = world.synced(1);
    reach(&world, &newer).await;
    let sent = renew(&world, &claimed).await.unwrap();
    assert_eq!((&sent.state, sent.version, sent.attempts), (&newer, claimed.version + 1, 1));
    arrive(&world, &sent).await;
    assert_eq!(next_due(&world).await, None);
}

/// A shop has one call at a time, whatever it is to be told.
pub async fn a_shop_is_told_one_state_at_a_time(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for number in 1..=3 {
        reach(&world, &world.synced(number)).await;
    }
    for number in 1..=3 {
        let delivery = begin(&world).await;
        assert_eq!(delivery.state.magento_id, number, "the one that is due longest");
        assert_eq!(claim(&world).await, None);
        arrive(&world, &delivery).await;
    }
}

/// A shop with a long backlog delays another one by a single call.
pub async fn shops_are_told_in_turn(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_binding("business-2").await;
    for number in 1..=30 {
        reach(&world, &world.synced(number)).await;
    }
    for number in 1..=5 {
        reach_of(&world, other, &world.synced(number)).await;
    }
    let mut told = Vec::new();
    for _ in 0..10 {
        let delivery = begin(&world).await;
        arrive(&world, &delivery).await;
        told.push(delivery.binding_id);
    }
    assert_eq!(told.iter().filter(|binding| **binding == other).count(), 5, "{told:?}");
}

/// Due again at the time that is said, with the tries counted, or never.
pub async fn a_failed_delivery_is_due_again_or_given_up(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    reach(&world, &world.synced(1)).await;
    let first = begin(&world).await;
    let due = world.after(TimeDelta::hours(1));
    fail(&world, &first, "the shop is down", Some(due)).await;
    assert_eq!(next_due(&world).await, Some(due));
    assert_eq!(claim_at(&world, due - TimeDelta::milliseconds(1)).await, None);
    let second = claim_at(&world, due).await.unwrap();
    assert_eq!(second, Delivery { attempts: 2, claim: second.claim, ..first });
    fail(&world, &second, "the shop is gone", None).await;
    assert_eq!(next_due(&world).await, None);
    assert_eq!(claim_at(&world, due + TimeDelta::days(9)).await, None);
    reach(&world, &world.synced(1)).await;
    assert!(claim_at(&world, due + TimeDelta::days(9)).await.is_some());
}

/// A worker that died in between is not waited for longer than its lease; a try that it did not begin is none.
pub async fn a_delivery_whose_holder_died_is_due_again(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    reach(&world, &world.synced(1)).await;
    let now = world.now();
    let until = now + TimeDelta::minutes(1);
    let first = claim_at(&world, now).await.unwrap();
    assert_eq!(next_due(&world).await, Some(until));
    assert_eq!(claim_at(&world, until - TimeDelta::milliseconds(1)).await, None);
    let second = claim_at(&world, until).await.unwrap();
    assert_eq!(second, Delivery { claim: second.claim, ..first.clone() });
    assert!(second.claim > first.claim);
    world.pass(TimeDelta::minutes(1));
    let sent = renew(&world, &second).await.unwrap();
    world.pass(TimeDelta::minutes(2));
    let third = claim(&world).await.unwrap();
    assert_eq!((third.attempts, third.unanswered.map(|call| call.version)), (2, Some(sent.version)));
}

/// A holder that comes back late sends nothing, and must not put off or give up what another holds by now.
pub async fn who_lost_a_shop_neither_sends_nor_decides(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    reach(&world, &world.synced(1)).await;
    let first = claim(&world).await.unwrap();
    world.pass(TimeDelta::minutes(1));
    let second = claim(&world).await.unwrap();
    assert_eq!(renew(&world, &first).await, None, "another holds the shop");
    let due = next_due(&world).await;
    fail(&world, &first, "late", None).await;
    assert_eq!(next_due(&world).await, due);
    reach(&world, &failure(1, world.now())).await;
    arrive(&world, &first).await;
    assert_eq!(claim(&world).await, None, "the second still holds the shop");
    let sent = renew(&world, &second).await.unwrap();
    arrive(&world, &sent).await;
    assert_eq!(renew(&world, &second).await, None, "it was given back");
    assert_eq!(next_due(&world).await, None);
}

/// A call that left in spite of all, from who had lost the shop, is known once it is answered: the newer state is told again.
pub async fn what_a_late_call_has_overwritten_is_told_again(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    reach(&world, &failure(1, world.now())).await;
    let old = begin(&world).await;
    world.pass(TimeDelta::minutes(20));
    let newer = world.synced(1);
    reach(&world, &newer).await;
    arrive(&world, &begin(&world).await).await;
    arrive(&world, &old).await;
    let again = begin(&world).await;
    assert_eq!(again.state, newer);
    arrive(&world, &again).await;
    arrive(&world, &again).await;
    assert_eq!(claim(&world).await, None, "the same version again overwrites nothing");
}

/// Magento may take in an older state long after it hung up on us: the newer one is said once more when that can be over.
pub async fn a_state_that_follows_an_unanswered_one_is_told_twice(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    reach(&world, &failure(1, world.now())).await;
    let old = begin(&world).await;
    let lost = Failed { error: "no answer", next_at: Some(world.now()), rests_until: None, may_arrive: true };
    world.store.delivery_failed(&old, lost).await.unwrap();
    let newer = world.synced(1);
    reach(&world, &newer).await;
    let sent = begin(&world).await;
    assert_eq!(sent.unanswered.map(|call| call.version), Some(old.version));
    arrive(&world, &sent).await;
    let kept = world.store.delivery_of(world.organisation, world.binding, EntityKind::Invoice, 1).await;
    assert!(kept.unwrap().unwrap().delivered_at.is_some(), "it is shown already");
    let due = next_due(&world).await.unwrap();
    let wait = due - world.now();
    assert!((TimeDelta::minutes(9)..TimeDelta::minutes(10)).contains(&wait), "{wait}");
    assert_eq!(claim(&world).await, None);
    world.pass(wait);
    let again = begin(&world).await;
    assert_eq!((&again.state, again.version), (&newer, sent.version));
    arrive(&world, &again).await;
    assert_eq!(next_due(&world).await, None);

    // The same state twice is no older one.
    let lost = begin_and_lose(&world).await;
    let again = begin(&world).await;
    assert_eq!(again.version, lost.version);
    arrive(&world, &again).await;
    assert_eq!(next_due(&world).await, None);
}

/// A new state whose first call is not answered.
async fn begin_and_lose(world: &World) -> Delivery {
    reach(world, &world.synced(2)).await;
    let sent = begin(world).await;
    let lost = Failed { error: "no answer", next_at: Some(world.now()), rests_until: None, may_arrive: true };
    world.store.delivery_failed(&sent, lost).await.unwrap();
    sent
}

/// Who did not answer is left alone with all that it is to be told; what was not tried counts no try.
pub async fn a_shop_that_rests_is_passed_over(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_binding("business-2").await;
    for number in 1..=2 {
        reach(&world, &world.synced(number)).await;
    }
    let first = begin(&world).await;
    let until = world.after(TimeDelta::minutes(5));
    let silent =
        Failed { error: "no answer", next_at: Some(world.now()), rests_until: Some(until), may_arrive: true };
    world.store.delivery_failed(&first, silent).await.unwrap();
    assert_eq!((claim(&world).await, next_due(&world).await), (None, Some(until)));
    reach_of(&world, other, &world.synced(1)).await;
    arrive(&world, &begin(&world).await).await;
    assert_eq!(claim(&world).await, None, "a new state of another shop ends no rest");
    let only_answering = world.store.claim_delivery(until, until, Targets::Answering).await.unwrap();
    assert_eq!(only_answering, None, "it has to answer first");
    assert_eq!(world.store.next_delivery_due(Targets::Answering).await.unwrap(), None);
    let second = claim_at(&world, until).await.unwrap();
    assert_eq!((second.state.magento_id, second.attempts, second.rests), (2, 1, 1));
    arrive(&world, &second).await;
    let last = claim_at(&world, until).await.unwrap();
    assert_eq!((last.state.magento_id, last.attempts, last.rests), (1, 2, 0), "it has answered");
}

/// Nobody is there to be told; a paused shop still is.
pub async fn revoked_bindings_are_told_nothing(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_binding("business-2").await;
    reach(&world, &world.synced(1)).await;
    reach_of(&world, other, &world.synced(1)).await;
    world.store.set_binding_status(world.binding, BindingStatus::Revoked, world.now(), None).await.unwrap();
    world.store.set_binding_status(other, BindingStatus::Paused, world.now(), None).await.unwrap();
    let taken = begin(&world).await;
    assert_eq!(taken.binding_id, other);
    arrive(&world, &taken).await;
    assert_eq!((claim(&world).await, next_due(&world).await), (None, None));
    world.store.set_binding_status(world.binding, BindingStatus::Active, world.now(), None).await.unwrap();
    assert!(claim(&world).await.is_some());
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
    let held = begin(&world).await;
    let due = world.now();
    fail(&world, &held, "503", Some(due)).await;
    let failed = of().await.unwrap();
    assert_eq!((failed.attempts, failed.next_at, failed.last_error.as_deref()), (1, Some(due), Some("503")));
    let held = begin(&world).await;
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
