//! Sign-ins under way, and counted tries.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{environment::Environment, run::Role};

use super::{
    people::add_member,
    world::{World, assert_conflict},
};
use crate::{Member, PendingSignIn, Store, TryLimit};

const LIMIT: TryLimit = TryLimit { burst: 3, every: TimeDelta::seconds(30) };

async fn begin(world: &World, token_hash: &str, tries: i32) -> (Member, DateTime<Utc>) {
    let member = add_member(world, &format!("{token_hash}@shop.example"), Role::Operator).await;
    let expires_at = world.after(TimeDelta::minutes(5));
    let pending = PendingSignIn {
        token_hash: token_hash.to_owned(),
        member_id: member.id,
        tries,
        expires_at,
        embed: None,
    };
    world.store.begin_sign_in(&pending).await.unwrap();
    assert_conflict(world.store.begin_sign_in(&pending).await);
    (member, expires_at)
}

/// Whoever has only the password cannot try codes for ever.
pub async fn a_sign_in_waits_for_its_code_with_few_tries(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let (ada, expires_at) = begin(&world, "ada", 2).await;
    let try_at = |now| world.store.try_sign_in("ada", None, now);
    assert_eq!(try_at(expires_at).await.unwrap(), None, "past its time");
    assert_eq!(world.store.try_sign_in("unknown", None, world.now()).await.unwrap(), None);
    for _ in 0..2 {
        assert_eq!(try_at(world.now()).await.unwrap(), Some(ada.clone()));
    }
    assert_eq!(try_at(world.now()).await.unwrap(), None, "no try is left");
}

/// A sign-in that began within a shop's admin, whose session opens one history only, ends in no other place.
pub async fn a_sign_in_ends_where_it_began(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let ada = add_member(&world, "ada@shop.example", Role::Operator).await;
    let (within, expires_at) = (Some(world.binding), world.after(TimeDelta::minutes(5)));
    let other = Some(world.add_binding("business-2").await);
    for (token_hash, embed) in [("framed", within), ("plain", None)] {
        let token_hash = token_hash.to_owned();
        let pending = PendingSignIn { token_hash, member_id: ada.id, tries: 9, expires_at, embed };
        world.store.begin_sign_in(&pending).await.unwrap();
    }
    let ends =
        async |token, embed| world.store.try_sign_in(token, embed, world.now()).await.unwrap().is_some();
    assert!(ends("framed", within).await && ends("plain", None).await);
    assert!(!ends("framed", None).await && !ends("framed", other).await && !ends("plain", within).await);
}

/// Of two right codes at once one opens a session.
pub async fn a_sign_in_that_waits_ends_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    begin(&world, "ada", 2).await;
    let (one, two) = tokio::join!(world.store.end_sign_in("ada"), world.store.end_sign_in("ada"));
    assert!(one.unwrap() != two.unwrap());
    assert_eq!(world.store.try_sign_in("ada", None, world.now()).await.unwrap(), None);
}

/// So many at once, and then one each time; a refused one costs nothing, and other keys are others' business.
pub async fn tries_run_out_and_come_back_one_by_one(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let start = world.now();
    let take = |key, seconds| world.store.take_try(key, LIMIT, start + TimeDelta::seconds(seconds));
    for _ in 0..3 {
        assert_eq!(take("ada", 0).await.unwrap(), Ok(()));
    }
    for _ in 0..9 {
        assert_eq!(take("ada", 10).await.unwrap(), Err(TimeDelta::seconds(20)));
    }
    assert_eq!(take("bob", 10).await.unwrap(), Ok(()));
    assert_eq!(take("ada", 30).await.unwrap(), Ok(()));
    assert_eq!(take("ada", 31).await.unwrap(), Err(TimeDelta::seconds(29)));
    // After a rest all of them are back, and no more than that.
    for _ in 0..3 {
        assert_eq!(take("ada", 3_600).await.unwrap(), Ok(()));
    }
    assert_eq!(take("ada", 3_600).await.unwrap(), Err(TimeDelta::seconds(30)));
}

/// Who succeeds has not guessed.
pub async fn a_try_that_was_none_is_given_back(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let now = world.now();
    for _ in 0..9 {
        assert_eq!(world.store.take_try("ada", LIMIT, now).await.unwrap(), Ok(()));
        world.store.give_back_try("ada", LIMIT).await.unwrap();
    }
    world.store.give_back_try("unknown", LIMIT).await.unwrap();
}

/// What counts nothing any more takes no room.
pub async fn what_has_ended_is_cleared_away(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let now = world.now();
    let (_, expires_at) = begin(&world, "ada", 2).await;
    world.store.take_try("ada", LIMIT, now).await.unwrap().unwrap();
    assert_eq!(world.store.purge_sign_ins(now).await.unwrap(), 0);
    assert_eq!(world.store.purge_sign_ins(now + LIMIT.every).await.unwrap(), 1);
    assert_eq!(world.store.purge_sign_ins(expires_at).await.unwrap(), 1);
}
