//! Clocks that were ahead: what they gave holds nobody, and what they put off is due.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    code::Code,
    environment::Environment,
    run::{EventName::InvoiceCreated, Role, RunStatus, Side},
};

use super::{
    alert_channels::{keep, new_channel},
    claims::invoice_intent,
    people::add_member,
    world::{World, assert_conflict, assert_stale, failed, fence, intent_of, request, retrying},
};
use crate::{Claimed, Failed, Outcome, Requeued, Store, Targets};

const AHEAD: TimeDelta = TimeDelta::hours(3);

/// What a process does whose clock is ahead.
async fn ahead<Done>(world: &World, done: impl AsyncFnOnce(&World) -> Done) -> Done {
    world.pass(AHEAD);
    let done = done(world).await;
    world.pass(-AHEAD);
    done
}

async fn bring_forward(world: &World) -> u64 {
    world.store.bring_forward(world.now()).await.unwrap()
}

async fn assert_lost(world: &World, lost: &Claimed) {
    let attempts = world.attempts(lost.run.id).await;
    let attempt = attempts.iter().find(|attempt| attempt.id == lost.attempt_id).unwrap();
    assert_eq!(attempt.outcome.as_deref(), Some("lost"));
    let until = world.after(TimeDelta::minutes(1));
    assert_stale(world.store.extend_lease(fence(lost), world.now(), until).await);
}

/// The run of a process that was killed while its clock was ahead goes on at once, and so does its business.
pub async fn a_lease_of_a_clock_that_was_ahead_holds_nobody(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (first, second) = (world.receive(InvoiceCreated, 1).await, world.receive(InvoiceCreated, 2).await);
    let lost = ahead(&world, async |world: &World| world.claim().await).await;
    assert_eq!(lost.run.id, first);
    let heir = world.claim().await;
    assert_eq!((heir.run.id, heir.attempt_number), (first, 2));
    assert_lost(&world, &lost).await;
    assert!(world.try_claim().await.is_none(), "one writer a business");
    world.finish(&heir, Outcome::Succeeded).await;
    let next = world.claim().await;
    assert_eq!(next.run.id, second);
    world.finish(&next, Outcome::Succeeded).await;
}

/// A clock that was set forward while a run was under way.
pub async fn a_lease_extended_by_a_clock_that_was_ahead_holds_nobody(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let run = world.receive(InvoiceCreated, 1).await;
    let lost = world.claim().await;
    ahead(&world, async |world: &World| {
        let until = world.after(TimeDelta::minutes(1));
        world.store.extend_lease(fence(&lost), world.now(), until).await.unwrap();
    })
    .await;
    let heir = world.claim().await;
    assert_eq!(heir.run.id, run);
    assert_lost(&world, &lost).await;
    world.finish(&heir, Outcome::Succeeded).await;
}

/// Clocks that differ by seconds, or are set back by seconds, cost nobody a lease.
pub async fn a_lease_outlives_a_clock_that_is_set_back_a_little(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.receive(InvoiceCreated, 1).await;
    let held = world.claim().await;
    world.pass(TimeDelta::seconds(-30));
    assert!(world.try_claim().await.is_none());
    assert_eq!(bring_forward(&world).await, 0);
    world.store.extend_lease(fence(&held), world.now(), world.after(TimeDelta::minutes(1))).await.unwrap();
    world.finish(&held, Outcome::Succeeded).await;
}

/// A person and an operator need not wait either.
pub async fn a_run_held_by_a_clock_that_was_ahead_is_made_due(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    let lost = ahead(&world, async |world: &World| world.claim().await).await;
    let requeued = world.store.requeue_run(world.organisation, id, false, world.now()).await.unwrap();
    assert_eq!(requeued, Requeued::Due);
    assert_lost(&world, &lost).await;
    let lost = ahead(&world, async |world: &World| world.claim().await).await;
    world.store.retry_run(world.organisation, id, world.now(), None).await.unwrap();
    assert_eq!(world.run_state(id).await, (RunStatus::Queued, None));
    assert_lost(&world, &lost).await;
    let heir = world.claim().await;
    assert_eq!((heir.run.id, heir.run.attempts, heir.attempt_number), (id, 1, 3));
    assert_conflict(world.store.retry_run(world.organisation, id, world.now(), None).await);
    world.finish(&heir, Outcome::Succeeded).await;
}

/// The same of a lease that has run out by itself.
pub async fn a_run_whose_lease_ran_out_is_retried(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    let lost = world.claim().await;
    world.pass(TimeDelta::minutes(2));
    world.store.retry_run(world.organisation, id, world.now(), None).await.unwrap();
    assert_lost(&world, &lost).await;
    let heir = world.claim().await;
    assert_eq!((heir.run.id, heir.run.attempts), (id, 1));
    world.finish(&heir, Outcome::Succeeded).await;
}

/// What was queued or put off by a clock that was ahead is due; what was put off by a right one is not.
pub async fn runs_that_a_clock_put_off_are_brought_forward(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let later = world.after(AHEAD * 2);
    let retry = world.run_through(InvoiceCreated, 1, retrying(later)).await;
    let put_off = ahead(&world, async |world: &World| {
        let next_at = world.after(TimeDelta::minutes(5));
        world.run_through(InvoiceCreated, 2, retrying(next_at)).await
    })
    .await;
    let queued = ahead(&world, async |world: &World| world.receive(InvoiceCreated, 3).await).await;
    assert!(world.try_claim().await.is_none());
    assert_eq!(bring_forward(&world).await, 2);
    assert_eq!(bring_forward(&world).await, 0);
    for id in [put_off, queued] {
        let claimed = world.claim().await;
        assert_eq!(claimed.run.id, id);
        world.finish(&claimed, Outcome::Succeeded).await;
    }
    assert!(world.try_claim().await.is_none());
    assert_eq!(world.run(retry).await.next_at, later);
}

/// A shop and a business that rest by a clock that was ahead are asked at once.
pub async fn rests_that_a_clock_prolonged_end(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let id = world.receive(InvoiceCreated, 1).await;
    for side in [Side::Sage, Side::Magento] {
        ahead(&world, async |world: &World| {
            let claimed = world.claim().await;
            let (code, until) = (Code::SageUnavailable, world.after(TimeDelta::minutes(5)));
            let resting = Outcome::Resting { code, message: None, until, side: Some(side), by_turns: false };
            world.finish(&claimed, resting).await;
        })
        .await;
        assert!(world.try_claim().await.is_none());
        assert_eq!(bring_forward(&world).await, 2, "the run and the rest");
        let rest = world.store.rests(world.binding).await.unwrap().of(side).expect("an answer ends it");
        assert_eq!(rest.rests, 1);
        let claimed = world.claim().await;
        assert_eq!(claimed.run.id, id);
        world.finish(&claimed, retrying(world.now())).await;
    }
}

/// Magento hears of a state at once that a clock has put off, and of one whose telling it has put off.
pub async fn states_that_a_clock_put_off_are_told(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    ahead(&world, async |world: &World| {
        world.receive(InvoiceCreated, 1).await;
        let claimed = world.claim().await;
        let mut end = world.end(&claimed, Outcome::Succeeded);
        end.sync_state = Some(world.synced(1));
        world.store.finish_run(&end).await.unwrap();
    })
    .await;
    let claim = async || {
        let now = world.now();
        world.store.claim_delivery(now, now + TimeDelta::minutes(1), Targets::All).await.unwrap()
    };
    assert!(claim().await.is_none());
    assert!(bring_forward(&world).await > 0);
    assert_eq!(bring_forward(&world).await, 0);

    // One that is told by a clock that is ahead does not hold the shop.
    let held = ahead(&world, async |_: &World| claim().await.expect("it is due")).await;
    assert!(claim().await.is_none());
    assert!(bring_forward(&world).await > 0);
    assert_eq!(claim().await.expect("the shop is free").state, held.state);

    // And one that failed there rests here no longer.
    world.pass(TimeDelta::minutes(2));
    ahead(&world, async |world: &World| {
        let held = claim().await.expect("it is due");
        let (next_at, rests_until) = (world.after(TimeDelta::minutes(1)), world.after(TimeDelta::minutes(1)));
        let failed = Failed {
            error: "503",
            next_at: Some(next_at),
            rests_until: Some(rests_until),
            may_arrive: false,
        };
        world.store.delivery_failed(&held, failed).await.unwrap();
    })
    .await;
    assert!(claim().await.is_none());
    assert!(bring_forward(&world).await > 0);
    assert!(claim().await.is_some());
}

/// The same for what members are told.
pub async fn alerts_that_a_clock_put_off_are_told(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let member = add_member(&world, "ada@shop.example", Role::Owner).await.id;
    let channel = keep(&world, new_channel(&world, member)).await;
    let claim = async || {
        let (now, until) = (world.now(), world.after(TimeDelta::minutes(1)));
        world.store.claim_alert_delivery(channel.kind, now, until, Targets::All).await.unwrap()
    };
    ahead(&world, async |world: &World| world.run_through(InvoiceCreated, 1, failed()).await).await;
    assert!(claim().await.is_none());
    assert!(bring_forward(&world).await > 0);
    assert_eq!(bring_forward(&world).await, 0);
    let held = ahead(&world, async |_: &World| claim().await.expect("it is due")).await;
    assert!(claim().await.is_none());
    assert!(bring_forward(&world).await > 0);
    let heir = claim().await.expect("the channel is free");
    assert_eq!((heir.id, heir.attempts), (held.id, 2));
    world.store.alert_delivery_arrived(&heir, world.now()).await.unwrap();
}

/// A shop's tokens are refreshed by the next process.
pub async fn a_named_lease_of_a_clock_that_was_ahead_is_none(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let acquire = async |holder: &str| {
        let (now, until) = (world.now(), world.after(TimeDelta::minutes(1)));
        world.store.acquire_lease("tokens", holder, now, until).await.unwrap()
    };
    assert!(ahead(&world, async |_: &World| acquire("ahead").await).await);
    assert!(acquire("right").await);
    assert!(!acquire("other").await);
    world.pass(TimeDelta::seconds(-30));
    assert!(!acquire("other").await, "set back by seconds");
}

/// A request that may still land in Sage left by now at the latest: what waits for it waits no longer than after any other.
pub async fn what_may_still_land_left_by_now(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    world.receive(InvoiceCreated, 1).await;
    let intent = invoice_intent(&world);
    ahead(&world, async |world: &World| {
        let claimed = world.claim().await;
        world.store.open_intent(fence(&claimed), &intent, &request("1"), world.now()).await.unwrap();
    })
    .await;
    assert!(bring_forward(&world).await > 0);
    let (kept, now) = (intent_of(&world, &intent).await.unwrap(), world.now());
    assert!(kept.first_sent_at <= now && kept.unanswered_at.is_some_and(|at| at <= now));
    assert_eq!(bring_forward(&world).await, 0);
}
