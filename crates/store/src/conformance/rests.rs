//! Sage businesses and shops that do not answer, and runs that rest alone.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    alert::AlertKind,
    code::Code,
    environment::Environment,
    run::{
        BindingStatus,
        EventName::InvoiceCreated,
        RunStatus,
        Side::{self, Magento, Sage},
    },
};

use super::world::{World, failed, retrying};
use crate::{BindingRests, Outcome, Rest, Store};

fn resting(side: impl Into<Option<Side>>, until: DateTime<Utc>) -> Outcome {
    let code = Code::SageUnavailable;
    Outcome::Resting { code, message: Some("502".to_owned()), until, side: side.into(), by_turns: false }
}

/// What rests is passed over with all that needs it; then the oldest goes first, alone.
pub async fn a_business_that_rests_is_passed_over(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_binding("business-2").await;
    let first = world.receive(InvoiceCreated, 1).await;
    world.receive(InvoiceCreated, 2).await;
    world.receive(InvoiceCreated, 3).await;
    let elsewhere = world.receive_of(other, InvoiceCreated, 4).await;
    let claimed = world.claim().await;
    let until = world.after(TimeDelta::hours(1));
    let end = world.end(&claimed, resting(Sage, until));
    world.store.finish_run(&end).await.unwrap();
    let kept = Rest { code: Code::SageUnavailable, since: end.now, until, rests: 1 };
    let rests = world.store.rests(world.binding).await.unwrap();
    assert_eq!(rests, BindingRests { sage: Some(kept), magento: None });
    assert_eq!(world.store.rests(other).await.unwrap(), BindingRests::default());
    let well = world.claim().await;
    assert_eq!(well.run.id, elsewhere, "nobody else is held up");
    world.finish(&well, Outcome::Succeeded).await;
    assert!(world.try_claim().await.is_none());
    assert_eq!(world.store.next_due().await.unwrap(), Some(until));
    world.pass(TimeDelta::hours(1));
    let probe = world.claim().await;
    assert_eq!(probe.run.id, first);
    assert!(world.try_claim().await.is_none(), "no herd");
    world.finish(&probe, Outcome::Succeeded).await;
    assert_eq!(world.store.rests(world.binding).await.unwrap(), BindingRests::default());
    for number in [2, 3] {
        let claimed = world.claim().await;
        assert_eq!(claimed.run.magento_id, number);
        world.finish(&claimed, Outcome::Succeeded).await;
    }
}

/// A shop that hangs holds up nobody, not even another shop of its business.
pub async fn a_shop_that_rests_holds_up_no_other(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_binding("business-2").await;
    world.receive(InvoiceCreated, 1).await;
    let second = world.receive_of(other, InvoiceCreated, 2).await;
    let claimed = world.claim().await;
    world.finish(&claimed, resting(Magento, world.after(TimeDelta::hours(1)))).await;
    let well = world.claim().await;
    assert_eq!(well.run.id, second);
    world.finish(&well, Outcome::Succeeded).await;
    assert!(world.try_claim().await.is_none());
    assert!(
        world.store.rests(world.binding).await.unwrap().magento.is_some(),
        "another shop's success says nothing"
    );
}

/// An outage of a week is a thousand rests: neither tries nor rows grow with it, nothing fails, and members hear of it once.
pub async fn a_rest_is_no_attempt_and_leaves_no_rows(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    for _ in 0..60 {
        let claimed = world.claim().await;
        assert_eq!((claimed.run.attempts, claimed.attempt_number), (1, 1));
        world.finish(&claimed, resting(Sage, world.after(TimeDelta::minutes(1)))).await;
        world.pass(TimeDelta::minutes(1));
    }
    let run = world.run(id).await;
    assert_eq!((run.status, run.code, run.attempts), (RunStatus::Retrying, Some(Code::SageUnavailable), 0));
    assert_eq!(world.attempts(id).await, []);
    assert_eq!(world.store.rests(world.binding).await.unwrap().sage.unwrap().rests, 60);
    assert_eq!(world.store.binding(world.binding).await.unwrap().unwrap().status, BindingStatus::Active);
    let kinds = || async {
        let alerts = world.store.list_alerts(world.organisation, 9).await.unwrap();
        alerts.into_iter().map(|alert| alert.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds().await, [AlertKind::BindingTroubled]);
    let claimed = world.claim().await;
    world.finish(&claimed, Outcome::Succeeded).await;
    assert_eq!(kinds().await, [AlertKind::BindingRecovered, AlertKind::BindingTroubled]);
}

/// What was sent stays in the audit: the first and the last of the rests in a row that sent anything.
pub async fn what_was_sent_before_a_rest_is_kept(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    for round in 0..9 {
        let claimed = world.claim().await;
        let outcome = match round {
            1 => retrying(world.after(TimeDelta::minutes(1))),
            _ => resting(Sage, world.after(TimeDelta::minutes(1))),
        };
        let mut end = world.end(&claimed, outcome);
        end.steps = vec![world.step(&format!("round {round}"))];
        world.store.finish_run(&end).await.unwrap();
        world.pass(TimeDelta::minutes(1));
    }
    let kept: Vec<_> = world
        .attempts(id)
        .await
        .into_iter()
        .map(|attempt| (attempt.outcome.unwrap(), attempt.steps[0].name.clone()))
        .collect();
    let told: Vec<_> = kept.iter().map(|(outcome, step)| (outcome.as_str(), step.as_str())).collect();
    let expected =
        [("resting", "round 0"), ("retrying", "round 1"), ("resting", "round 2"), ("resting", "round 8")];
    assert_eq!(told, expected);
    assert_eq!(world.run(id).await.attempts, 1, "one try counts");
}

/// A run may rest by itself; the others go on.
pub async fn a_run_that_rests_alone_holds_up_nobody(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let first = world.receive(InvoiceCreated, 1).await;
    let second = world.receive(InvoiceCreated, 2).await;
    let claimed = world.claim().await;
    world.finish(&claimed, resting(None, world.after(TimeDelta::hours(1)))).await;
    assert_eq!(world.run(first).await.attempts, 0);
    assert_eq!(world.store.rests(world.binding).await.unwrap(), BindingRests::default());
    let claimed = world.claim().await;
    assert_eq!(claimed.run.id, second);
    world.finish(&claimed, failed()).await;
    world.pass(TimeDelta::hours(1));
    assert_eq!(world.claim().await.run.id, first);
}

/// Where what was sent may be why Sage is silent, nobody has a second turn before all others have had their first.
pub async fn after_a_rest_by_turns_the_others_go_first(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let minute = TimeDelta::minutes(1);
    let rest = |by_turns| Outcome::Resting {
        code: Code::SageUnavailable,
        message: None,
        until: world.after(minute),
        side: Some(Sage),
        by_turns,
    };
    for invoice in 1..=4 {
        world.receive(InvoiceCreated, invoice).await;
    }
    let mut turns = Vec::new();
    for _ in 0..7 {
        let claimed = world.claim().await;
        turns.push(claimed.run.magento_id);
        world.finish(&claimed, rest(true)).await;
        assert!(world.try_claim().await.is_none(), "the business rests");
        world.pass(minute);
    }
    assert_eq!(turns, [1, 2, 3, 4, 1, 2, 3]);
    world.receive(InvoiceCreated, 5).await;
    let newest = world.claim().await;
    assert_eq!(newest.run.magento_id, 5, "it was never tried");
    world.finish(&newest, rest(false)).await;
    world.pass(minute);
    assert_eq!(world.claim().await.run.magento_id, 1, "after any other rest the oldest goes first");
}

/// A person who retries, resumes or connects again does not wait for the end of a rest.
pub async fn a_person_ends_a_rest(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    for side in [Sage, Magento] {
        let claimed = world.claim().await;
        world.finish(&claimed, resting(side, world.after(TimeDelta::hours(1)))).await;
        assert!(world.try_claim().await.is_none());
        world.store.retry_run(world.organisation, id, world.now(), None).await.unwrap();
        let claimed = world.claim().await;
        world.finish(&claimed, resting(side, world.after(TimeDelta::hours(1)))).await;
        world.pass(TimeDelta::hours(1));
        world.set_status(BindingStatus::Paused).await;
        world.set_status(BindingStatus::Active).await;
        assert_eq!(world.store.rests(world.binding).await.unwrap(), BindingRests::default());
    }
}
