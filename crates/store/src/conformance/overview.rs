//! What the overview shows is counted where it happens.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    environment::Environment,
    health::Stage,
    ids::ActionId,
    run::{
        ActionKind, BindingStatus,
        EventName::{CreditmemoCreated, InvoiceCreated, InvoicePaid},
        RunStatus,
    },
};

use super::world::{World, failed, retrying, skipped};
use crate::{Action, Actor, Failed, Load, Outcome, Span, Step, Store, Takings, Tally, Targets, Volume};

async fn counted(world: &World, span: Span, from: DateTime<Utc>) -> Vec<(DateTime<Utc>, Tally, i64)> {
    let until = from + TimeDelta::days(30);
    let volume = world.store.volume(world.organisation, span, from, until).await.unwrap();
    volume.into_iter().map(|Volume { starts_at, tally, runs }| (starts_at, tally, runs)).collect()
}

async fn load(world: &World) -> Load {
    let loads = world.store.loads(world.organisation, world.now()).await.unwrap();
    loads.into_iter().find(|load| load.binding_id == world.binding).unwrap()
}

/// Each arrival and each end counts in its hour and in its day, over all bindings of the organisation.
pub async fn runs_are_counted_by_hour_and_day_as_they_come_and_end(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let second = world.add_binding("business-2").await;
    let first_hour = Span::Hour.start(world.now());
    world.run_through(InvoiceCreated, 1, Outcome::Succeeded).await;
    world.run_through(InvoiceCreated, 2, skipped()).await;
    let run = world.receive_of(second, InvoiceCreated, 3).await;
    let claimed = world.claim().await;
    assert_eq!(claimed.run.id, run);
    world.finish(&claimed, Outcome::Succeeded).await;
    world.receive(InvoiceCreated, 1).await;
    world.pass(TimeDelta::hours(1));
    let next_hour = Span::Hour.start(world.now());
    world.run_through(InvoicePaid, 4, failed()).await;

    let (succeeded, skips, failures) = (
        Tally::Ended(RunStatus::Succeeded),
        Tally::Ended(RunStatus::SkippedByPolicy),
        Tally::Ended(RunStatus::Failed),
    );
    assert_eq!(
        counted(&world, Span::Hour, first_hour).await,
        [
            (first_hour, Tally::Received, 3),
            (first_hour, skips, 1),
            (first_hour, succeeded, 2),
            (next_hour, failures, 1),
            (next_hour, Tally::Received, 1),
        ],
        "a repeated event makes no run and counts no more"
    );
    let day = Span::Day.start(first_hour);
    let days = counted(&world, Span::Day, day).await;
    assert_eq!(days, [(day, failures, 1), (day, Tally::Received, 4), (day, skips, 1), (day, succeeded, 2)]);
    assert_eq!(counted(&world, Span::Hour, next_hour).await.len(), 2, "from one instant");
    let none = world.store.volume(world.organisation, Span::Hour, day, first_hour).await.unwrap();
    assert_eq!(none, [], "up to another");
    let stranger = world.add_organisation("Second").await;
    assert_eq!(world.store.volume(stranger, Span::Day, day, world.now()).await.unwrap(), []);

    assert!(world.store.forget_hours(next_hour).await.unwrap() > 0);
    assert_eq!(counted(&world, Span::Hour, first_hour).await.len(), 2, "the old hours are forgotten");
    assert_eq!(counted(&world, Span::Day, day).await, days, "the days stay");
}

/// A try that does not end the run counts nothing; an exclusion ends it.
pub async fn only_an_end_is_counted_as_one(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let day = Span::Day.start(world.now());
    let later = world.after(TimeDelta::minutes(1));
    let run = world.run_through(InvoiceCreated, 1, retrying(later)).await;
    assert_eq!(counted(&world, Span::Day, day).await, [(day, Tally::Received, 1)]);
    let action = Action {
        id: ActionId(world.id()),
        organisation_id: world.organisation,
        binding_id: Some(world.binding),
        run_id: Some(run),
        actor: Actor { member: None, name: "Ada".to_owned() },
        kind: ActionKind::Excluded,
        detail: "a test".to_owned(),
        at: world.now(),
    };
    world.store.exclude_document(run, &action).await.unwrap();
    let skips = Tally::Ended(RunStatus::SkippedByPolicy);
    assert_eq!(counted(&world, Span::Day, day).await, [(day, Tally::Received, 1), (day, skips, 1)]);
}

/// A run that is queued again has not ended: what came in and what ended add up, whoever queued it.
pub async fn a_run_that_is_queued_again_is_counted_by_its_last_end(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let day = Span::Day.start(world.now());
    let ends = async || -> Vec<(Tally, i64)> {
        let counted = counted(&world, Span::Day, day).await.into_iter();
        counted
            .filter(|(_, tally, runs)| *tally != Tally::Received && *runs != 0)
            .map(|(_, tally, runs)| (tally, runs))
            .collect()
    };
    let run = world.run_through(InvoiceCreated, 1, failed()).await;
    world.store.retry_run(world.organisation, run, world.now(), None).await.unwrap();
    assert_eq!(ends().await, [], "retried");
    let claimed = world.claim().await;
    world.finish(&claimed, Outcome::Succeeded).await;
    assert_eq!(ends().await, [(Tally::Ended(RunStatus::Succeeded), 1)]);

    let run = world.run_through(InvoiceCreated, 2, failed()).await;
    let action = |kind| Action {
        id: ActionId(world.id()),
        organisation_id: world.organisation,
        binding_id: Some(world.binding),
        run_id: Some(run),
        actor: Actor { member: None, name: "Ada".to_owned() },
        kind,
        detail: "a test".to_owned(),
        at: world.now(),
    };
    world.store.exclude_document(run, &action(ActionKind::Excluded)).await.unwrap();
    let (skips, succeeded) = (Tally::Ended(RunStatus::SkippedByPolicy), Tally::Ended(RunStatus::Succeeded));
    assert_eq!(ends().await, [(skips, 1), (succeeded, 1)], "it no longer counts as failed");
    world.store.include_document(run, &action(ActionKind::Included)).await.unwrap();
    assert_eq!(ends().await, [(Tally::Ended(RunStatus::Succeeded), 1)], "no longer excluded");
}

/// The backlog is what is due and held by nobody.
pub async fn a_binding_tells_how_far_behind_it_is(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let fresh = Load {
        binding_id: world.binding,
        backlog: 0,
        oldest_due: None,
        ended: 0,
        calls: 0,
        last_success: None,
        untold: 0,
        failed_in_a_row: 0,
        stage: Stage::Healthy,
    };
    assert_eq!(load(&world).await, fresh);
    let due = world.after(TimeDelta::minutes(1));
    world.run_through(InvoiceCreated, 1, retrying(due)).await;
    assert_eq!(load(&world).await.backlog, 0, "a retry that is not due yet is no backlog");
    world.pass(TimeDelta::minutes(2));
    world.receive(InvoiceCreated, 2).await;
    let behind = load(&world).await;
    assert_eq!((behind.backlog, behind.oldest_due), (2, Some(due)));

    let claimed = world.claim().await;
    assert_eq!(load(&world).await.backlog, 1, "what is held is not behind");
    let mut end = world.end(&claimed, Outcome::Succeeded);
    end.steps = vec![
        world.step("invoice"),
        Step { target: "magento".to_owned(), ..world.step("document") },
        world.step("payment"),
    ];
    world.store.finish_run(&end).await.unwrap();
    let at_work = load(&world).await;
    assert_eq!((at_work.ended, at_work.calls, at_work.last_success), (1, 2, Some(end.now)));
    world.set_status(BindingStatus::Paused).await;
    assert_eq!(load(&world).await.backlog, 1, "what waits for its binding is behind as well");

    world.pass(TimeDelta::days(1));
    let a_day_later = load(&world).await;
    assert_eq!((a_day_later.ended, a_day_later.calls, a_day_later.last_success), (0, 0, Some(end.now)));
    let stranger = world.add_organisation("Second").await;
    assert_eq!(world.store.loads(stranger, world.now()).await.unwrap(), []);
}

/// As the alerts count them.
pub async fn failures_one_after_another_are_told(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    super::alerts::fail(&world, 1, 5).await;
    let fares = load(&world).await;
    assert_eq!((fares.failed_in_a_row, fares.stage), (5, Stage::Troubled));
}

/// A state that was given up is one that Magento does not know.
pub async fn what_magento_could_not_be_told_is_counted(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.receive(InvoiceCreated, 1).await;
    let claimed = world.claim().await;
    let mut end = world.end(&claimed, Outcome::Succeeded);
    end.sync_state = Some(world.synced(1));
    world.store.finish_run(&end).await.unwrap();
    assert_eq!(load(&world).await.untold, 0, "it is on its way");
    let (now, until) = (world.now(), world.after(TimeDelta::minutes(1)));
    let delivery = world.store.claim_delivery(now, until, Targets::All).await.unwrap().unwrap();
    let failed = Failed { error: "404", next_at: None, rests_until: None, may_arrive: false };
    world.store.delivery_failed(&delivery, failed).await.unwrap();
    assert_eq!(load(&world).await.untold, 1, "it was given up");
}

/// Only what succeeded has times.
pub async fn the_times_of_what_succeeded_are_told_newest_first(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let start = world.now();
    for number in 1..=3 {
        world.run_through(InvoiceCreated, number, Outcome::Succeeded).await;
        world.run_through(InvoicePaid, number, failed()).await;
        world.pass(TimeDelta::minutes(1));
    }
    let times = world.store.times(world.organisation, start, 2).await.unwrap();
    assert_eq!(times.len(), 2);
    assert!(times[0].finished_at > times[1].finished_at);
    for time in &times {
        assert_eq!(time.created_at - time.occurred_at, TimeDelta::seconds(30));
        assert!(time.created_at < time.started_at && time.started_at < time.finished_at);
    }
    let since = times[0].finished_at;
    assert_eq!(world.store.times(world.organisation, since, 10).await.unwrap(), times[..1]);
    let stranger = world.add_organisation("Second").await;
    assert_eq!(world.store.times(stranger, start, 10).await.unwrap(), []);
}

/// Invoices and credit memos by currency; what failed, and what is no document of account, is no money.
pub async fn what_was_posted_since_an_instant_is_summed(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let of = |world: &World, since| {
        let (store, organisation) = (Arc::clone(&world.store), world.organisation);
        async move { store.takings(organisation, since, 100).await.unwrap() }
    };
    let post = async |event, id, currency: &str, amount, outcome| {
        world.receive(event, id).await;
        let claimed = world.claim().await;
        let mut end = world.end(&claimed, outcome);
        end.facts.currency = Some(currency.to_owned());
        end.facts.amount_minor = Some(amount);
        world.store.finish_run(&end).await.unwrap();
    };
    post(InvoiceCreated, 1, "GBP", 900, Outcome::Succeeded).await;
    let start = world.now();
    post(InvoiceCreated, 2, "GBP", 1_000, Outcome::Succeeded).await;
    post(InvoiceCreated, 3, "GBP", 250, Outcome::Succeeded).await;
    post(InvoiceCreated, 4, "EUR", 70, Outcome::Succeeded).await;
    post(InvoiceCreated, 5, "GBP", 5_000, failed()).await;
    post(InvoicePaid, 2, "GBP", 1_000, Outcome::Succeeded).await;
    post(CreditmemoCreated, 1, "GBP", 300, Outcome::Succeeded).await;
    let takings = |event, currency: &str, runs, value_minor| Takings {
        binding_id: world.binding,
        event,
        currency: Some(currency.to_owned()),
        runs,
        value_minor,
    };
    let expected = [
        takings(CreditmemoCreated, "GBP", 1, 300),
        takings(InvoiceCreated, "EUR", 1, 70),
        takings(InvoiceCreated, "GBP", 2, 1_250),
    ];
    assert_eq!(of(&world, start).await, expected);
    assert_eq!(world.store.takings(world.organisation, start, 1).await.unwrap(), expected[..1], "the newest");
    let stranger = world.add_organisation("Second").await;
    assert_eq!(world.store.takings(stranger, start, 100).await.unwrap(), []);
}
