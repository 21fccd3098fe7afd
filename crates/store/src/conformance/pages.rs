//! The history: pages, latest runs and counts.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    environment::Environment,
    ids::{BindingId, RunId},
    run::{
        EntityKind,
        EventName::{
            self, CreditmemoCreated, CustomerUpserted, InvoiceCreated, InvoicePaid, ProductUpserted,
        },
        RunStatus,
    },
};

use super::world::{World, failed, needs_mapping, retrying, skipped};
use crate::{Counts, NewEvent, Outcome, Page, PageRequest, RunFilter, Seek, Store};

async fn page(world: &World, filter: &RunFilter, seek: Seek, limit: u32) -> Page {
    let request = PageRequest { filter: filter.clone(), seek, limit, ..PageRequest::default() };
    world.store.page_runs(world.organisation, &request).await.unwrap()
}

/// Sixty runs of three bindings (one of a stranger) in several states, newest first without the stranger's.
async fn history(world: &World) -> (Vec<(RunId, BindingId, EventName, RunStatus)>, BindingId) {
    let second = world.add_binding("business-2").await;
    let stranger = world.new_binding(world.add_organisation("Second").await, "business-3");
    world.store.create_binding(&stranger, None).await.unwrap();
    let mut runs = Vec::new();
    for number in 0..60 {
        let binding = if number % 3 == 0 { second } else { world.binding };
        let event = EventName::ALL[usize::try_from(number).unwrap() * 7 % EventName::ALL.len()];
        let id = world.receive_of(binding, event, number).await;
        world.receive_of(stranger.id, event, number).await;
        let mut status = RunStatus::Queued;
        for _ in 0..2 {
            let claimed = world.claim().await;
            let outcome = match number % 4 {
                1 => failed(),
                2 => skipped(),
                _ => Outcome::Succeeded,
            };
            if claimed.run.id == id {
                status = outcome.status();
            }
            world.finish(&claimed, outcome).await;
        }
        runs.push((id, binding, event, status));
    }
    runs.reverse();
    (runs, second)
}

async fn walk(world: &World, filter: &RunFilter, limit: u32, expected: &[RunId]) {
    let (mut told, mut seek) = (Vec::new(), Seek::First);
    let mut pages = Vec::new();
    loop {
        let page = page(world, filter, seek, limit).await;
        assert_eq!(page.previous.is_some(), !told.is_empty());
        told.extend(page.runs.iter().map(|run| run.id));
        assert_eq!((page.next.is_some(), page.stopped), (told.len() < expected.len(), false));
        pages.push(page.clone());
        match page.next {
            Some(next) => seek = Seek::After(next),
            None => break,
        }
    }
    assert_eq!(told, expected);
    while let Some(at) = pages.pop() {
        let Some(before) = pages.last() else { break };
        let back = page(world, filter, Seek::Before(at.previous.unwrap()), limit).await;
        assert_eq!((&back.runs, back.previous.is_some()), (&before.runs, before.previous.is_some()));
    }
}

/// Forward to the end and back to the start, over all bindings of the organisation.
pub async fn pages_go_back_and_forth_without_gap_or_repeat(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (runs, _) = history(&world).await;
    let expected = runs.iter().map(|run| run.0).collect::<Vec<_>>();
    assert_eq!(expected.len(), 60);
    for limit in [1, 7, 20, 60, 100] {
        walk(&world, &RunFilter::default(), limit, &expected).await;
    }
}

/// Each filter alone and all together.
pub async fn filters_hold_on_every_page(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (runs, second) = history(&world).await;
    let bindings = [None, Some(world.binding), Some(second)];
    let statuses = [None, Some(RunStatus::Succeeded), Some(RunStatus::Failed), Some(RunStatus::Running)];
    for binding in bindings {
        for status in statuses {
            for event in [None, Some(InvoiceCreated), Some(ProductUpserted)] {
                let fits = |run: &&(RunId, BindingId, EventName, RunStatus)| {
                    binding.is_none_or(|one| one == run.1)
                        && event.is_none_or(|one| one == run.2)
                        && status.is_none_or(|one| one == run.3)
                };
                let expected = runs.iter().filter(fits).map(|run| run.0).collect::<Vec<_>>();
                walk(&world, &RunFilter { binding, status, event, ..RunFilter::default() }, 4, &expected)
                    .await;
            }
        }
    }
}

/// Beyond an end there is nothing, but what lies on this side is known.
pub async fn a_page_beyond_the_ends_is_empty(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let all = RunFilter::default();
    assert_eq!(page(&world, &all, Seek::First, 10).await, Page::default());
    let oldest = world.receive(InvoiceCreated, 1).await;
    let newest = world.receive(InvoiceCreated, 2).await;
    let older = page(&world, &all, Seek::After(oldest), 10).await;
    assert_eq!(older, Page { previous: Some(oldest), ..Page::default() });
    let newer = page(&world, &all, Seek::Before(newest), 10).await;
    assert_eq!(newer, Page { next: Some(newest), ..Page::default() });
    let from_the_top = page(&world, &all, Seek::After(RunId(uuid::Uuid::max())), 1).await;
    assert_eq!((from_the_top.runs[0].id, from_the_top.next), (newest, Some(newest)));
    let from_the_bottom = page(&world, &all, Seek::Before(RunId(uuid::Uuid::nil())), 1).await;
    assert_eq!((from_the_bottom.runs[0].id, from_the_bottom.previous), (oldest, Some(oldest)));
    let none = RunFilter { status: Some(RunStatus::Failed), ..RunFilter::default() };
    assert_eq!(page(&world, &none, Seek::First, 10).await, Page::default());
}

/// An invoice's chip is about its newest event; a payment looks for its invoice's own run.
pub async fn the_latest_run_speaks_for_its_entity(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let created = world.receive(InvoiceCreated, 1).await;
    let paid = world.receive(InvoicePaid, 1).await;
    let memo = world.receive(CreditmemoCreated, 1).await;
    let other = world.add_binding("business-2").await;
    world.receive_of(other, InvoicePaid, 1).await;
    let customer = world.run_through_upsert(CustomerUpserted, 1).await;
    let (store, binding) = (&world.store, world.binding);
    let id = |run: Option<crate::Run>| run.map(|run| run.id);
    assert_eq!(id(store.latest_run(binding, EntityKind::Invoice, 1).await.unwrap()), Some(paid));
    assert_eq!(id(store.latest_run(binding, EntityKind::Creditmemo, 1).await.unwrap()), Some(memo));
    assert_eq!(id(store.latest_run(binding, EntityKind::Customer, 1).await.unwrap()), Some(customer));
    assert_eq!(id(store.latest_run(binding, EntityKind::Product, 1).await.unwrap()), None);
    assert_eq!(id(store.latest_run(binding, EntityKind::Invoice, 2).await.unwrap()), None);
    assert_eq!(id(store.latest_run(other, EntityKind::Creditmemo, 1).await.unwrap()), None);
    assert_eq!(id(store.latest_run_of_event(binding, InvoiceCreated, 1).await.unwrap()), Some(created));
    assert_eq!(id(store.latest_run_of_event(binding, CustomerUpserted, 1).await.unwrap()), Some(customer));
    assert_eq!(id(store.latest_run_of_event(other, InvoiceCreated, 1).await.unwrap()), None);
}

/// A payment that was skipped says nothing of its invoice, which may well be in Sage.
pub async fn a_skipped_payment_does_not_speak_for_its_invoice(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let speaker = async |invoice| {
        let run = world.store.latest_run(world.binding, EntityKind::Invoice, invoice).await.unwrap();
        run.map(|run| run.id)
    };
    let created = world.run_through(InvoiceCreated, 1, Outcome::Succeeded).await;
    let paid = world.receive(InvoicePaid, 1).await;
    assert_eq!(speaker(1).await, Some(paid), "it may still succeed");
    let claimed = world.claim().await;
    world.finish(&claimed, skipped()).await;
    assert_eq!(speaker(1).await, Some(created));
    let alone = world.run_through(InvoicePaid, 2, skipped()).await;
    assert_eq!(speaker(2).await, Some(alone));
    let skipped_too = world.run_through(InvoiceCreated, 2, skipped()).await;
    assert_eq!(speaker(2).await, Some(skipped_too));
    let event = world.event(InvoicePaid, 2);
    let again = NewEvent { idempotency_key: "another".to_owned(), ..event };
    world.store.receive(&again).await.unwrap();
    let claimed = world.claim().await;
    world.finish(&claimed, Outcome::Succeeded).await;
    assert_eq!(speaker(2).await, Some(again.run_id));
}

impl World {
    /// Two saves of an entity with the first one done in between; the second run is told.
    async fn run_through_upsert(&self, event: EventName, magento_id: i64) -> RunId {
        let first = self.receive(event, magento_id).await;
        while self.run(first).await.status != RunStatus::Succeeded {
            let claimed = self.claim().await;
            let outcome = if claimed.run.id == first { Outcome::Succeeded } else { needs_mapping() };
            self.finish(&claimed, outcome).await;
        }
        self.receive(event, magento_id).await
    }
}

/// The tile's numbers.
pub async fn runs_are_counted(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let long_ago = world.now();
    let count = |since| world.store.count_runs(world.binding, since);
    assert_eq!(count(long_ago).await.unwrap(), Counts::default());
    world.run_through(InvoiceCreated, 1, failed()).await;
    world.pass(TimeDelta::hours(1));
    let since = world.now();
    world.run_through(InvoiceCreated, 2, failed()).await;
    world.run_through(InvoiceCreated, 3, needs_mapping()).await;
    world.run_through(InvoiceCreated, 4, retrying(world.after(TimeDelta::hours(1)))).await;
    let last = world.run_through(InvoiceCreated, 5, skipped()).await;
    world.receive(InvoiceCreated, 6).await;
    world.claim().await;
    world.receive(InvoiceCreated, 7).await;
    let last_finished_at = world.run(last).await.finished_at;
    assert_eq!(count(since).await.unwrap(), Counts { pending: 4, failed: 1, last_finished_at });
    assert_eq!(count(long_ago).await.unwrap(), Counts { pending: 4, failed: 2, last_finished_at });
    let other = world.add_binding("business-2").await;
    assert_eq!(world.store.count_runs(other, long_ago).await.unwrap(), Counts::default());
    let upserted = world.receive_of(other, CustomerUpserted, 9).await;
    let failing = world.claim().await;
    assert_eq!(failing.run.id, upserted);
    world.finish(&failing, failed()).await;
    assert_eq!(world.store.count_runs(other, long_ago).await.unwrap().failed, 1);
    world.receive_of(other, CustomerUpserted, 9).await;
    let good = world.claim().await;
    world.finish(&good, Outcome::Succeeded).await;
    assert_eq!(world.store.count_runs(other, long_ago).await.unwrap().failed, 0, "a later run made it good");
}

/// Safe mode's count: documents only, and only those that were posted since.
pub async fn posted_documents_are_counted(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let long_ago = world.now();
    world.run_through(InvoiceCreated, 1, Outcome::Succeeded).await;
    world.pass(TimeDelta::hours(1));
    let since = world.now();
    for (number, event) in (2..).zip(EventName::ALL) {
        world.run_through(*event, number, Outcome::Succeeded).await;
    }
    world.run_through(InvoiceCreated, 10, failed()).await;
    world.run_through(InvoiceCreated, 11, skipped()).await;
    world.receive(InvoiceCreated, 12).await;
    assert_eq!(world.store.count_posted(world.binding, since).await.unwrap(), 3);
    assert_eq!(world.store.count_posted(world.binding, long_ago).await.unwrap(), 4);
    let other = world.add_binding("business-2").await;
    assert_eq!(world.store.count_posted(other, long_ago).await.unwrap(), 0);
}
