//! Who runs what, and when.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    code::Code,
    environment::Environment,
    ids::AttemptId,
    run::{BindingStatus, EventName::InvoiceCreated, RunStatus},
    xref::{XrefKey, XrefKind},
};

use super::world::{World, assert_stale, fence, intent_of, request, retrying};
use crate::{Answer, Claimed, IntentKey, NewXref, Outcome, Run, Store, Targets};

/// What the audit says of a worker that died.
const LOST: &str = "The worker that held this run stopped answering; another took over.";

pub(super) fn invoice_intent(world: &World) -> IntentKey {
    let xref = XrefKey { kind: XrefKind::Invoice, magento_key: "1".to_owned() };
    IntentKey { binding_id: world.binding, business_id: "business-1".to_owned(), xref }
}

fn answer() -> Answer {
    Answer { sage_id: "s".to_owned(), displayed_as: None, total_minor: None, tax_minor: None }
}

/// Runs go by age, and a claim opens an attempt.
pub async fn the_oldest_due_run_is_claimed(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    assert!(world.try_claim().await.is_none());
    let first = world.receive(InvoiceCreated, 1).await;
    let second = world.receive(InvoiceCreated, 2).await;
    let queued = world.run(first).await;
    let (attempt_id, now) = (AttemptId(world.id()), world.now());
    let claimed =
        world.store.claim_run(attempt_id, "worker-7", now, now + TimeDelta::minutes(1)).await.unwrap();
    let run =
        Run { status: RunStatus::Running, attempts: 1, updated_at: now, started_at: Some(now), ..queued };
    assert_eq!(claimed, Some(Claimed { run: run.clone(), attempt_id, attempt_number: 1 }));
    assert_eq!(world.run(first).await, run);
    let attempts = world.attempts(first).await;
    let attempt = &attempts[0];
    assert_eq!((attempt.id, attempt.run_id, attempt.number), (attempt_id, first, 1));
    assert_eq!((attempt.worker.as_str(), attempt.started_at), ("worker-7", now));
    assert_eq!((attempt.ended_at, &attempt.outcome, attempt.steps.len()), (None, &None, 0));
    world.finish(&claimed.unwrap(), Outcome::Succeeded).await;
    assert_eq!(world.claim().await.run.id, second);
    assert!(world.try_claim().await.is_none());
}

/// Sage forbids parallel posts to a business: what a shop has under way when it is disconnected keeps the next shop waiting.
pub async fn a_business_has_one_writer_over_all_bindings(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let first = world.receive(InvoiceCreated, 1).await;
    let holder = world.claim().await;
    assert_eq!(holder.run.id, first);
    world.set_status(BindingStatus::Revoked).await;
    let next = world.add_binding("business-1").await;
    let other = world.add_binding("business-2").await;
    let second = world.receive_of(next, InvoiceCreated, 2).await;
    let third = world.receive_of(next, InvoiceCreated, 3).await;
    let elsewhere = world.receive_of(other, InvoiceCreated, 4).await;
    assert_eq!(world.claim().await.run.id, elsewhere);
    assert!(world.try_claim().await.is_none());
    world.finish(&holder, Outcome::Succeeded).await;
    let holder = world.claim().await;
    assert_eq!(holder.run.id, second);
    assert!(world.try_claim().await.is_none());
    world.finish(&holder, retrying(world.after(TimeDelta::hours(1)))).await;
    assert_eq!(world.claim().await.run.id, third);
}

/// What cannot work is not tried.
pub async fn only_active_bindings_with_a_business_run(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut homeless = world.new_binding(world.organisation, "none");
    homeless.business = None;
    world.store.create_binding(&homeless, None).await.unwrap();
    let run = world.receive_of(homeless.id, InvoiceCreated, 1).await;
    assert_eq!(world.run_state(run).await, (RunStatus::Queued, None));
    assert!(world.try_claim().await.is_none());
    assert_eq!(world.store.next_due().await.unwrap(), None);

    world.receive(InvoiceCreated, 2).await;
    world.store.set_binding_status(world.binding, BindingStatus::Paused, world.now(), None).await.unwrap();
    assert!(world.try_claim().await.is_none());
    assert_eq!(world.store.next_due().await.unwrap(), None);

    let business = world.new_binding(world.organisation, "business-9").business.unwrap();
    world.store.set_business(homeless.id, &business, world.now(), None).await.unwrap();
    assert_eq!(world.claim().await.run.id, run);
}

/// A retry is claimed when its time has come, not a moment before, and then by age.
pub async fn a_retry_waits_for_its_time(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let due = world.after(TimeDelta::minutes(10));
    let run = world.run_through(InvoiceCreated, 1, retrying(due)).await;
    let kept = world.run(run).await;
    assert_eq!(
        (kept.status, kept.code, kept.next_at),
        (RunStatus::Retrying, Some(Code::SageUnavailable), due)
    );
    assert_eq!((kept.message.as_deref(), kept.attempts, kept.finished_at), (Some("503"), 1, None));
    world.receive(InvoiceCreated, 2).await;
    let before = due - TimeDelta::milliseconds(1);
    let attempt = AttemptId(world.id());
    let early = world.store.claim_run(attempt, "w", before, due).await.unwrap().unwrap();
    assert_eq!(early.run.magento_id, 2);
    world.store.release_run(fence(&early), before).await.unwrap();
    let attempt = AttemptId(world.id());
    let claimed =
        world.store.claim_run(attempt, "w", due, due + TimeDelta::minutes(1)).await.unwrap().unwrap();
    assert_eq!((claimed.run.id, claimed.run.attempts, claimed.attempt_number), (run, 2, 2));
    assert_eq!((claimed.run.code, claimed.run.message), (None, None));
}

/// A dead worker's run comes back by itself, and the audit says so.
pub async fn a_lost_lease_is_taken_over(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let run = world.receive(InvoiceCreated, 1).await;
    let (attempt, now) = (AttemptId(world.id()), world.now());
    let until = now + TimeDelta::minutes(1);
    let lost = world.store.claim_run(attempt, "dead", now, until).await.unwrap().unwrap();
    let sent = world.step("invoice");
    let intent = invoice_intent(&world);
    world.store.open_intent(fence(&lost), &intent, &request("1"), world.now()).await.unwrap();
    let steps = std::slice::from_ref(&sent);
    world.store.answer_intent(fence(&lost), &intent, &answer(), None, steps, world.now()).await.unwrap();
    let (attempt, before) = (AttemptId(world.id()), until - TimeDelta::milliseconds(1));
    assert_eq!(world.store.claim_run(attempt, "heir", before, until).await.unwrap(), None);
    let later = until + TimeDelta::minutes(1);
    let heir = world.store.claim_run(attempt, "heir", until, later).await.unwrap().unwrap();
    assert_eq!((heir.run.id, heir.attempt_id, heir.attempt_number, heir.run.attempts), (run, attempt, 2, 2));
    let attempts = world.attempts(run).await;
    assert_eq!(attempts.len(), 2);
    assert_eq!((attempts[0].outcome.as_deref(), attempts[0].message.as_deref()), (Some("lost"), Some(LOST)));
    assert_eq!(
        (attempts[0].ended_at, &attempts[0].steps[..]),
        (Some(until), steps),
        "what was sent is not forgotten"
    );
    assert_eq!((attempts[1].worker.as_str(), attempts[1].ended_at), ("heir", None));
}

/// A worker that was thought dead cannot overwrite its heir.
pub async fn a_stale_fence_changes_nothing(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    let lost = world.claim().await;
    let intent = invoice_intent(&world);
    world.store.open_intent(fence(&lost), &intent, &request("1"), world.now()).await.unwrap();
    let kept = intent_of(&world, &intent).await;
    world.pass(TimeDelta::minutes(2));
    let heir = world.claim().await;
    assert_eq!(heir.run.id, id);
    let (run, attempts) = (world.run(id).await, world.attempts(id).await);

    let (store, stale, steps) = (&world.store, fence(&lost), [world.step("invoice")]);
    assert_stale(store.extend_lease(stale, world.now(), world.after(TimeDelta::minutes(9))).await);
    assert_stale(store.release_run(stale, world.now()).await);
    assert_stale(store.open_intent(stale, &intent, &request("2"), world.now()).await);
    assert_stale(store.answer_intent(stale, &intent, &answer(), None, &steps, world.now()).await);
    assert_stale(store.refuse_intent(stale, &intent, &steps, world.now()).await);
    let mut end = world.end(&lost, Outcome::Succeeded);
    end.facts.customer = Some("Somebody Else".to_owned());
    end.steps = steps.to_vec();
    end.sync_state = Some(world.synced(1));
    end.xrefs = vec![NewXref {
        key: intent.xref.clone(),
        business_id: "business-1".to_owned(),
        sage_id: "s".to_owned(),
        displayed_as: None,
    }];
    assert_stale(store.finish_run(&end).await);

    assert_eq!((world.run(id).await, world.attempts(id).await), (run, attempts));
    assert!(
        store
            .xrefs(world.binding, "business-1", std::slice::from_ref(&intent.xref))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.next_delivery_due(Targets::All).await.unwrap(), None);
    assert_stale(store.settle_intent(stale, &intent, None, &steps, world.now()).await);
    assert_stale(store.withdraw_intent(stale, &intent, &steps, world.now()).await);
    assert_stale(store.forget_record(stale, &intent, &steps, world.now()).await);
    assert_eq!(intent_of(&world, &intent).await, kept);
    world.finish(&heir, Outcome::Succeeded).await;
    assert_stale(store.finish_run(&world.end(&heir, Outcome::Succeeded)).await);
}

/// A slow call is no death.
pub async fn an_extended_lease_holds(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.receive(InvoiceCreated, 1).await;
    let claimed = world.claim().await;
    let until = world.after(TimeDelta::minutes(10));
    world.store.extend_lease(fence(&claimed), world.now(), until).await.unwrap();
    assert_eq!(world.store.next_due().await.unwrap(), Some(until));
    world.pass(TimeDelta::minutes(5));
    assert!(world.try_claim().await.is_none());
    world.finish(&claimed, Outcome::Succeeded).await;
    assert_stale(world.store.extend_lease(fence(&claimed), world.now(), until).await);
}

/// Two live writers of a business would be the end of exactly-once.
pub async fn a_lost_lease_is_not_extended_and_opens_nothing_beside_a_new_writer(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let older = world.run_through(InvoiceCreated, 1, retrying(world.after(TimeDelta::minutes(5)))).await;
    world.receive(InvoiceCreated, 2).await;
    let lost = world.claim().await;
    world.pass(TimeDelta::minutes(10));
    let writer = world.claim().await;
    assert_eq!(writer.run.id, older);
    assert!(world.try_claim().await.is_none());
    assert_stale(
        world.store.extend_lease(fence(&lost), world.now(), world.after(TimeDelta::minutes(1))).await,
    );
    let intent = invoice_intent(&world);
    assert_stale(world.store.open_intent(fence(&lost), &intent, &request("1"), world.now()).await);
    assert_stale(world.store.may_write(fence(&lost)).await);
    world.store.open_intent(fence(&writer), &intent, &request("1"), world.now()).await.unwrap();
    world.store.extend_lease(fence(&writer), world.now(), world.after(TimeDelta::minutes(1))).await.unwrap();
    world.finish(&writer, Outcome::Succeeded).await;
    assert_eq!(world.claim().await.run.id, lost.run.id);
}

/// A shutdown costs a run nothing, but its number of attempts in the audit.
pub async fn a_released_run_goes_back_untouched(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    let claimed = world.claim().await;
    let now = world.now();
    world.store.release_run(fence(&claimed), now).await.unwrap();
    let run = world.run(id).await;
    assert_eq!((run.status, run.attempts, run.next_at, run.finished_at), (RunStatus::Queued, 0, now, None));
    let attempts = world.attempts(id).await;
    assert_eq!((attempts[0].ended_at, attempts[0].outcome.as_deref()), (Some(now), Some("queued")));
    assert_stale(world.store.release_run(fence(&claimed), now).await);
    let again = world.claim().await;
    assert_eq!((again.run.id, again.run.attempts, again.attempt_number), (id, 1, 2));
}

/// A worker that sleeps until this instant neither spins nor oversleeps.
pub async fn the_next_run_is_due_when_it_can_be_claimed(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let due = || world.store.next_due();
    assert_eq!(due().await.unwrap(), None);
    let later = world.after(TimeDelta::hours(1));
    world.run_through(InvoiceCreated, 1, retrying(later)).await;
    assert_eq!(due().await.unwrap(), Some(later));
    let event = world.event(InvoiceCreated, 2);
    world.store.receive(&event).await.unwrap();
    assert_eq!(due().await.unwrap(), Some(event.received_at));

    let (attempt, now) = (AttemptId(world.id()), world.now());
    let until = now + TimeDelta::minutes(1);
    let claimed = world.store.claim_run(attempt, "w", now, until).await.unwrap().unwrap();
    assert_eq!(due().await.unwrap(), Some(until));
    world.receive(InvoiceCreated, 3).await;
    assert_eq!(due().await.unwrap(), Some(until), "the business is held until then");
    let other = world.add_binding("business-2").await;
    let elsewhere = world.event_of(other, InvoiceCreated, 5);
    world.store.receive(&elsewhere).await.unwrap();
    assert_eq!(due().await.unwrap(), Some(elsewhere.received_at));

    world.finish(&claimed, Outcome::Succeeded).await;
    for number in [3, 5] {
        let claimed = world.claim().await;
        assert_eq!(claimed.run.magento_id, number);
        world.finish(&claimed, Outcome::Succeeded).await;
    }
    assert_eq!(due().await.unwrap(), Some(later));
    world.store.set_binding_status(world.binding, BindingStatus::Revoked, world.now(), None).await.unwrap();
    assert_eq!(due().await.unwrap(), None);
}
