//! What an operator does to runs by hand.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    environment::Environment,
    ids::{AttemptId, RunId},
    run::{
        BindingStatus,
        EventName::{CustomerUpserted, InvoiceCreated, InvoicePaid},
        RunStatus,
    },
    xref::{XrefKey, XrefKind},
};

use super::world::{
    World, assert_not_found, assert_stale, failed, fence, needs_mapping, retrying, skipped, waiting_for,
};
use crate::{NewXref, OldRuns, Outcome, Received, Requeued, Store, Targets};

async fn requeue(world: &World, run: RunId) -> Requeued {
    world.store.requeue_run(world.organisation, run, false, world.now()).await.unwrap()
}

/// All that have ended by now.
fn all_old(world: &World) -> OldRuns {
    OldRuns { ended_before: world.after(TimeDelta::seconds(1)), keep_failed: false }
}

/// It goes on at once, and goes on counting.
pub async fn what_waits_or_is_due_later_is_made_due(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let later = world.after(TimeDelta::days(1));
    for (number, outcome) in (1..).zip([needs_mapping(), waiting_for(99), retrying(later)]) {
        let id = world.run_through(InvoiceCreated, number, outcome).await;
        assert_eq!(requeue(&world, id).await, Requeued::Due);
        assert_eq!(world.run_state(id).await, (RunStatus::Queued, None));
        let claimed = world.claim().await;
        assert_eq!((claimed.run.id, claimed.run.attempts, claimed.attempt_number), (id, 2, 2));
        world.finish(&claimed, Outcome::Succeeded).await;
    }
}

/// Its worker may be about to post.
pub async fn a_run_that_is_held_is_left_alone(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    let (now, attempt) = (world.now(), AttemptId(world.id()));
    let until = now + TimeDelta::minutes(1);
    let claimed = world.store.claim_run(attempt, "worker-1", now, until).await.unwrap().unwrap();
    assert_eq!(requeue(&world, id).await, Requeued::Held(until));
    assert_eq!(world.run(id).await, claimed.run);
    world.finish(&claimed, Outcome::Succeeded).await;
}

/// Whoever knows that its worker is dead need not wait for the end of its lease; a worker that lives after all is stopped by its fence.
pub async fn a_lease_is_ended_by_force(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    let (now, attempt) = (world.now(), AttemptId(world.id()));
    // A clock that was ahead.
    let until = now + TimeDelta::hours(1);
    let held = world.store.claim_run(attempt, "worker-1", now, until).await.unwrap().unwrap();
    assert!(world.try_claim().await.is_none());
    let forced = world.store.requeue_run(world.organisation, id, true, world.now()).await.unwrap();
    assert_eq!(forced, Requeued::Due);
    assert_stale(world.store.extend_lease(fence(&held), world.now(), until).await);
    let heir = world.claim().await;
    assert_eq!(heir.run.id, id);
    world.finish(&heir, Outcome::Succeeded).await;
}

/// Its worker is dead: what it may still say is stale, and its business is free.
pub async fn a_run_that_was_lost_is_made_due(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    let lost = world.claim().await;
    world.pass(TimeDelta::minutes(2));
    assert_eq!(requeue(&world, id).await, Requeued::Due);
    let attempts = world.attempts(id).await;
    assert_eq!((attempts.len(), attempts[0].outcome.as_deref()), (1, Some("lost")));
    assert!(attempts[0].message.is_some() && attempts[0].ended_at.is_some());
    let until = world.after(TimeDelta::minutes(1));
    assert_stale(world.store.extend_lease(fence(&lost), world.now(), until).await);
    let claimed = world.claim().await;
    assert_eq!((claimed.run.id, claimed.attempt_number), (id, 2));
    world.finish(&claimed, Outcome::Succeeded).await;
}

/// A retry starts it again, and says so; others' runs are not there.
pub async fn what_has_ended_is_not_made_due(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let stranger = world.add_organisation("Second").await;
    for (number, outcome) in (1..).zip([Outcome::Succeeded, skipped(), failed()]) {
        let id = world.run_through(InvoiceCreated, number, outcome).await;
        let before = world.run(id).await;
        assert_eq!(requeue(&world, id).await, Requeued::Ended);
        assert_eq!(world.run(id).await, before);
        assert_not_found(world.store.requeue_run(stranger, id, true, world.now()).await);
    }
    assert_not_found(world.store.requeue_run(world.organisation, RunId(world.id()), true, world.now()).await);
}

/// Nothing runs for a shop that was stopped.
pub async fn what_is_made_due_waits_for_its_binding(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.run_through(InvoiceCreated, 1, needs_mapping()).await;
    world.set_status(BindingStatus::Paused).await;
    assert_eq!(requeue(&world, id).await, Requeued::WaitsForBinding);
    assert_eq!(world.run_state(id).await, (RunStatus::Queued, None));
    world.set_status(BindingStatus::Active).await;
    assert_eq!(world.claim().await.run.id, id);
}

/// Whatever is not terminal stays, however old it is.
pub async fn only_what_has_ended_is_deleted(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let later = world.after(TimeDelta::days(9));
    let mut ended = Vec::new();
    for (number, outcome) in (1..).zip([Outcome::Succeeded, skipped(), failed()]) {
        ended.push(world.run_through(InvoiceCreated, number, outcome).await);
    }
    let retried = world.run_through(InvoiceCreated, 4, failed()).await;
    let mut open = Vec::new();
    for (number, outcome) in (5..).zip([needs_mapping(), waiting_for(99), retrying(later)]) {
        open.push(world.run_through(InvoiceCreated, number, outcome).await);
    }
    world.store.retry_run(world.organisation, retried, world.now(), None).await.unwrap();
    let running = world.claim().await;
    let queued = world.receive(InvoiceCreated, 9).await;
    open.extend([running.run.id, queued]);
    let mut before = Vec::new();
    for id in &open {
        before.push((world.run(*id).await, world.attempts(*id).await));
    }
    world.pass(TimeDelta::days(1));
    let old = all_old(&world);
    assert_eq!(world.store.count_old_runs(old).await.unwrap(), 3);
    assert_eq!(world.store.delete_old_runs(old, 100).await.unwrap(), 3);
    assert_eq!(world.store.count_old_runs(old).await.unwrap(), 0);
    for id in ended {
        assert_eq!(world.store.run(world.organisation, id).await.unwrap(), None);
        assert!(world.attempts(id).await.is_empty());
    }
    for (id, before) in open.iter().zip(before) {
        assert_eq!((world.run(*id).await, world.attempts(*id).await), before);
    }
    world.finish(&running, Outcome::Succeeded).await;
}

/// The age counts from the end; failures may be kept; a transaction is as small as asked for.
pub async fn old_runs_are_deleted_little_by_little(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for number in 1..=4 {
        world.run_through(InvoiceCreated, number, Outcome::Succeeded).await;
    }
    let failed = world.run_through(InvoiceCreated, 5, failed()).await;
    let ended_before = world.now();
    let young = world.run_through(InvoiceCreated, 6, Outcome::Succeeded).await;
    let old = OldRuns { ended_before, keep_failed: true };
    assert_eq!(world.store.count_old_runs(old).await.unwrap(), 4);
    for deleted in [3, 1, 0] {
        assert_eq!(world.store.delete_old_runs(old, 3).await.unwrap(), deleted);
    }
    world.run(failed).await;
    assert_eq!(world.store.delete_old_runs(OldRuns { keep_failed: false, ..old }, 3).await.unwrap(), 1);
    assert_eq!(world.run(young).await.status, RunStatus::Succeeded);
}

/// Nobody could retry it any more, and what waits would wait for ever.
pub async fn an_invoice_that_is_waited_for_is_kept(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let invoice = world.run_through(InvoiceCreated, 1, failed()).await;
    world.run_through(InvoicePaid, 1, waiting_for(1)).await;
    assert_eq!(world.store.delete_old_runs(all_old(&world), 10).await.unwrap(), 0);
    world.store.retry_run(world.organisation, invoice, world.now(), None).await.unwrap();
    for _ in 0..2 {
        world.finish(&world.claim().await, Outcome::Succeeded).await;
    }
    assert_eq!(world.store.delete_old_runs(all_old(&world), 10).await.unwrap(), 2);
}

/// A repeated event makes a run again, which finds what is in Sage. Everything that a run left there stays.
pub async fn what_is_in_sage_is_known_after_its_run_was_deleted(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let event = world.event(InvoiceCreated, 1);
    world.store.receive(&event).await.unwrap();
    let claimed = world.claim().await;
    let key = XrefKey { kind: XrefKind::Invoice, magento_key: "1".to_owned() };
    let mut end = world.end(&claimed, Outcome::Succeeded);
    end.steps = vec![world.step("invoice")];
    end.xrefs = vec![NewXref {
        key: key.clone(),
        business_id: "business-1".to_owned(),
        sage_id: "sage-1".to_owned(),
        displayed_as: Some("SI-1".to_owned()),
    }];
    end.sync_state = Some(world.synced(1));
    world.store.finish_run(&end).await.unwrap();
    // An upsert has one run and many events.
    world.receive(CustomerUpserted, 7).await;
    world.run_through(CustomerUpserted, 7, Outcome::Succeeded).await;

    assert_eq!(world.store.delete_old_runs(all_old(&world), 10).await.unwrap(), 2);
    let known = world.store.xrefs(world.binding, "business-1", std::slice::from_ref(&key)).await.unwrap();
    assert_eq!(known[0].sage_id, "sage-1");
    assert!(world.store.next_delivery_due(Targets::All).await.unwrap().is_some(), "Magento is still told");
    let again = world.event(InvoiceCreated, 1);
    assert_eq!(world.store.receive(&again).await.unwrap(), Received::Queued(again.run_id));
    let again = world.receive(CustomerUpserted, 7).await;
    assert_eq!(world.run(again).await.status, RunStatus::Queued);
}
