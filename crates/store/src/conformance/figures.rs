//! How everything stands, in figures.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    environment::Environment,
    run::{BindingStatus, EventName::InvoiceCreated},
};

use super::world::{World, failed, needs_mapping, retrying};
use crate::{BindingFigures, CachedReference, CredentialKind, Failed, Outcome, Store, Targets};

/// Each binding has its own, and what has ended is in none.
pub async fn what_is_open_is_counted_for_each_binding(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_binding("business-2").await;
    world.run_through(InvoiceCreated, 1, Outcome::Succeeded).await;
    world.run_through(InvoiceCreated, 2, failed()).await;
    world.run_through(InvoiceCreated, 3, needs_mapping()).await;
    world.run_through(InvoiceCreated, 4, needs_mapping()).await;
    let later = world.after(TimeDelta::hours(1));
    world.run_through(InvoiceCreated, 5, retrying(later)).await;
    world.receive(InvoiceCreated, 6).await;
    world.claim().await;
    let oldest = world.receive(InvoiceCreated, 7).await;
    world.receive(InvoiceCreated, 8).await;
    world.receive_of(other, InvoiceCreated, 1).await;
    world.store.set_binding_status(other, BindingStatus::Paused, world.now(), None).await.unwrap();

    let figures = world.store.figures(world.now()).await.unwrap();
    let due_since = Some(world.run(oldest).await.next_at);
    let expected = BindingFigures {
        binding_id: world.binding,
        status: BindingStatus::Active,
        queued: 2,
        running: 1,
        lost: 0,
        waiting: 2,
        retrying: 1,
        due_since,
        deliveries_due: 0,
        deliveries_given_up: 0,
        tokens_at: None,
        reference_at: None,
    };
    assert_eq!(figures[0], expected);
    let stopped = BindingFigures {
        binding_id: other,
        status: BindingStatus::Paused,
        queued: 1,
        running: 0,
        waiting: 0,
        retrying: 0,
        due_since: None,
        ..expected
    };
    assert_eq!(figures[1..], [stopped]);
    // A worker that shows no sign of life any more.
    let after = world.store.figures(later).await.unwrap();
    assert_eq!((after[0].running, after[0].lost), (1, 1));
}

/// What Magento was never told shows, until a newer state takes its place.
pub async fn deliveries_are_counted(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let tell = async |number| {
        world.receive(InvoiceCreated, number).await;
        let claimed = world.claim().await;
        let mut end = world.end(&claimed, Outcome::Succeeded);
        end.sync_state = Some(world.synced(number));
        world.store.finish_run(&end).await.unwrap();
    };
    for number in 1..=3 {
        tell(number).await;
    }
    let count = async || {
        let figures = world.store.figures(world.now()).await.unwrap();
        (figures[0].deliveries_due, figures[0].deliveries_given_up)
    };
    assert_eq!(count().await, (3, 0));
    let claim = async || {
        let (now, until) = (world.now(), world.after(TimeDelta::minutes(1)));
        world.store.claim_delivery(now, until, Targets::All).await.unwrap().unwrap()
    };
    world.store.delivery_arrived(&claim().await, world.now()).await.unwrap();
    let given_up = claim().await;
    let failed = Failed { error: "400", next_at: None, rests_until: None, may_arrive: false };
    world.store.delivery_failed(&given_up, failed).await.unwrap();
    let later = world.after(TimeDelta::hours(1));
    world.store.delivery_failed(&claim().await, Failed { next_at: Some(later), ..failed }).await.unwrap();
    assert_eq!(count().await, (0, 1));
    world
        .store
        .retry_run(world.organisation, newest(&world, given_up.state.magento_id).await, world.now(), None)
        .await
        .unwrap();
    let claimed = world.claim().await;
    let mut end = world.end(&claimed, Outcome::Succeeded);
    end.sync_state = Some(world.synced(claimed.run.magento_id));
    world.store.finish_run(&end).await.unwrap();
    assert_eq!(count().await, (1, 0));
}

async fn newest(world: &World, magento_id: i64) -> domain::ids::RunId {
    world.store.latest_run_of_event(world.binding, InvoiceCreated, magento_id).await.unwrap().unwrap().id
}

/// When tokens and lists were written; a credential that was deleted has no age.
pub async fn ages_are_told(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let kind = CredentialKind::SageTokens;
    let ages = async || {
        let figures = world.store.figures(world.now()).await.unwrap();
        (figures[0].tokens_at, figures[0].reference_at)
    };
    assert_eq!(ages().await, (None, None));
    let at = world.now();
    world.store.put_credential(world.binding, kind, "sealed", 0, at, None).await.unwrap();
    let set = serde_json::from_value(serde_json::json!({
        "country": "GB", "base_currency": "GBP", "multi_currency_enabled": false, "registered_for_tax": true, "tax_rates": [], "ledger_accounts": [],
        "bank_accounts": [], "payment_methods": [], "currencies": [], "eu_goods_services_types": [], "exchange_rates": {},
    }));
    let reference = CachedReference { set: set.unwrap(), fetched_at: at };
    world.store.put_reference(world.binding, &reference, None).await.unwrap();
    assert_eq!(ages().await, (Some(at), Some(at)));
    world.store.delete_credential(world.binding, kind).await.unwrap();
    assert_eq!(ages().await, (None, Some(at)));
    assert_eq!(world.store.missing_migrations().await.unwrap(), 0);
}
