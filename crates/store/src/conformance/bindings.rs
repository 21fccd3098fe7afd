//! Bindings, and what their status does to their runs.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    code::Code,
    environment::Environment,
    ids::{BindingId, OrganisationId},
    run::{BindingStatus, EventName::InvoiceCreated, RunStatus},
};

use super::world::{World, assert_conflict, assert_not_found, assert_stale, needs_mapping, retrying};
use crate::{SageBusiness, Store};

/// Every field comes back, with a business and without.
pub async fn a_binding_reads_as_it_was_kept(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for status in BindingStatus::ALL {
        let mut binding = world.new_binding(world.organisation, status.as_str());
        binding.status = *status;
        binding.business = binding.business.filter(|_| *status != BindingStatus::Pending);
        binding.trusted_since = world.after(TimeDelta::hours(1));
        world.store.create_binding(&binding, None).await.unwrap();
        assert_eq!(world.store.binding(binding.id).await.unwrap(), Some(binding.clone()));
        assert_conflict(world.store.create_binding(&binding, None).await);
    }
    assert_eq!(world.store.binding(BindingId(world.id())).await.unwrap(), None);
    let orphan = world.new_binding(OrganisationId(world.id()), "business-9");
    assert_not_found(world.store.create_binding(&orphan, None).await);
}

/// An organisation sees its own bindings; the command line sees all.
pub async fn bindings_are_listed_oldest_first_and_only_to_their_organisation(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_organisation("Second").await;
    let foreign = world.new_binding(other, "business-2");
    world.store.create_binding(&foreign, None).await.unwrap();
    let third = world.add_binding("business-3").await;
    let ids = |bindings: Vec<crate::Binding>| bindings.iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(ids(world.store.list_bindings(world.organisation).await.unwrap()), [world.binding, third]);
    assert_eq!(ids(world.store.list_bindings(other).await.unwrap()), [foreign.id]);
    assert_eq!(ids(world.store.list_all_bindings().await.unwrap()), [world.binding, foreign.id, third]);
}

/// Two that choose at the same moment are told apart by the index, and the second hears why.
pub async fn a_business_has_one_binding_at_a_time(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let twin = world.new_binding(world.organisation, "business-1");
    assert_conflict(world.store.create_binding(&twin, None).await);
    let business =
        |id: &str| SageBusiness { id: id.to_owned(), name: id.to_owned(), country: "GB".to_owned() };
    for round in 0..10 {
        let contested = business(&format!("contested-{round}"));
        let (one, other) =
            (world.add_binding(&format!("a{round}")).await, world.add_binding(&format!("b{round}")).await);
        // A disconnected shop that connects again competes as any other.
        world.store.set_binding_status(one, BindingStatus::Revoked, world.now(), None).await.unwrap();
        let choose = |id| {
            let (store, contested, now) = (Arc::clone(&world.store), contested.clone(), world.now());
            tokio::spawn(async move { store.set_business(id, &contested, now, None).await })
        };
        let (first, second) = (choose(one), choose(other));
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        let (winner, loser, refused) = if first.is_ok() { (one, other, second) } else { (other, one, first) };
        assert!(matches!(refused, Err(crate::Error::Conflict("the Sage business"))), "{refused:?}");
        let of = async |id| world.store.binding(id).await.unwrap().unwrap();
        assert_eq!(of(winner).await.business, Some(contested.clone()));
        assert_ne!(of(loser).await.business, Some(contested.clone()));
        // It is free again once its shop is disconnected.
        world.store.set_binding_status(winner, BindingStatus::Revoked, world.now(), None).await.unwrap();
        world.store.set_business(loser, &contested, world.now(), None).await.unwrap();
    }
}

/// A disconnected shop that chooses a business is on its way again, and so are its runs.
pub async fn a_revoked_binding_that_chooses_a_business_is_pending(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.set_status(BindingStatus::Revoked).await;
    let before = world.store.binding(world.binding).await.unwrap().unwrap();
    let same = before.business.clone().unwrap();
    world.store.set_business(world.binding, &same, world.now(), None).await.unwrap();
    let after = world.store.binding(world.binding).await.unwrap().unwrap();
    assert_eq!((after.status, after.business), (BindingStatus::Pending, Some(same)));
    assert_eq!(after.trusted_since, before.trusted_since, "the same business is trusted as before");
}

/// Safe mode counts again for another business.
pub async fn connecting_a_business_resets_trust(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let before = world.store.binding(world.binding).await.unwrap().unwrap();
    let business =
        SageBusiness { id: "business-2".to_owned(), name: "Other GmbH".to_owned(), country: "DE".to_owned() };
    let now = world.after(TimeDelta::hours(1));
    world.store.set_business(world.binding, &business, now, None).await.unwrap();
    let after = world.store.binding(world.binding).await.unwrap().unwrap();
    assert_eq!(after, crate::Binding { business: Some(business), trusted_since: now, ..before });
}

/// However many wait: the runs stay as they are, nothing of them is claimed, and what people are told follows from the status.
pub async fn a_change_of_status_touches_no_runs(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mapping = world.run_through(InvoiceCreated, 1, needs_mapping()).await;
    let retried = world.run_through(InvoiceCreated, 2, retrying(world.after(TimeDelta::hours(1)))).await;
    let running = world.receive(InvoiceCreated, 3).await;
    let claimed = world.claim().await;
    let queued = world.receive(InvoiceCreated, 4).await;
    let ids = [mapping, retried, running, queued];
    let all = || async {
        let mut runs = Vec::new();
        for id in ids {
            runs.push(world.run(id).await);
        }
        runs
    };
    let before = all().await;
    for (status, code) in stops() {
        world.set_status(status).await;
        assert_eq!(all().await, before, "{status}");
        assert_eq!(world.store.binding(world.binding).await.unwrap().unwrap().status, status);
        let reasons = before.iter().map(|run| run.reason(status));
        let expected = [Some(Code::NeedsMapping), Some(code), None, Some(code)];
        assert_eq!(reasons.collect::<Vec<_>>(), expected, "{status}");
        world.pass(TimeDelta::hours(2));
        assert!(world.try_claim().await.is_none());
    }
    world.set_status(BindingStatus::Active).await;
    assert_eq!(all().await, before);
    assert_eq!(before[3].reason(BindingStatus::Active), None);
    assert_eq!(world.claim().await.run.id, retried, "the oldest that is due");
    drop(claimed);
}

/// Saying the same again is no change.
pub async fn the_day_of_a_status_moves_only_with_it(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (first, second) = (world.now(), world.now());
    world.store.set_binding_status(world.binding, BindingStatus::Paused, first, None).await.unwrap();
    world.store.set_binding_status(world.binding, BindingStatus::Paused, second, None).await.unwrap();
    assert_eq!(world.store.binding(world.binding).await.unwrap().unwrap().status_changed_at, first);
}

/// A run that ends after its shop was disconnected must not bring the shop back.
pub async fn a_status_changes_only_from_the_one_that_is_named(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let run = world.receive(InvoiceCreated, 1).await;
    let (active, refused) = (BindingStatus::Active, BindingStatus::NeedsReauth);
    for stays in [BindingStatus::Revoked, BindingStatus::Paused] {
        world.store.set_binding_status(world.binding, stays, world.now(), None).await.unwrap();
        assert!(
            !world
                .store
                .change_binding_status(world.binding, active, refused, world.now(), None)
                .await
                .unwrap()
        );
        assert_eq!(world.store.binding(world.binding).await.unwrap().unwrap().status, stays);
    }
    world.store.set_binding_status(world.binding, active, world.now(), None).await.unwrap();
    assert!(
        world.store.change_binding_status(world.binding, active, refused, world.now(), None).await.unwrap()
    );
    assert_eq!(world.store.binding(world.binding).await.unwrap().unwrap().status, refused);
    assert_eq!(world.run_state(run).await, (RunStatus::Queued, None));
}

/// A write that finds no row says so.
pub async fn changing_an_unknown_binding_is_an_error(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let nobody = BindingId(world.id());
    let business = SageBusiness { id: "b".to_owned(), name: "B".to_owned(), country: "GB".to_owned() };
    assert_stale(world.store.set_business(nobody, &business, world.now(), None).await);
    assert_stale(world.store.set_binding_status(nobody, BindingStatus::Paused, world.now(), None).await);
}

fn stops() -> [(BindingStatus, Code); 4] {
    [
        (BindingStatus::Paused, Code::BindingPaused),
        (BindingStatus::NeedsReauth, Code::BindingNeedsReauth),
        (BindingStatus::Pending, Code::BindingPending),
        (BindingStatus::Revoked, Code::BindingRevoked),
    ]
}

/// Who refused is told, by the last word on it.
pub async fn a_refusal_is_noted(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    assert_eq!(world.store.refusal(world.binding).await.unwrap(), None);
    for code in [Code::SageAuth, Code::MagentoAuth] {
        world.store.note_refusal(world.binding, code).await.unwrap();
        assert_eq!(world.store.refusal(world.binding).await.unwrap(), Some(code));
    }
    assert_stale(world.store.note_refusal(BindingId(world.id()), Code::SageAuth).await);
    // The shop that left is told whatever the status, and a run that was under way does not say otherwise.
    world.set_status(BindingStatus::Revoked).await;
    world.store.note_shop_left(world.binding).await.unwrap();
    world.store.note_refusal(world.binding, Code::SageAuth).await.unwrap();
    assert_eq!(world.store.refusal(world.binding).await.unwrap(), Some(Code::MagentoAuth));
    assert_stale(world.store.note_shop_left(BindingId(world.id())).await);
    world.set_status(BindingStatus::Active).await;
    assert_eq!(world.store.refusal(world.binding).await.unwrap(), None, "it works again");
}
