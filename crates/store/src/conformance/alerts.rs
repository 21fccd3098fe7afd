//! How bindings fare, and which alerts that raises.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    alert::AlertKind,
    code::Code,
    environment::Environment,
    health::{Health, Stage, Thresholds},
    ids::RunId,
    money::Currency,
    run::{ActionKind, BindingStatus, EventName::InvoiceCreated, RunStatus},
};

use super::world::{World, failed, needs_mapping, retrying, skipped};
use crate::{ActionFilter, Outcome, RunFacts, RunFilter, Store};

/// Fails so many documents one after another, beginning with this number.
pub(super) async fn fail(world: &World, first: i64, count: i64) -> Vec<RunId> {
    let mut runs = Vec::new();
    for number in first..first + count {
        runs.push(world.run_through(InvoiceCreated, number, failed()).await);
    }
    runs
}

/// The kinds that were raised, oldest first.
pub(super) async fn raised(world: &World) -> Vec<AlertKind> {
    let mut alerts = world.store.list_alerts(world.organisation, 1000).await.unwrap();
    alerts.reverse();
    alerts.into_iter().map(|alert| alert.kind).collect()
}

async fn health(world: &World) -> Health {
    world.store.health(world.binding).await.unwrap()
}

/// Each stage is told once, and at the last one the binding is paused in the same write: its runs wait.
pub async fn trouble_is_told_in_stages_and_ends_in_a_pause(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_binding("business-2").await;
    fail(&world, 1, 49).await;
    assert_eq!(world.store.binding(world.binding).await.unwrap().unwrap().status, BindingStatus::Active);
    let waiting = world.receive(InvoiceCreated, 999).await;
    let last = world.claim().await;
    assert_eq!(last.run.id, waiting);
    let behind = world.receive(InvoiceCreated, 1000).await;
    world.finish(&last, failed()).await;

    let staged = [AlertKind::BindingTroubled, AlertKind::BindingFailing, AlertKind::BindingPaused];
    let expected: Vec<_> = [AlertKind::DocumentFailed; 4].into_iter().chain(staged).collect();
    assert_eq!(raised(&world).await, expected);
    let fares = health(&world).await;
    assert_eq!((fares.failed_in_a_row, fares.stage), (50, Stage::Paused));
    let paused = world.store.binding(world.binding).await.unwrap().unwrap();
    assert_eq!(paused.status, BindingStatus::Paused);
    let deed = world
        .store
        .list_actions(world.organisation, &ActionFilter::default(), None, 9)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (deed.kind, deed.actor.name.as_str(), deed.run_id),
        (ActionKind::Paused, "Ledger", Some(waiting))
    );
    assert_eq!(world.run_state(behind).await, (RunStatus::Queued, None));
    assert_eq!(world.store.health(other).await.unwrap(), Health::default());
    let newest = world.store.list_alerts(world.organisation, 1).await.unwrap().remove(0);
    assert_eq!((newest.facts.failed_in_a_row, newest.run_id), (Some(50), Some(waiting)));
    assert_eq!((newest.binding_id, newest.shop.as_str()), (world.binding, "Shop of business-1"));
}

/// Who resumes a binding hears of its recovery with the first success, and not before.
pub async fn recovery_is_told_with_the_first_success(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    fail(&world, 1, 50).await;
    let before = raised(&world).await.len();
    world.set_status(BindingStatus::Active).await;
    assert_eq!(raised(&world).await.len(), before);
    world.run_through(InvoiceCreated, 100, Outcome::Succeeded).await;
    world.run_through(InvoiceCreated, 101, Outcome::Succeeded).await;
    assert_eq!(raised(&world).await[before..], [AlertKind::BindingRecovered]);
    assert_eq!(health(&world).await, Health::default());
}

/// What is tried again, skipped or waits says nothing of its binding.
pub async fn only_what_has_ended_is_counted(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    fail(&world, 1, 3).await;
    world.run_through(InvoiceCreated, 10, skipped()).await;
    let again = world.after(TimeDelta::hours(1));
    world.run_through(InvoiceCreated, 11, retrying(again)).await;
    assert_eq!((health(&world).await.failed_in_a_row, raised(&world).await.len()), (3, 3));
    world.run_through(InvoiceCreated, 12, Outcome::Succeeded).await;
    assert_eq!(health(&world).await, Health::default());
    assert_eq!(raised(&world).await.len(), 3, "it was never in trouble");
}

/// A person who tries a document again and again has not got a failing shop.
pub async fn a_document_that_fails_again_is_one_failure(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let run = world.run_through(InvoiceCreated, 1, failed()).await;
    for _ in 0..6 {
        world.store.retry_run(world.organisation, run, world.now(), None).await.unwrap();
        let claimed = world.claim().await;
        world.finish(&claimed, failed()).await;
    }
    assert_eq!(health(&world).await.failed_in_a_row, 1);
    assert_eq!(raised(&world).await, [AlertKind::DocumentFailed]);
}

/// However many a person tries again together; a success between begins the count again.
pub async fn documents_that_fail_again_together_are_no_new_failures(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut runs = Vec::new();
    for number in 1..=4 {
        runs.push(world.run_through(InvoiceCreated, number, failed()).await);
    }
    let again = async || {
        for run in &runs {
            world.pass(TimeDelta::minutes(1));
            world.store.retry_run(world.organisation, *run, world.now(), None).await.unwrap();
            let claimed = world.claim().await;
            world.finish(&claimed, failed()).await;
        }
        health(&world).await.failed_in_a_row
    };
    assert_eq!(again().await, 4);
    assert_eq!(raised(&world).await, [AlertKind::DocumentFailed; 4]);
    world.pass(TimeDelta::minutes(1));
    world.run_through(InvoiceCreated, 9, Outcome::Succeeded).await;
    assert_eq!((again().await, again().await), (4, 4));
}

/// A retry of many takes failures that are known: they pause nothing, not even after a success. What had not failed yet counts.
pub async fn known_failures_that_are_retried_together_pause_nothing(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    fail(&world, 1, 4).await;
    world.pass(TimeDelta::minutes(1));
    world.run_through(InvoiceCreated, 8, Outcome::Succeeded).await;
    let last = world.run_through(InvoiceCreated, 9, skipped()).await;
    world.pass(TimeDelta::minutes(1));
    let before = raised(&world).await.len();
    let bulk = world.bulk(RunFilter::default(), last).await;
    world.advance(&bulk).await;
    for _ in 0..5 {
        world.pass(TimeDelta::minutes(1));
        let claimed = world.claim().await;
        let mut end = world.end(&claimed, failed());
        end.thresholds = Thresholds { troubled: 0, failing: 0, pause: 2 };
        world.store.finish_run(&end).await.unwrap();
    }
    assert_eq!((health(&world).await.failed_in_a_row, raised(&world).await.len()), (1, before + 1));
    let status = world.store.binding(world.binding).await.unwrap().unwrap().status;
    assert_eq!(status, BindingStatus::Active);
}

/// The thresholds are those of the process that works the run.
pub async fn thresholds_are_handed_in(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let thresholds = Thresholds { troubled: 1, failing: 2, pause: 3 };
    for number in 1..=3 {
        world.receive(InvoiceCreated, number).await;
        let claimed = world.claim().await;
        let mut end = world.end(&claimed, failed());
        end.thresholds = thresholds;
        world.store.finish_run(&end).await.unwrap();
    }
    let staged = [AlertKind::BindingTroubled, AlertKind::BindingFailing, AlertKind::BindingPaused];
    assert_eq!(raised(&world).await, staged);
}

/// However often it is found out, a lost connection is told once; so is its return.
pub async fn a_lost_connection_is_told_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.set_status(BindingStatus::NeedsReauth).await;
    world.set_status(BindingStatus::NeedsReauth).await;
    assert_eq!(health(&world).await.stage, Stage::Disconnected);
    world.set_status(BindingStatus::Active).await;
    world.set_status(BindingStatus::Paused).await;
    world.set_status(BindingStatus::Active).await;
    let expected = [AlertKind::BindingDisconnected, AlertKind::BindingRecovered];
    assert_eq!(raised(&world).await, expected);
}

/// The first document that needs a setting is told of; those that wait with it are not.
pub async fn a_missing_setting_is_told_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let first = world.run_through(InvoiceCreated, 1, needs_mapping()).await;
    world.run_through(InvoiceCreated, 2, needs_mapping()).await;
    assert_eq!(raised(&world).await, [AlertKind::MappingMissing]);
    let alert = world.store.list_alerts(world.organisation, 1).await.unwrap().remove(0);
    assert_eq!((alert.run_id, alert.facts.code), (Some(first), Some(Code::NeedsMapping)));
    world.save_settings(1).await;
    for _ in 0..2 {
        let claimed = world.claim().await;
        world.finish(&claimed, needs_mapping()).await;
    }
    assert_eq!(raised(&world).await, [AlertKind::MappingMissing; 2], "it is missing still");
    for number in 3..=4 {
        let held = Outcome::Waiting { code: Code::TaxUndetermined, message: None, waits_for_invoice: None };
        world.run_through(InvoiceCreated, number, held).await;
    }
    assert_eq!(raised(&world).await[2..], [AlertKind::DocumentFailed; 2], "each is a question of its own");
}

/// An alert holds ids, sums and codes, and no customer.
pub async fn an_alert_knows_its_document_and_nothing_of_people(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.receive(InvoiceCreated, 7).await;
    let claimed = world.claim().await;
    let mut end = world.end(&claimed, failed());
    end.facts = RunFacts {
        increment_id: Some("000000007".to_owned()),
        customer: Some("Zoë Müller".to_owned()),
        currency: Some(Currency::GBP.to_string()),
        amount_minor: Some(12_345),
        ..RunFacts::default()
    };
    world.store.finish_run(&end).await.unwrap();
    let alert = world.store.list_alerts(world.organisation, 10).await.unwrap().remove(0);
    let facts = &alert.facts;
    assert_eq!((facts.magento_id, facts.increment_id.as_deref()), (Some(7), Some("000000007")));
    assert_eq!((facts.currency.as_deref(), facts.amount_minor), (Some("GBP"), Some(12_345)));
    assert_eq!((facts.code, facts.event), (Some(Code::SageValidation), Some(InvoiceCreated)));
    assert_eq!((alert.run_id, alert.at), (Some(claimed.run.id), end.now));
    assert!(!format!("{alert:?}").contains("Zoë"));
}

/// Each organisation sees its own; what is old is cleared away.
pub async fn alerts_are_listed_to_their_organisation_and_purged(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_organisation("Second").await;
    fail(&world, 1, 2).await;
    let cut = world.now();
    fail(&world, 3, 1).await;
    assert!(world.store.list_alerts(other, 10).await.unwrap().is_empty());
    assert_eq!(world.store.list_alerts(world.organisation, 2).await.unwrap().len(), 2);
    assert_eq!(world.store.purge_alerts(cut).await.unwrap(), 2);
    assert_eq!(raised(&world).await.len(), 1);
}
