//! Where runs stand when what they wait for comes while they are worked, and when their binding is not active.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    code::Code,
    environment::Environment,
    ids::RunId,
    run::{
        BindingStatus,
        EventName::{InvoiceCreated, InvoicePaid},
        RunStatus,
    },
};

use super::world::{World, failed, fence, needs_mapping, retrying, waiting_for};
use crate::{Outcome, Run, Store};

/// The run is ready to be claimed since then, with nothing more to say.
fn assert_goes_on(run: &Run, since: DateTime<Utc>) {
    let told = (run.status, run.code, run.message.as_deref(), run.next_at, run.finished_at);
    assert_eq!(told, (RunStatus::Queued, None, None, since, None));
}

/// The run is not claimed while its binding is paused, and is ready once that is active again.
async fn assert_waits_for_binding(world: &World, id: RunId) {
    let run = world.run(id).await;
    assert_eq!(
        (run.status, run.reason(BindingStatus::Paused)),
        (RunStatus::Queued, Some(Code::BindingPaused))
    );
    assert_eq!(world.store.next_due().await.unwrap(), None);
    assert!(world.try_claim().await.is_none());
    world.set_status(BindingStatus::Active).await;
    assert_eq!(world.run(id).await, run);
    assert_eq!(world.claim().await.run.id, id);
}

/// The save came between the look and the wait: nobody would ever wake the run.
pub async fn a_run_goes_on_when_its_mapping_was_saved_meanwhile(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    let claimed = world.claim().await;
    for version in 1..=2 {
        world.save_settings(version).await;
    }
    let end = world.end(&claimed, needs_mapping());
    world.store.finish_run(&end).await.unwrap();
    let run = world.run(id).await;
    assert_goes_on(&run, end.now);
    assert_eq!(run.settings_version, 2);
    let attempt = world.attempts(id).await.remove(0);
    let told = (attempt.outcome.as_deref(), attempt.code, attempt.message.as_deref());
    assert_eq!(told, (Some("queued"), Some(Code::NeedsMapping), Some("no bank")));

    let again = world.claim().await;
    assert_eq!(again.run.settings_version, 2);
    world.finish(&again, needs_mapping()).await;
    assert_eq!(world.run_state(id).await, (RunStatus::Waiting, Some(Code::NeedsMapping)));
    world.receive(InvoiceCreated, 2).await;
    let claimed = world.claim().await;
    world.save_settings(3).await;
    world.finish(&claimed, failed()).await;
    let run = world.run(claimed.run.id).await;
    assert_eq!(
        (run.status, run.settings_version),
        (RunStatus::Failed, 2),
        "new settings do not retry a failure"
    );
}

/// Whatever state a person retries from; the retry counts all the same.
pub async fn a_retry_waits_for_its_binding(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for (number, outcome) in (1..).zip([failed(), Outcome::Succeeded, needs_mapping(), waiting_for(99)]) {
        let id = world.run_through(InvoiceCreated, number, outcome).await;
        world.set_status(BindingStatus::Paused).await;
        world.save_settings(number).await;
        world.store.retry_run(world.organisation, id, world.now(), None).await.unwrap();
        let run = world.run(id).await;
        assert_eq!((run.attempts, run.settings_version), (0, number));
        assert_waits_for_binding(&world, id).await;
        let claimed = world.store.page_runs(world.organisation, &newest()).await.unwrap().runs.remove(0);
        assert_eq!((claimed.id, claimed.attempts), (id, 1));
        world.pass(TimeDelta::minutes(2));
        let heir = world.claim().await;
        world.finish(&heir, Outcome::Succeeded).await;
    }
}

/// A shutdown while the binding stands still.
pub async fn a_released_run_waits_for_its_binding(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    let claimed = world.claim().await;
    world.set_status(BindingStatus::Paused).await;
    let now = world.now();
    world.store.release_run(fence(&claimed), now).await.unwrap();
    assert_eq!(world.run(id).await.attempts, 0);
    let attempt = world.attempts(id).await.remove(0);
    assert_eq!((attempt.ended_at, attempt.outcome.as_deref()), (Some(now), Some("queued")));
    assert_waits_for_binding(&world, id).await;
}

/// It keeps its own time and reason; a pause that ended before then costs nothing.
pub async fn what_is_to_be_tried_again_waits_for_its_binding(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    let claimed = world.claim().await;
    world.set_status(BindingStatus::Paused).await;
    let due = world.after(TimeDelta::hours(1));
    world.finish(&claimed, retrying(due)).await;
    let run = world.run(id).await;
    assert_eq!((run.status, run.attempts, run.next_at), (RunStatus::Retrying, 1, due));
    assert_eq!(run.reason(BindingStatus::Paused), Some(Code::BindingPaused));
    assert_eq!(run.reason(BindingStatus::Active), Some(Code::SageUnavailable));
    world.set_status(BindingStatus::Active).await;
    assert!(world.try_claim().await.is_none());
    world.pass(TimeDelta::hours(1));
    assert_eq!(world.claim().await.run.id, id);
}

/// The invoice ends while its binding stands still, before its payment waits for it and after.
pub async fn what_waited_for_an_invoice_waits_for_its_binding(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let early = world.run_through(InvoicePaid, 1, waiting_for(1)).await;
    world.receive(InvoiceCreated, 1).await;
    let claimed = world.claim().await;
    world.set_status(BindingStatus::Paused).await;
    world.finish(&claimed, Outcome::Succeeded).await;
    assert_waits_for_binding(&world, early).await;

    world.pass(TimeDelta::minutes(2));
    let heir = world.claim().await;
    assert_eq!(heir.run.id, early);
    world.set_status(BindingStatus::Paused).await;
    world.finish(&heir, waiting_for(1)).await;
    assert_waits_for_binding(&world, early).await;
}

/// The mapping is saved while the binding stands still, before the run waits for it and after.
pub async fn what_needed_a_mapping_waits_for_its_binding(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.run_through(InvoiceCreated, 1, needs_mapping()).await;
    world.set_status(BindingStatus::Paused).await;
    assert_eq!(world.run_state(id).await, (RunStatus::Waiting, Some(Code::NeedsMapping)));
    world.save_settings(1).await;
    assert_eq!(world.run(id).await.settings_version, 1);
    assert_waits_for_binding(&world, id).await;

    world.pass(TimeDelta::minutes(2));
    let heir = world.claim().await;
    world.set_status(BindingStatus::Paused).await;
    world.save_settings(2).await;
    world.finish(&heir, needs_mapping()).await;
    assert_eq!(world.run(id).await.settings_version, 2);
    assert_waits_for_binding(&world, id).await;
}

fn newest() -> crate::PageRequest {
    crate::PageRequest { limit: 1, ..crate::PageRequest::default() }
}
