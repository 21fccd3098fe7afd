//! Receiving events.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    environment::Environment,
    ids::{BindingId, RunId},
    run::{BindingStatus, EventName, EventName::InvoiceCreated, RunStatus},
    settings::Settings,
};

use super::world::{World, assert_not_found, retrying};
use crate::{Outcome, Received, Run, RunFacts, SettingsVersion, Store};

/// The run is all that the event told.
pub async fn an_event_makes_a_run_that_is_due_at_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for (number, name) in (1..).zip(EventName::ALL) {
        let mut event = world.event(*name, number);
        event.increment_id = event.increment_id.filter(|_| *name == InvoiceCreated);
        assert_eq!(world.store.receive(&event).await.unwrap(), Received::Queued(event.run_id));
        let expected = Run {
            id: event.run_id,
            binding_id: world.binding,
            event: *name,
            magento_id: number,
            status: RunStatus::Queued,
            code: None,
            message: None,
            attempts: 0,
            next_at: event.received_at,
            settings_version: 0,
            facts: RunFacts { increment_id: event.increment_id, ..RunFacts::default() },
            website_id: 1,
            store_id: 2,
            occurred_at: event.occurred_at,
            created_at: event.received_at,
            updated_at: event.received_at,
            finished_at: None,
            started_at: None,
            resolved_by: None,
            trace_parent: event.trace_parent.clone(),
        };
        assert_eq!(world.run(event.run_id).await, expected);
    }
}

/// A repeated key is the same event, whatever became of its run since.
pub async fn what_happens_once_answers_its_first_run(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let once = EventName::ALL.iter().copied().filter(|name| name.happens_once());
    for (number, name) in (1..).zip(once) {
        let first = world.receive(name, number).await;
        let again = world.store.receive(&world.event(name, number)).await.unwrap();
        assert_eq!(again, Received::Known(first));
        let claimed = world.claim().await;
        assert_eq!(world.store.receive(&world.event(name, number)).await.unwrap(), Received::Known(first));
        world.finish(&claimed, Outcome::Succeeded).await;
        assert_eq!(world.store.receive(&world.event(name, number)).await.unwrap(), Received::Known(first));
        assert!(world.try_claim().await.is_none(), "{name}: a repeat made a run");
    }
    let other = world.add_binding("business-2").await;
    let elsewhere = world.event_of(other, InvoiceCreated, 1);
    assert_eq!(world.store.receive(&elsewhere).await.unwrap(), Received::Queued(elsewhere.run_id));
}

/// Each save of a customer or product is news; news that nobody has looked at yet is told once.
pub async fn upserts_fold_while_queued_or_waiting_and_not_after(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for name in [EventName::CustomerUpserted, EventName::ProductUpserted] {
        let binding = world.add_binding(name.as_str()).await;
        let save = |number| world.event_of(binding, name, number);
        let first = world.receive_of(binding, name, 7).await;
        assert_eq!(world.store.receive(&save(7)).await.unwrap(), Received::Known(first));
        let another = world.receive_of(binding, name, 8).await;
        assert_ne!(another, first);
        world.store.set_binding_status(binding, BindingStatus::Paused, world.now(), None).await.unwrap();
        assert_eq!(world.store.receive(&save(7)).await.unwrap(), Received::Known(first));
        world.store.set_binding_status(binding, BindingStatus::Active, world.now(), None).await.unwrap();

        let running = world.claim().await;
        assert_eq!(running.run.id, first);
        let second = save(7);
        assert_eq!(world.store.receive(&second).await.unwrap(), Received::Queued(second.run_id));
        assert_eq!(world.store.receive(&save(7)).await.unwrap(), Received::Known(second.run_id));
        world.finish(&running, Outcome::Succeeded).await;

        for id in [another, second.run_id] {
            let claimed = world.claim().await;
            assert_eq!(claimed.run.id, id);
            world.finish(&claimed, retrying(world.after(TimeDelta::days(1)))).await;
        }
        let third = save(7);
        assert_eq!(world.store.receive(&third).await.unwrap(), Received::Queued(third.run_id));
        let claimed = world.claim().await;
        world.finish(&claimed, Outcome::Succeeded).await;
    }
}

/// A token that was used is no longer valid with another event or another body; the very same request is answered as it was.
pub async fn a_replayed_token_writes_nothing(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let first = world.event(InvoiceCreated, 1);
    world.store.receive(&first).await.unwrap();
    let mut replay = world.event(InvoiceCreated, 2);
    replay.token.clone_from(&first.token);
    assert_eq!(world.store.receive(&replay).await.unwrap(), Received::Replayed);
    assert_eq!(world.store.run(world.organisation, replay.run_id).await.unwrap(), None);
    assert_eq!(world.store.receive(&first).await.unwrap(), Received::Known(first.run_id));
    let mut other_body = first.clone();
    r#"{"payload":{"paid":true}}"#.clone_into(&mut other_body.body);
    assert_eq!(world.store.receive(&other_body).await.unwrap(), Received::Replayed);

    let (token, ends) = first.token.unwrap();
    assert!(!world.store.use_token(world.binding, &token, ends).await.unwrap());
    let elsewhere_used = world.uuid_v4().to_string();
    let mut status_token = world.event(InvoiceCreated, 6);
    status_token.token = Some((elsewhere_used.clone(), ends));
    world.store.use_token(world.binding, &elsewhere_used, ends).await.unwrap();
    assert_eq!(world.store.receive(&status_token).await.unwrap(), Received::Replayed);
    let other = world.add_binding("business-2").await;
    let mut elsewhere = world.event_of(other, InvoiceCreated, 3);
    elsewhere.token = Some((token, ends));
    assert_eq!(world.store.receive(&elsewhere).await.unwrap(), Received::Queued(elsewhere.run_id));

    for number in [4, 5] {
        let mut own = world.event(InvoiceCreated, number);
        own.token = None;
        assert_eq!(world.store.receive(&own).await.unwrap(), Received::Queued(own.run_id));
    }
}

/// A token is noted before the event is looked at, with the run that it was answered with.
pub async fn a_duplicate_spends_its_token(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let first = world.receive(InvoiceCreated, 1).await;
    let duplicate = world.event(InvoiceCreated, 1);
    assert_eq!(world.store.receive(&duplicate).await.unwrap(), Received::Known(first));
    assert_eq!(world.store.receive(&duplicate).await.unwrap(), Received::Known(first));
    let mut saved = world.event(EventName::ProductUpserted, 7);
    assert_eq!(world.store.receive(&saved).await.unwrap(), Received::Queued(saved.run_id));
    let claimed = world.claim().await;
    assert_eq!(claimed.run.id, first);
    world.finish(&claimed, Outcome::Succeeded).await;
    let claimed = world.claim().await;
    world.finish(&claimed, Outcome::Succeeded).await;
    // The run has ended, and the repeat of its request still makes no other one.
    let first_of_saved = saved.run_id;
    (saved.id, saved.run_id) = (domain::ids::EventId(world.id()), RunId(world.id()));
    assert_eq!(world.store.receive(&saved).await.unwrap(), Received::Known(first_of_saved));
}

/// A run is judged by the settings of the day it came.
pub async fn a_run_takes_the_current_settings_version(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut runs: Vec<RunId> = vec![world.receive(InvoiceCreated, 1).await];
    for version in 1..=2 {
        let created_at = world.now();
        let settings = SettingsVersion {
            version,
            settings: Settings::default(),
            author: None,
            reason: None,
            created_at,
        };
        world.store.save_settings(world.binding, &settings, None).await.unwrap();
        runs.push(world.receive(InvoiceCreated, 1 + version).await);
    }
    for (version, id) in (0..).zip(runs) {
        assert_eq!(world.run(id).await.settings_version, version);
    }
}

/// Nothing is lost while a binding stands still: its events are queued and wait for it.
pub async fn events_are_queued_while_the_binding_is_not_active(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for (number, status) in [
        (1, BindingStatus::Pending),
        (2, BindingStatus::Paused),
        (3, BindingStatus::NeedsReauth),
        (4, BindingStatus::Revoked),
    ] {
        world.store.set_binding_status(world.binding, status, world.now(), None).await.unwrap();
        let event = world.event(InvoiceCreated, number);
        assert_eq!(world.store.receive(&event).await.unwrap(), Received::Queued(event.run_id));
        assert_eq!(world.run_state(event.run_id).await, (RunStatus::Queued, None));
    }
    assert!(world.try_claim().await.is_none());
    world.store.set_binding_status(world.binding, BindingStatus::Active, world.now(), None).await.unwrap();
    for number in 1..=4 {
        let claimed = world.claim().await;
        assert_eq!(claimed.run.magento_id, number);
        world.finish(&claimed, Outcome::Succeeded).await;
    }
}

/// There is nobody to run it for.
pub async fn an_event_of_an_unknown_binding_is_refused(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let event = world.event_of(BindingId(world.id()), InvoiceCreated, 1);
    assert_not_found(world.store.receive(&event).await);
}

/// The memory of tokens does not grow for ever.
pub async fn a_token_is_used_once_and_forgotten_when_it_has_ended(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_binding("business-2").await;
    let (first, second) = (world.after(TimeDelta::minutes(1)), world.after(TimeDelta::minutes(2)));
    assert!(world.store.use_token(world.binding, "one", first).await.unwrap());
    assert!(!world.store.use_token(world.binding, "one", first).await.unwrap());
    assert!(world.store.use_token(other, "one", second).await.unwrap());
    assert!(world.store.use_token(world.binding, "two", second).await.unwrap());
    assert_eq!(world.store.purge_tokens(first - TimeDelta::milliseconds(1)).await.unwrap(), 0);
    assert_eq!(world.store.purge_tokens(first).await.unwrap(), 1);
    assert!(world.store.use_token(world.binding, "one", first).await.unwrap());
    assert!(!world.store.use_token(world.binding, "two", second).await.unwrap());
}
