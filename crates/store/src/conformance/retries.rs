//! A person's retry, and who may see and do what.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    environment::Environment,
    ids::RunId,
    run::{
        EventName::{CreditmemoCreated, InvoiceCreated},
        RunStatus,
    },
};

use super::world::{
    World, assert_conflict, assert_not_found, failed, needs_mapping, retrying, skipped, waiting_for,
};
use crate::{Outcome, PageRequest, RunFilter, Seek, Store};

/// Whatever has ended, waits or is due later goes again at once; what runs is left alone.
pub async fn a_person_retries_from_every_state_but_running(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let later = world.after(TimeDelta::days(1));
    let outcomes =
        [Outcome::Succeeded, skipped(), failed(), needs_mapping(), waiting_for(99), retrying(later)];
    for (number, outcome) in (1..).zip(outcomes) {
        let id = world.run_through(InvoiceCreated, number, outcome).await;
        let now = world.now();
        world.store.retry_run(world.organisation, id, now, None).await.unwrap();
        let run = world.run(id).await;
        assert_eq!((run.status, run.code, run.message, run.next_at), (RunStatus::Queued, None, None, now));
        assert_eq!((run.attempts, run.finished_at), (0, None));
        world.store.retry_run(world.organisation, id, world.now(), None).await.unwrap();
        let claimed = world.claim().await;
        assert_eq!(claimed.run.id, id);
        assert_conflict(world.store.retry_run(world.organisation, id, world.now(), None).await);
        assert_eq!(world.run(id).await, claimed.run);
        world.finish(&claimed, Outcome::Succeeded).await;
    }
}

/// The schedule of retries begins again, the audit does not.
pub async fn a_retry_starts_counting_again(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let due = world.now();
    let id = world.run_through(InvoiceCreated, 1, retrying(due)).await;
    let second = world.claim().await;
    assert_eq!((second.run.attempts, second.attempt_number), (2, 2));
    world.finish(&second, failed()).await;
    world.store.retry_run(world.organisation, id, world.now(), None).await.unwrap();
    let third = world.claim().await;
    assert_eq!((third.run.id, third.run.attempts, third.attempt_number), (id, 1, 3));
    assert_eq!(world.attempts(id).await.len(), 3);
}

/// What another document of the same kind proves, it proves from the try before on.
pub async fn others_that_succeeded_since_a_try_are_known(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let succeeded = async |id| world.store.others_succeeded(world.binding, InvoiceCreated, id).await.unwrap();
    world.run_through(InvoiceCreated, 1, Outcome::Succeeded).await;
    let id = world.run_through(InvoiceCreated, 2, retrying(world.after(TimeDelta::days(1)))).await;
    assert!(!succeeded(id).await, "that was before");
    world.run_through(CreditmemoCreated, 3, Outcome::Succeeded).await;
    assert!(!succeeded(id).await, "that is another event");
    world.pass(TimeDelta::days(1));
    let second = world.claim().await;
    assert_eq!(second.run.id, id);
    world.finish(&second, retrying(world.after(TimeDelta::days(1)))).await;
    world.run_through(InvoiceCreated, 4, Outcome::Succeeded).await;
    assert!(succeeded(id).await);
    world.pass(TimeDelta::days(1));
    let third = world.claim().await;
    assert!(succeeded(id).await, "what is under way is no try before");
    world.finish(&third, retrying(world.after(TimeDelta::days(1)))).await;
    assert!(!succeeded(id).await);
}

/// The person has fixed the settings meanwhile.
pub async fn a_retry_takes_the_current_settings_version(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.run_through(InvoiceCreated, 1, failed()).await;
    for version in 1..=2 {
        world.save_settings(version).await;
    }
    assert_eq!(world.run(id).await.settings_version, 0);
    world.store.retry_run(world.organisation, id, world.now(), None).await.unwrap();
    assert_eq!(world.run(id).await.settings_version, 2);
}

/// Ids of others open nothing.
pub async fn another_organisation_sees_nothing(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let stranger = world.add_organisation("Second").await;
    let id = world.run_through(InvoiceCreated, 1, failed()).await;
    let before = world.run(id).await;
    assert_eq!(world.store.run(stranger, id).await.unwrap(), None);
    assert!(world.store.attempts(stranger, id).await.unwrap().is_empty());
    assert_not_found(world.store.retry_run(stranger, id, world.now(), None).await);
    assert_not_found(world.store.retry_run(world.organisation, RunId(world.id()), world.now(), None).await);
    assert_eq!(world.run(id).await, before);
    for binding in [None, Some(world.binding)] {
        for seek in
            [Seek::First, Seek::Before(RunId(uuid::Uuid::nil())), Seek::After(RunId(uuid::Uuid::max()))]
        {
            let filter = RunFilter { binding, ..RunFilter::default() };
            let page = world
                .store
                .page_runs(stranger, &PageRequest { filter, seek, limit: 10, ..PageRequest::default() })
                .await
                .unwrap();
            assert_eq!(page.runs, []);
        }
    }
}
