//! What a shop did not take, once it answers again.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{environment::Environment, run::EventName::InvoiceCreated};

use super::{
    deliveries::{arrive, begin, claim, fail, next_due, reach},
    world::World,
};
use crate::{Failed, Outcome, Store};

/// What one state proves after failures, it proves for all; what was refused for good stays so.
pub async fn what_a_shop_takes_again_is_told_at_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    for number in 1..=3 {
        reach(&world, &world.synced(number)).await;
    }
    fail(&world, &begin(&world).await, "500", Some(world.after(TimeDelta::minutes(1)))).await;
    fail(&world, &begin(&world).await, "500", Some(world.after(TimeDelta::hours(9)))).await;
    fail(&world, &begin(&world).await, "400", None).await;
    world.pass(TimeDelta::minutes(1));
    let first = begin(&world).await;
    assert_eq!((first.state.magento_id, first.attempts), (1, 2));
    reach(&world, &world.synced(4)).await;
    arrive(&world, &first).await;
    for number in [4, 2] {
        let taken = begin(&world).await;
        assert_eq!(taken.state.magento_id, number, "in the order in which they are due");
        arrive(&world, &taken).await;
    }
    assert_eq!(next_due(&world).await, None);
}

/// A run that was worked, or a shop that works again, ends the rest.
pub async fn a_shop_that_answers_is_told_at_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    reach(&world, &world.synced(1)).await;
    let until = world.after(TimeDelta::minutes(5));
    let silent =
        Failed { error: "no answer", next_at: Some(world.now()), rests_until: Some(until), may_arrive: true };
    world.store.delivery_failed(&begin(&world).await, silent).await.unwrap();
    assert_eq!(claim(&world).await, None);
    world.run_through(InvoiceCreated, 7, Outcome::Succeeded).await;
    let taken = begin(&world).await;
    assert_eq!((taken.state.magento_id, taken.rests), (1, 1));
}
